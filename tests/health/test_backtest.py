"""The backtest: how a draft would have ranked the accounts that were lost, from what was recorded in time only."""

from datetime import date, datetime, timedelta
from math import nan
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Account, CustomField, Offboarding
from common.partitions import ensure_months
from health.models import HealthDay, NamedScore, Profile, SimulatedLoss, Version
from health.queries import backtest as backtest_module
from health.queries.backtest import Backtest, backtest, hanley_mcneil
from health.services import (
    create_measure,
    create_profile,
    open_draft,
    publish,
    simulations,
    update_measure,
    update_profile,
)
from tests.factories import NOW, AccountFactory, SegmentFactory
from tests.health.simulated import SEATS, draft_of_half, first_version, simulate, weigh
from tests.health.test_properties import company

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
ENDED = TODAY - timedelta(days=10)
SEEN = ENDED - timedelta(days=30)


def record(account: Account, profile: Profile, *values: float | None, day: date = SEEN) -> HealthDay:
    """What was recorded of the account on that day: the values of the profile's measures."""
    ensure_months(HealthDay._meta.db_table, day, day)
    row: HealthDay = HealthDay.objects.create(
        account=account,
        named=profile.named,
        day=day,
        profile=profile,
        score=50,
        band="watch",
        values=list(values),
        points=[50] * len(values),
        heard=[None] * len(values),
    )
    return row


def lost(**fields: Any) -> Account:
    fields.setdefault("ended_at", datetime(ENDED.year, ENDED.month, ENDED.day, 12, tzinfo=NOW.tzinfo))
    made: Account = AccountFactory(**fields)
    return made


def stayed(profile: Profile, *seats: float) -> None:
    for one in seats:
        record(AccountFactory(), profile, one)


def ranked_by(draft: Version) -> Backtest:
    return backtest(simulate(draft), NamedScore.overall())


@pytest.fixture
def profile() -> Profile:
    return first_version(now=NOW - timedelta(days=300)).profiles.get()


@pytest.fixture
def draft(profile: Profile) -> Version:
    return draft_of_half()


def test_lost_accounts_rank_among_those_that_stayed(profile: Profile, draft: Version) -> None:
    record(lost(), profile, 30)
    record(lost(), profile, 50)
    stayed(profile, 10, 50, 60, 70)

    simulate(draft)

    found = SimulatedLoss.objects.order_by("score_before")
    assert [(row.score_before, row.rank_before) for row in found] == [(30, 0.25), (50, 0.375)]
    assert [(row.score_after, row.rank_after) for row in found] == [(15, 0.25), (25, 0.375)]
    assert {(row.compared_before, row.compared_after, row.day, row.ended_on) for row in found} == {(4, 4, SEEN, ENDED)}


def test_nothing_recorded_after_the_observation_counts(profile: Profile, draft: Version) -> None:
    account = lost()
    record(account, profile, 90)
    for later in range(1, 31):
        record(account, profile, 0, day=SEEN + timedelta(days=later))
    unseen = lost()
    record(unseen, profile, 0, day=SEEN + timedelta(days=1))
    stayed(profile, 50)

    simulate(draft)

    seen, not_seen = SimulatedLoss.objects.get(account=account), SimulatedLoss.objects.get(account=unseen)
    assert (seen.day, seen.score_before, seen.score_after, seen.rank_before) == (SEEN, 90, 45, 1)
    assert (not_seen.day, not_seen.rank_before, not_seen.rank_after) == (None, None, None)


def test_last_row_up_to_the_observation_counts_for_a_week(profile: Profile, draft: Version) -> None:
    fresh, old = lost(), lost()
    record(fresh, profile, 20, day=SEEN - timedelta(days=7))
    record(old, profile, 20, day=SEEN - timedelta(days=8))
    record(AccountFactory(), profile, 50, day=SEEN - timedelta(days=7))

    found = ranked_by(draft)

    assert (found.lost, found.recorded) == (2, 1)
    assert SimulatedLoss.objects.get(account=fresh).day == SEEN - timedelta(days=7)


def test_only_accounts_of_the_same_day_that_did_not_end_soon_are_compared(profile: Profile, draft: Version) -> None:
    record(lost(), profile, 50)
    stayed(profile, 80)
    record(AccountFactory(), profile, 10, day=SEEN - timedelta(days=1))
    soon = AccountFactory()
    Offboarding.objects.create(account=soon, ended_on=SEEN + timedelta(days=35))
    record(soon, profile, 10)

    simulate(draft)

    row = SimulatedLoss.objects.get(ended_on=ENDED)
    assert (row.compared_before, row.rank_before) == (1, 0)


def test_losses_older_than_a_year_and_announced_ones_do_not_count(profile: Profile, draft: Version) -> None:
    for ended_on in (TODAY - timedelta(days=366), TODAY + timedelta(days=3)):
        Offboarding.objects.create(account=AccountFactory(), ended_on=ended_on)
    Offboarding.objects.create(account=AccountFactory(), ended_on=TODAY - timedelta(days=364))

    assert ranked_by(draft).lost == 1


def test_account_lost_twice_counts_once_by_its_last_end(profile: Profile, draft: Version) -> None:
    account = lost()
    Offboarding.objects.create(account=account, ended_on=ENDED - timedelta(days=100))
    Offboarding.objects.create(account=account, ended_on=ENDED)

    simulate(draft)

    assert SimulatedLoss.objects.get().ended_on == ENDED


def test_measure_is_found_by_its_attribute_and_unrecorded_ones_are_named(profile: Profile) -> None:
    draft = open_draft(by=None, now=NOW)
    create_measure(draft=draft, key="size", label="Size", attribute="seats", curve=[[0, 100], [100, 0]], now=NOW)
    create_measure(draft=draft, key="new", label="New", attribute="customer_days", curve=SEATS, now=NOW)
    weigh(draft, size=3, new=5)
    record(lost(), profile, 30)
    stayed(profile, 50, 10)

    found = ranked_by(draft)

    row = SimulatedLoss.objects.get()
    assert (row.score_before, row.score_after) == (30, 70)
    assert (row.rank_before, row.rank_after) == (0.5, 0.5)
    assert [(one.key, one.losses) for one in found.unknown] == [("new", 1)]


@pytest.mark.parametrize(("missing", "score"), [("leave_out", 80), ("neutral", 65), ("worst", 40)])
def test_missing_values_are_treated_as_the_draft_says(missing: str, score: float) -> None:
    profile = first_version(now=NOW - timedelta(days=300), seats=1, tickets=1).profiles.get()
    draft = open_draft(by=None, now=NOW)
    update_measure(measure=draft.measures.get(key="seats"), missing=missing, now=NOW)
    draft.refresh_from_db()
    record(lost(), profile, None, 1)

    simulate(draft)

    assert SimulatedLoss.objects.get().score_after == pytest.approx(score)


def test_measure_that_did_not_apply_is_left_out() -> None:
    profile = first_version(now=NOW - timedelta(days=300), seats=1, tickets=1).profiles.get()
    draft = open_draft(by=None, now=NOW)
    update_measure(measure=draft.measures.get(key="seats"), missing="worst", now=NOW)
    draft.refresh_from_db()
    record(lost(), profile, nan, 1)

    simulate(draft)

    assert SimulatedLoss.objects.get().score_after == pytest.approx(80)


def test_measure_under_a_new_condition_has_no_history(profile: Profile) -> None:
    draft = open_draft(by=None, now=NOW)
    large = {"attribute": "seats", "operator": "gt", "value": 5}
    update_measure(measure=draft.measures.get(key="seats"), applies_when=large, now=NOW)
    draft.refresh_from_db()
    record(lost(), profile, 30)

    simulate(draft)

    row = SimulatedLoss.objects.get()
    assert (row.score_before, row.score_after, row.unknown_after) == (30, None, ["seats"])


def test_choices_are_read_by_name_when_tables_differ() -> None:
    CustomField.objects.create(key="tier", label="Tier", type=CustomField.Type.CHOICE, choices=["a", "b", "c"])
    start = NOW - timedelta(days=300)
    first = open_draft(by=None, now=start)
    create_measure(draft=first, key="tier", label="Tier", attribute="custom.tier", curve={"a": 10, "b": 20}, now=start)
    segment = SegmentFactory(key="all")
    create_profile(draft=first, name="All", segment=segment, weights={"tier": 1}, now=start)
    publish(draft=first, by=None, note="First", now=start)
    profile = first.profiles.get()
    draft = open_draft(by=None, now=NOW)
    update_measure(measure=draft.measures.get(), curve={"c": 70, "b": 60}, missing="worst", now=NOW)
    draft.refresh_from_db()
    accounts = [lost() for _n in range(4)]
    for account, place in zip(accounts, (0, 1, -1, None), strict=True):
        record(account, profile, place)

    simulate(draft)

    scores = dict(SimulatedLoss.objects.values_list("account_id", "score_after"))
    assert [scores[account.pk] for account in accounts] == [0, 60, 0, 0]


def test_segment_without_a_profile_in_the_draft_cannot_be_ranked_by_it(profile: Profile, draft: Version) -> None:
    update_profile(profile=draft.profiles.get(), segment=SegmentFactory(key="other"), now=NOW)
    draft.refresh_from_db()
    record(lost(), profile, 30)
    stayed(profile, 50)

    simulate(draft)

    row = SimulatedLoss.objects.get()
    assert (row.rank_before, row.rank_after) == (0, None)


def test_records_of_several_versions_are_read_each_in_its_own_way(profile: Profile) -> None:
    changed = NOW - timedelta(days=60)
    second = open_draft(by=None, now=changed)
    weigh(second, now=changed, tickets=1, seats=1)
    publish(draft=second, by=None, note="Tickets too", now=changed)
    late = lost(ended_at=NOW - timedelta(days=5))
    record(late, second.profiles.get(), 2, 40, day=TODAY - timedelta(days=35))
    early = lost(ended_at=NOW - timedelta(days=100))
    record(early, profile, 40, day=TODAY - timedelta(days=130))
    draft = draft_of_half()

    simulate(draft)

    scores = dict(SimulatedLoss.objects.values_list("account_id", "score_after"))
    unknown = dict(SimulatedLoss.objects.values_list("account_id", "unknown_after"))
    assert scores[late.pk] == pytest.approx((60 + 20) / 2)
    assert scores[early.pk] == pytest.approx(20)
    assert (unknown[late.pk], unknown[early.pk]) == ([], ["tickets"])


def test_no_figure_is_given_when_fewer_than_20_were_lost(profile: Profile, draft: Version) -> None:
    for _n in range(19):
        record(lost(), profile, 10)
    stayed(profile, 50)

    found = ranked_by(draft)

    assert (found.after.losses, found.after.auc, found.after.verdict) == (19, None, "not_enough")


def test_perfect_ranking_is_weak_evidence_when_few_were_lost(profile: Profile, draft: Version) -> None:
    for _n in range(20):
        record(lost(), profile, 10)
    stayed(profile, *range(50, 80))

    found = ranked_by(draft)

    assert (found.after.auc, found.after.worst_fifth, found.after.worst_tenth) == (1, 1, 1)
    assert found.after.verdict == "predicts"
    assert found.after.is_weak


def test_score_that_ranks_by_chance_is_no_evidence(profile: Profile, draft: Version) -> None:
    for n in range(25):
        record(lost(), profile, 4 * n + 2)
    stayed(profile, *range(0, 100, 2))

    found = ranked_by(draft)

    assert found.after.auc == pytest.approx(0.5, abs=0.05)
    assert found.after.verdict == "none"


def test_score_that_puts_the_lost_on_top_is_backwards(profile: Profile, draft: Version) -> None:
    for _n in range(25):
        record(lost(), profile, 99)
    stayed(profile, *range(0, 90, 2))

    assert ranked_by(draft).after.verdict == "backwards"


@settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    gone=st.lists(st.tuples(st.none() | st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=8),
    rest=st.lists(st.tuples(st.none() | st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=12),
)
def test_auc_is_the_share_of_pairs_of_a_day_in_the_right_order(gone: Any, rest: Any) -> None:
    with company(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest_module, "ENOUGH", 1)
        profile = first_version(now=NOW - timedelta(days=300)).profiles.get()
        for value, back in gone:
            record(lost(ended_at=NOW - timedelta(days=10 + back)), profile, value, day=SEEN - timedelta(days=back))
        for value, back in rest:
            record(AccountFactory(), profile, value, day=SEEN - timedelta(days=back))
        found = ranked_by(draft_of_half()).after

        shares = []
        for value, back in gone:
            others = [other for other, day in rest if day == back and other is not None]
            if value is not None and others:
                shares.append(
                    sum(1.0 if value < other else 0.5 if value == other else 0.0 for other in others) / len(others)
                )
        assert found.losses == len(shares)
        if shares:
            assert found.auc == pytest.approx(sum(shares) / len(shares), abs=1e-12)


def test_large_base_is_compared_by_a_part_of_it(
    profile: Profile, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulations, "MOST_RECORDS", 20)
    monkeypatch.setattr(simulations, "LEAST_COMPARED", 10)
    record(lost(), profile, 50)
    stayed(profile, *range(100))

    simulate(draft)

    row = SimulatedLoss.objects.get()
    assert 5 <= row.compared_after <= 40
    assert row.rank_after == pytest.approx(0.5, abs=0.35)


def test_standard_error_is_that_of_the_paper() -> None:
    # The images of Hanley and McNeil (1982): A = .893 over 51 abnormal and 58 normal ones. By hand: Q1 = .80668,
    # Q2 = .84253, (.09555 + 50 * .00923 + 57 * .04508) / 2958 = .001057.
    assert hanley_mcneil(0.893, losses=51, others=58) == pytest.approx(0.0325, abs=0.00005)
