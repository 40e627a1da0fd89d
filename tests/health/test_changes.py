"""What changed a score between two days, worked by hand."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from accounts.attributes import Scope
from accounts.models import Account, CustomField
from health.models import NamedScore, Override, Profile, Version
from health.queries import Cause, HealthChange, what_changed
from health.services import compute_health, open_draft, publish, update_measure, update_profile
from tests.factories import (
    NOW,
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    TicketFactory,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
LATER = NOW + timedelta(days=1)
BIG = {"attribute": "seats", "operator": "gte", "value": 100}


def compute(now: datetime = NOW) -> None:
    compute_health(scope=Scope.everything(), now=now)


def profile_of(*keys: str, **kwargs: Any) -> Profile:
    """Seats give one point each, tickets take 20 each, champions give 50 each; nobody knows the NPS."""
    made = {
        "seats": {"attribute": "seats"},
        "tickets": {"attribute": "tickets.open", "curve": [[0, 100], [5, 0]], "direction": "lower"},
        "champions": {"attribute": "contacts.champions", "curve": [[0, 0], [2, 100]]},
        "nps": {"attribute": "nps.last", "curve": [[0, 0], [10, 100]]},
    }
    profile = ProfileFactory(**kwargs)
    for key in keys:
        measure = profile.version.measures.filter(key=key).first() or MeasureFactory(key=key, label=key, **made[key])
        ProfileMeasureFactory(profile=profile, measure=measure)
    return profile


def change_of(account: Account, since: date = TODAY, now: datetime = LATER, **kwargs: Any) -> HealthChange:
    found = what_changed(account=account, since=since, now=now, **kwargs)
    assert found is not None
    return found


def parts(change: HealthChange) -> dict[str, dict[str, float]]:
    """By measure and cause, what moved the score by a millionth of a point at least."""
    return {
        row.key: {cause.value: pytest.approx(getattr(row.split, cause)) for cause in row.split.causes}
        for row in change.measures
        if row.split.causes
    }


def new_version(note: str = "Another", weights: Any = None, now: datetime = LATER, **changed: Any) -> Version:
    draft = open_draft(by=None, now=now)
    for key, changes in changed.items():
        update_measure(measure=draft.measures.get(key=key), now=now, **changes)
    if weights:
        update_profile(profile=draft.profiles.get(), weights=weights, now=now)
    return publish(draft=draft, by=None, note=note, now=now)


def set_by_hand(account: Account, score: float, now: datetime = NOW) -> Override:
    return Override.objects.create(
        account=account,
        named=NamedScore.overall(),
        score=score,
        reason="They told us",
        created_at=now,
        expires_at=now + timedelta(days=30),
    )


def test_difference_is_the_accounts_when_the_formula_is_the_same() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets")
    compute()
    Account.objects.update(seats=50)
    compute(LATER)

    change = change_of(account)

    assert (change.difference, change.split and change.split.behaviour) == (-15, -15)
    assert parts(change) == {"seats": {"behaviour": -15}}
    [seats] = [row for row in change.measures if row.key == "seats"]
    assert seats.before is not None
    assert seats.after is not None
    assert (seats.before.value, seats.after.value, seats.cause) == (80, 50, Cause.BEHAVIOUR)
    assert (seats.before.points, seats.after.points, seats.contribution_change) == (80, 50, -15)


def test_measure_that_went_missing_made_all_the_difference_when_nothing_else_moved() -> None:
    """(100 + 40 + 50) / 3 = 63.33 becomes (100 + 50) / 2 = 75; contributions of the others rise, their part is 0."""
    account = AccountFactory(seats=40)
    profile_of("tickets", "seats")
    ProfileMeasureFactory(
        profile=Profile.objects.get(), measure=MeasureFactory(key="flat", attribute="is_live", curve={"true": 50})
    )
    compute()
    Account.objects.update(seats=None)
    compute(LATER)

    change = change_of(account)

    assert change.difference == pytest.approx(75 - 190 / 3)
    assert parts(change) == {"seats": {"behaviour": 75 - 190 / 3}}


def test_difference_is_the_formulas_when_only_a_weight_changed() -> None:
    """(80 + 100) / 2 = 90 becomes (80 + 3 * 100) / 4 = 95, all of it by tickets."""
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets", "champions", "nps", segment=SegmentFactory(key="all"))
    compute()
    version = new_version(weights={"seats": 1, "tickets": 3, "champions": 1, "nps": 1})
    compute(LATER)

    change = change_of(account)

    assert change.split is not None
    assert change.split.causes == (Cause.FORMULA,)
    assert set(parts(change)) == {"tickets"}
    assert change.facts_stayed
    assert change.versions == (version,)


def test_all_weights_doubled_make_no_difference() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets")
    compute()
    new_version(weights={"seats": 2, "tickets": 2})
    compute(LATER)

    change = change_of(account)

    assert (change.difference, parts(change)) == (0, {})
    assert len(change.versions) == 1


def test_account_and_formula_are_told_apart_when_both_changed() -> None:
    """80 seats: (80 + 100) / 2 = 90. With 40 it would be 70 by the first formula; a steeper curve makes it 90."""
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets")
    compute()
    Account.objects.update(seats=40)
    new_version("Fewer seats are enough", seats={"curve": [[0, 0], [50, 100]]}, now=LATER)
    new_version("Noted", now=LATER + timedelta(minutes=1))
    compute(LATER + timedelta(hours=1))

    change = change_of(account, now=LATER + timedelta(hours=1))

    assert parts(change) == {"seats": {"behaviour": -20, "formula": 20}}
    assert (change.difference, change.facts_stayed) == (0, False)
    assert [version.note for version in change.versions] == ["Fewer seats are enough", "Noted"]


def test_measure_that_came_counts_to_the_formula() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    MeasureFactory(key="tickets", attribute="tickets.open", curve=[[0, 100], [5, 0]], direction="lower")
    compute()
    TicketFactory.create_batch(5, account=account)
    new_version(weights={"seats": 1, "tickets": 1})
    compute(LATER)

    change = change_of(account)

    assert parts(change) == {"tickets": {"formula": -40}}
    assert change.facts_stayed
    [tickets] = [row for row in change.measures if row.key == "tickets"]
    assert (tickets.before, tickets.found_before, tickets.found_after) == (None, None, None)


def test_move_to_another_segment_is_told_from_what_the_account_did() -> None:
    """60 seats give 60, 120 give 100. A big account's open ticket counts too: (100 + 80) / 2 = 90."""
    account = AccountFactory(seats=60)
    TicketFactory(account=account)
    profile_of("seats", segment=SegmentFactory(key="all", priority=2))
    profile_of("seats", "tickets", segment=SegmentFactory(key="big", condition=BIG, priority=1))
    compute()
    Account.objects.update(seats=120)
    compute(LATER)

    change = change_of(account)

    assert change.split is not None
    assert (change.split.behaviour, change.split.segment, change.split.formula) == (40, -10, 0)
    assert change.versions == ()


def test_segment_and_formula_are_told_apart_when_both_changed() -> None:
    """As before, and the new version takes twice as many points for a ticket: (100 + 60) / 2 = 80."""
    account = AccountFactory(seats=60)
    TicketFactory(account=account)
    profile_of("seats", segment=SegmentFactory(key="all", priority=2))
    profile_of("seats", "tickets", segment=SegmentFactory(key="big", condition=BIG, priority=1))
    compute()
    Account.objects.update(seats=120)
    new_version(tickets={"curve": [[0, 100], [2.5, 0]]})
    compute(LATER)

    split = change_of(account).split

    assert split is not None
    assert (split.behaviour, split.segment, split.formula) == (40, pytest.approx(-10), pytest.approx(-10))


def test_segment_has_no_part_in_it_when_the_formula_dropped_its_profile() -> None:
    account = AccountFactory(seats=60)
    TicketFactory(account=account)
    profile_of("seats", segment=SegmentFactory(key="first", priority=1))
    profile_of("tickets", segment=SegmentFactory(key="second", priority=2))
    compute()
    draft = open_draft(by=None, now=LATER)
    draft.profiles.get(segment__key="first").delete()
    publish(draft=draft, by=None, note="Fewer", now=LATER)
    compute(LATER)

    split = change_of(account).split

    assert split is not None
    assert (split.causes, split.formula) == ((Cause.FORMULA,), pytest.approx(20))


@pytest.mark.parametrize(
    ("curve", "formula"),
    [
        ({"cold": 10, "warm": 50, "hot": 90}, 0),
        ({"cold": 10, "warm": 70}, 20),
        ({"hot": 90, "cold": 0}, -50),
    ],
)
def test_choice_is_the_same_fact_by_whatever_curve_it_was_kept(curve: Any, formula: float) -> None:
    """What the new curve does not name has no points: it is scored 0 here."""
    CustomField.objects.create(key="mood", label="Mood", type="choice", choices=["cold", "warm", "hot"])
    account = AccountFactory(custom={"mood": "warm"})
    measure = MeasureFactory(
        key="mood", attribute="custom.mood", curve={"hot": 90, "warm": 50, "cold": 10}, missing="worst"
    )
    ProfileMeasureFactory(profile=ProfileFactory(), measure=measure)
    compute()
    new_version(mood={"curve": curve})
    compute(LATER)

    change = change_of(account)

    assert change.split is not None
    assert (change.split.behaviour, change.split.formula) == (0, formula)
    assert change.facts_stayed


def test_override_is_the_rest() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    Account.objects.update(seats=50)
    set_by_hand(account, 95, now=LATER)
    compute(LATER)

    change = change_of(account)

    assert (change.difference, change.computed_difference) == (15, -30)
    assert change.split is not None
    assert (change.split.behaviour, change.split.override) == (-30, 45)


def test_override_made_all_the_difference_when_nothing_was_computed() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    Account.objects.update(seats=None)
    set_by_hand(account, 95, now=LATER)
    compute(LATER)

    change = change_of(account)

    assert (change.difference, change.computed_difference) == (15, None)
    assert change.split is not None
    assert (change.split.causes, change.split.override) == ((Cause.OVERRIDE,), 15)
    assert not change.facts_stayed


def test_nothing_is_split_when_one_of_the_days_has_no_score() -> None:
    account = AccountFactory(seats=80)
    profile = profile_of(
        "seats", segment=SegmentFactory(condition={"attribute": "seats", "operator": "gte", "value": 1})
    )
    compute()

    first = change_of(account, since=TODAY - timedelta(days=7))
    Account.objects.update(seats=0)
    compute(LATER)
    last = change_of(account)

    assert (first.before, first.split, first.difference) == (None, None, None)
    assert first.after is not None
    assert (last.after, last.split, last.difference) == (None, None, None)
    assert last.before is not None
    assert last.before.profile == profile
    assert what_changed(account=AccountFactory(), since=TODAY, now=NOW) is None


def test_days_gone_by_are_compared_by_their_own_facts() -> None:
    account = AccountFactory(seats=10)
    profile_of("seats")
    for day in range(4):
        Account.objects.update(seats=10 + day * 10)
        compute(NOW + timedelta(days=day))

    change = change_of(account, since=TODAY + timedelta(days=1), until=TODAY + timedelta(days=2))

    assert change.before is not None
    assert change.after is not None
    assert (change.before.score, change.after.score, change.difference) == (20, 30, 10)
