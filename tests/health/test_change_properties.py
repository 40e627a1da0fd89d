"""What holds of every change of a score, whatever the company: generated formulas, facts, segments and overrides."""

from collections.abc import Iterable
from datetime import timedelta
from math import isclose
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.attributes import Scope
from accounts.models import Account, Ticket
from health.curves import natural_direction, read_curve
from health.models import Measure, NamedScore, Override, Version
from health.queries import HealthChange, change_sentences, what_changed
from health.queries.changes import Cause
from health.services import (
    compute_health,
    create_measure,
    create_profile,
    delete_profile,
    open_draft,
    publish,
    update_measure,
    update_profile,
)
from tests.factories import NOW, AccountFactory, SegmentFactory, TicketFactory
from tests.health.test_properties import BANDS, CURVES, company, generated

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)
# None of them moves with time alone.
ATTRIBUTES = ("seats", "tickets.open", "tickets.open_urgent", "contacts.champions")
APPLIES = st.none() | st.integers(0, 100).map(lambda seats: {"attribute": "seats", "operator": "gte", "value": seats})
MEASURE = st.tuples(st.sampled_from(ATTRIBUTES), CURVES | BANDS, st.sampled_from(Measure.Missing.values), APPLIES)
WEIGHTS = st.decimals("0.001", "50", places=3)
MEASURES = st.lists(MEASURE, min_size=1, max_size=5)
ACCOUNTS = st.lists(st.tuples(st.none() | st.integers(0, 200), st.integers(0, 3)), min_size=1, max_size=4)
BIG = {"attribute": "seats", "operator": "gte", "value": 100}


def weigh(data: Any, version: Version) -> dict[str, Any]:
    """Some of a version's measures, each with a weight."""
    keys = sorted(measure.key for measure in version.measures.all())
    chosen = data.draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
    return {key: data.draw(WEIGHTS) for key in chosen}


def shape(measure: Any) -> dict[str, Any]:
    attribute, curve, missing, applies = measure
    return {"attribute": attribute, "curve": curve, "missing": missing, "applies_when": applies}


def first_formula(measures: Any, data: Any, *, by_size: bool) -> None:
    draft = open_draft(by=None, now=NOW)
    for number, measure in enumerate(measures):
        create_measure(draft=draft, key=f"m{number}", label=f"M {number}", now=NOW, **shape(measure))
    if by_size:
        big = SegmentFactory(key="big", condition=BIG, priority=1)
        create_profile(draft=draft, name="Big", segment=big, weights=weigh(data, draft), now=NOW)
    everybody = SegmentFactory(key="all", priority=2)
    create_profile(draft=draft, name="All", segment=everybody, weights=weigh(data, draft), now=NOW)
    publish(draft=draft, by=None, note="First", now=NOW)


def another_formula(measures: Any, data: Any, *, note: str = "Another") -> None:
    """Measures are drawn anew, some come, profiles weigh others or are gone."""
    draft = open_draft(by=None, now=NOW)
    for number, measure in enumerate(measures):
        found = Measure.objects.filter(version=draft, key=f"m{number}").first()
        if found is None:
            create_measure(draft=draft, key=f"m{number}", label=f"M {number}", now=NOW, **shape(measure))
        else:
            direction = natural_direction(read_curve(measure[1]))
            update_measure(measure=found, direction=direction, now=NOW, **shape(measure))
    profiles = list(draft.profiles.order_by("segment__priority"))
    for place, profile in enumerate(profiles):
        if place + 1 < len(profiles) and data.draw(st.booleans()):
            delete_profile(profile=profile, now=NOW)
        else:
            update_profile(profile=profile, weights=weigh(data, draft), now=NOW)
    publish(draft=draft, by=None, note=note, now=LATER)


def people(accounts: Any) -> list[Account]:
    made = []
    for seats, tickets in accounts:
        account = AccountFactory(seats=seats)
        TicketFactory.create_batch(tickets, account=account)
        made.append(account)
    return made


def live_on(accounts: Iterable[Account], data: Any) -> None:
    """What a day brings."""
    for account in accounts:
        if data.draw(st.booleans()):
            Account.objects.filter(pk=account.pk).update(seats=data.draw(st.none() | st.integers(0, 200)))
        if data.draw(st.booleans()):
            TicketFactory(account=account, priority=Ticket.Priority.URGENT)


def override(accounts: Iterable[Account], data: Any, *, now: Any) -> None:
    for account in accounts:
        if data.draw(st.booleans()):
            Override.objects.filter(account=account, ended_at=None).update(ended_at=now)
            Override.objects.create(
                account=account,
                named=NamedScore.overall(),
                score=data.draw(st.floats(0, 100)),
                reason="They told us",
                created_at=now,
                expires_at=now + timedelta(days=30),
            )


def compute(now: Any) -> None:
    compute_health(scope=Scope.everything(), now=now)


def changes(accounts: Iterable[Account]) -> list[HealthChange]:
    found = [what_changed(account=account, since=NOW.date(), now=LATER) for account in accounts]
    return [change for change in found if change is not None]


def adds_up(change: HealthChange) -> None:
    if change.difference is None:
        assert change.split is None
        return
    split = change.split
    assert split is not None
    assert isclose(split.total, change.difference, rel_tol=0, abs_tol=1e-9)
    by_measure = sum(row.split.total for row in change.measures)
    assert isclose(by_measure + split.override, change.difference, rel_tol=0, abs_tol=1e-9)
    for cause in (Cause.BEHAVIOUR, Cause.SEGMENT, Cause.FORMULA):
        of_measures = sum(getattr(row.split, cause) for row in change.measures)
        assert isclose(of_measures, getattr(split, cause), rel_tol=0, abs_tol=1e-9)
    contributions = sum(row.contribution_change for row in change.measures)
    assert isclose(contributions, change.computed_difference or 0.0, rel_tol=0, abs_tol=1e-9) or (
        None in (change.before and change.before.computed_score, change.after and change.after.computed_score)
    )


@generated
@given(measures=MEASURES, others=MEASURES, accounts=ACCOUNTS, by_size=st.booleans(), data=st.data())
def test_causes_add_up_whatever_happens_at_once(
    measures: Any, others: Any, accounts: Any, by_size: bool, data: Any
) -> None:
    with company():
        first_formula(measures, data, by_size=by_size)
        made = people(accounts)
        override(made, data, now=NOW)
        compute(NOW)
        live_on(made, data)
        override(made, data, now=LATER)
        if data.draw(st.booleans()):
            another_formula(others, data)
        compute(LATER)

        found = changes(made)
        assert len(found) == len(made)
        for change in found:
            adds_up(change)
            told = change_sentences(change)
            assert all(sentence[-1] in ".”" and "%(" not in sentence for sentence in told)
            assert change.facts_stayed or not any("Nothing that is measured" in sentence for sentence in told)


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, by_size=st.booleans(), data=st.data())
def test_nothing_is_split_when_nothing_changed(measures: Any, accounts: Any, by_size: bool, data: Any) -> None:
    with company():
        first_formula(measures, data, by_size=by_size)
        made = people(accounts)
        override(made, data, now=NOW)
        compute(NOW)
        compute(LATER)

        for change in changes(made):
            assert change.facts_stayed
            assert change.split is None or not change.split.causes
            assert not any(row.split.causes or row.contribution_change for row in change.measures)


@generated
@given(measures=MEASURES, others=MEASURES, accounts=ACCOUNTS, by_size=st.booleans(), data=st.data())
def test_account_has_no_part_in_it_when_only_the_formula_changed(
    measures: Any, others: Any, accounts: Any, by_size: bool, data: Any
) -> None:
    with company():
        first_formula(measures, data, by_size=by_size)
        made = people(accounts)
        compute(NOW)
        another_formula(others, data)
        compute(LATER)

        for change in changes(made):
            adds_up(change)
            assert change.facts_stayed
            assert change.split is None or set(change.split.causes) <= {Cause.FORMULA}
            assert [version.note for version in change.versions] == ["Another"]


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, data=st.data())
def test_formula_has_no_part_in_it_when_only_the_account_changed(measures: Any, accounts: Any, data: Any) -> None:
    with company():
        first_formula(measures, data, by_size=False)
        made = people(accounts)
        compute(NOW)
        live_on(made, data)
        compute(LATER)

        for change in changes(made):
            adds_up(change)
            assert change.split is None or set(change.split.causes) <= {Cause.BEHAVIOUR}


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, by_size=st.booleans(), data=st.data())
def test_override_alone_is_the_cause_when_it_alone_changed(
    measures: Any, accounts: Any, by_size: bool, data: Any
) -> None:
    with company():
        first_formula(measures, data, by_size=by_size)
        made = people(accounts)
        override(made, data, now=NOW)
        compute(NOW)
        override(made, data, now=LATER)
        compute(LATER)

        for change in changes(made):
            adds_up(change)
            assert change.facts_stayed
            assert change.split is None or set(change.split.causes) <= {Cause.OVERRIDE}
            assert not any(row.split.causes for row in change.measures)
