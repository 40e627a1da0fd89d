"""Computing health: what is scored, by which profile, and what is kept of it."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.attributes import Scope
from accounts.models import Account, CustomField, Event, EventInbox, Segment, Touched
from accounts.services.ledger import touch
from health.models import HealthDay, HealthScore, Measure, Profile
from health.queries import LeftOut, definitions_in_force, explain_health
from health.services import compute_health, compute_touched, open_draft
from health.services.definitions import DefinitionError, create_measure
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    FeatureFactory,
    MeasureFactory,
    PlanFactory,
    PlanFeatureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    RollingUsageFactory,
    SegmentFactory,
    TicketFactory,
)

pytestmark = pytest.mark.django_db


def compute(now: Any = NOW) -> int:
    return compute_health(scope=Scope.everything(), now=now)


def score_of(account: Account) -> float | None:
    return HealthScore.objects.get(account=account).score


def profile_of(*measures: Measure, **kwargs: Any) -> Profile:
    profile = ProfileFactory(**kwargs)
    for measure in measures:
        ProfileMeasureFactory(profile=profile, measure=measure)
    return profile


def test_score_is_the_weighted_mean_when_worked_by_hand() -> None:
    """The account of docs/health.md: (2 * 75 + 1 * 100 + 1 * 40) / 4 = 72.5."""
    feature = FeatureFactory(key="messaging")
    account = AccountFactory(seats=80)
    ActivityFactory(account=account)
    RollingUsageFactory(account=account, feature=feature, last_28=150)
    TicketFactory.create_batch(3, account=account)
    use = MeasureFactory(key="use", attribute="usage.messaging.28d", curve=[[0, 0], [100, 50], [200, 100]])
    seats = MeasureFactory(key="seats", attribute="seats", curve=[[0, 0], [50, 100]])
    tickets = MeasureFactory(key="tickets", attribute="tickets.open", curve=[[0, 100], [5, 0]])
    profile = profile_of(seats, tickets)
    ProfileMeasureFactory(profile=profile, measure=use, weight=2)

    assert compute() == 1

    row = HealthScore.objects.get()
    assert (row.score, row.band, row.profile) == (72.5, "good", profile)
    explained = explain_health(account=account, now=NOW)
    assert explained is not None
    assert {m.key: (m.value, m.points, m.weight, m.contribution) for m in explained.measures} == {
        "seats": (80, 100, 1, 25),
        "tickets": (3, 40, 1, 10),
        "use": (150, 75, 2, 37.5),
    }
    assert {m.key: m.heard_at for m in explained.measures}["use"] == NOW


def test_score_is_the_arithmetic_mean_when_weights_are_equal() -> None:
    account = AccountFactory(seats=30)
    profile_of(
        MeasureFactory(curve=[[0, 0], [100, 100]]),
        MeasureFactory(curve=[[0, 100], [100, 0]]),
        MeasureFactory(curve=[[0, 0], [10, 80]]),
    )
    compute()

    assert score_of(account) == (30 + 70 + 80) / 3


@pytest.mark.parametrize(("missing", "expected"), [("leave_out", 100.0), ("neutral", 75.0), ("worst", 50.0)])
def test_missing_value_counts_as_its_measure_says(missing: str, expected: float) -> None:
    account = AccountFactory(seats=100)
    profile_of(
        MeasureFactory(key="seats"),
        MeasureFactory(key="touch", attribute="touch.days_since", missing=missing),
    )
    compute()

    assert score_of(account) == expected
    explained = explain_health(account=account, now=NOW)
    assert explained is not None
    touched = next(m for m in explained.measures if m.key == "touch")
    assert touched.value is None
    assert touched.left_out == (LeftOut.MISSING if missing == "leave_out" else None)


def test_score_is_empty_when_no_measure_has_data() -> None:
    account = AccountFactory()
    profile_of(MeasureFactory())
    compute()

    assert score_of(account) is None
    assert HealthScore.objects.get().band == ""


def test_feature_outside_the_plan_is_left_out_when_missing_counts_worst() -> None:
    messaging, reports = FeatureFactory(key="messaging"), FeatureFactory(key="reports")
    basic = PlanFactory()
    PlanFeatureFactory(plan=basic, feature=reports)
    without, silent = AccountFactory(plan=basic, seats=100), AccountFactory(seats=100)
    ActivityFactory(account=without)
    profile_of(
        MeasureFactory(key="seats"),
        MeasureFactory(key="use", attribute="usage.messaging.28d", missing="worst"),
    )
    compute()

    assert (score_of(without), score_of(silent)) == (100, 50)
    explained = explain_health(account=without, now=NOW)
    assert explained is not None
    assert [m.left_out for m in explained.measures] == [None, LeftOut.NOT_APPLICABLE]
    assert messaging.pk != reports.pk


def test_first_segment_with_a_profile_decides() -> None:
    big, small, ended = AccountFactory(seats=100), AccountFactory(seats=10), AccountFactory(seats=100, ended_at=NOW)
    ascending, descending = MeasureFactory(), MeasureFactory(curve=[[0, 100], [100, 0]])
    SegmentFactory(priority=1)
    rest = profile_of(descending, segment=SegmentFactory(priority=30))
    large = profile_of(
        ascending,
        segment=SegmentFactory(priority=20, condition={"attribute": "seats", "operator": "gt", "value": 50}),
    )
    compute()

    assert dict(HealthScore.objects.values_list("account", "profile")) == {big.pk: large.pk, small.pk: rest.pk}
    assert (score_of(big), score_of(small)) == (100, 90)
    assert not HealthScore.objects.filter(account=ended).exists()


def test_score_is_dropped_when_no_profile_decides_any_more() -> None:
    account = AccountFactory(seats=100)
    profile_of(
        MeasureFactory(),
        segment=SegmentFactory(condition={"attribute": "seats", "operator": "gt", "value": 50}),
    )
    compute()
    Account.objects.update(seats=5)

    assert compute() == 0
    assert not HealthScore.objects.exists()
    assert HealthDay.objects.get().account_id == account.pk


def test_choice_and_truth_are_scored_by_table() -> None:
    account = AccountFactory(touch_model="high_touch")
    profile_of(
        MeasureFactory(key="model", attribute="touch_model", curve={"high_touch": 90, "low_touch": 40}),
        MeasureFactory(key="live", attribute="is_live", curve={"true": 60, "false": 0}),
        MeasureFactory(key="other", attribute="touch_model", curve={"low_touch": 40}),
    )
    compute()

    assert score_of(account) == 75
    explained = explain_health(account=account, now=NOW)
    assert explained is not None
    assert [(m.value, m.points) for m in explained.measures] == [("high_touch", 90), (True, 60), (None, None)]
    assert explained.measures[2].left_out == LeftOut.UNSCORED


def test_band_change_is_one_event_when_computed_twice() -> None:
    account = AccountFactory(seats=100)
    profile_of(MeasureFactory())
    compute()
    assert not Event.objects.exists()
    Account.objects.update(seats=50)

    later = NOW + timedelta(hours=1)
    compute(later)
    compute(later + timedelta(hours=1))

    event = Event.objects.get()
    assert (event.account, event.kind, event.happened_at) == (account, "health.band_changed", later)
    assert event.data == {"from": "good", "to": "watch", "score": 50}
    assert EventInbox.objects.filter(consumer="playbooks", event=event).count() == 1
    assert HealthScore.objects.get().since == later
    assert not Touched.objects.exists()


def test_nothing_is_written_when_nothing_changed() -> None:
    AccountFactory(seats=100)
    profile_of(MeasureFactory())
    compute()
    compute(NOW + timedelta(hours=1))

    assert HealthScore.objects.get().computed_at == NOW


def test_history_has_the_last_score_of_each_day_of_the_workspace() -> None:
    account = AccountFactory(seats=100)
    profile_of(MeasureFactory(key="seats"))
    for hours, seats in ((0, 100), (1, 60), (24, 30), (24 * 40, 10)):
        Account.objects.update(seats=seats)
        compute(NOW + timedelta(hours=hours))

    assert list(HealthDay.objects.order_by("day").values_list("day", "score")) == [
        (NOW.date(), 60),
        (NOW.date() + timedelta(days=1), 30),
        (NOW.date() + timedelta(days=40), 10),
    ]
    explained = explain_health(account=account, on=NOW.date() + timedelta(days=20))
    assert explained is not None
    assert (explained.day, explained.score) == (NOW.date() + timedelta(days=1), 30)
    assert explained.measures[0].trend == (60, 30)
    assert explain_health(account=account, on=NOW.date() - timedelta(days=1)) is None


def test_touched_accounts_alone_are_computed() -> None:
    touched, other = AccountFactory(seats=100), AccountFactory(seats=100)
    profile_of(MeasureFactory())
    compute()
    Account.objects.update(seats=10)
    touch([touched.pk])
    touch([touched.pk])

    assert compute_touched(now=NOW, limit=10) == 1
    assert (score_of(touched), score_of(other)) == (10, 100)
    assert compute_touched(now=NOW, limit=10) == 0


def test_broken_measure_is_left_out_and_named() -> None:
    account = AccountFactory(seats=100)
    profile_of(MeasureFactory(key="seats"), MeasureFactory(key="gone", attribute="custom.gone"))

    assert compute() == 1

    assert score_of(account) == 100
    [problem] = definitions_in_force(NOW).problems
    assert problem.measure is not None
    assert problem.measure.key == "gone"
    assert "custom.gone" in problem.message
    explained = explain_health(account=account, now=NOW)
    assert explained is not None
    assert [(m.key, m.left_out, m.problem) for m in explained.measures] == [
        ("seats", None, ""),
        ("gone", LeftOut.BROKEN, problem.message),
    ]


def test_measure_is_left_out_when_a_value_cannot_be_read() -> None:
    CustomField.objects.create(key="rating", label="Rating", type=CustomField.Type.BOOLEAN)
    account = AccountFactory(seats=100, custom={"rating": "not a truth"})
    profile_of(
        MeasureFactory(key="seats"),
        MeasureFactory(key="rating", attribute="custom.rating", curve={"true": 100, "false": 0}),
    )

    assert compute() == 1

    assert score_of(account) == 100


def test_scores_stay_when_the_segment_cannot_be_decided() -> None:
    big = AccountFactory(seats=100)
    segment = SegmentFactory(priority=1, condition={"attribute": "seats", "operator": "gt", "value": 50})
    profile_of(MeasureFactory(), segment=segment)
    profile_of(MeasureFactory(curve=[[0, 50], [1, 50]]), segment=SegmentFactory(priority=2))
    compute()
    Segment.objects.filter(pk=segment.pk).update(condition={"attribute": "health", "operator": "gt", "value": 50})
    new = AccountFactory(seats=100)
    compute()

    assert (score_of(big), score_of(new)) == (100, 50)
    assert [problem.profile for problem in definitions_in_force(NOW).problems] == [segment.profiles.get()]


def test_points_too_fine_for_the_database_are_rounded() -> None:
    account = AccountFactory(seats=1)
    profile_of(MeasureFactory(attribute="seats", curve=[[0, 0], [1, 5e-324]]))

    with pytest.raises(DefinitionError, match="must ascend"):
        create_measure(
            draft=open_draft(by=None, now=NOW),
            key="fine",
            label="Fine",
            attribute="seats",
            curve=[[0, 0], [1e-300, 5e-324]],
            now=NOW,
            group="usage",
        )
    compute()

    assert score_of(account) == 0
