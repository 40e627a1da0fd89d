"""A formula tried on a few accounts: the same figures as if it were published, and nothing is kept."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.attributes import Catalogue, Context, Scope
from accounts.models import Account
from health.models import HealthScore, Measure, Version
from health.queries import load_definitions
from health.queries.definitions import ReadyMeasure, check_measure
from health.queries.trial import UNSAVED, try_last_day, try_measures, try_scores, with_measure
from health.services import compute_health, open_draft, publish, update_measure
from tests.factories import (
    NOW,
    AccountFactory,
    FeatureFactory,
    MeasureFactory,
    PlanFactory,
    PlanFeatureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
)

pytestmark = pytest.mark.django_db


def ready(**fields: Any) -> ReadyMeasure:
    measure = Measure(**{"pk": UNSAVED, "key": "tried", "label": "Tried", "missing": "leave_out", **fields})
    return check_measure(measure, catalogue=Catalogue())


@pytest.fixture
def draft() -> Version:
    """Seats count as they are, in force and in the draft."""
    ProfileMeasureFactory(
        profile=ProfileFactory(segment=SegmentFactory(key="all")), measure=MeasureFactory(key="seats")
    )
    return open_draft(by=None, now=NOW)


def test_tried_score_is_what_publishing_gives(draft: Version) -> None:
    accounts = [AccountFactory(seats=seats).pk for seats in (20, 60, 95, None)]
    context = Context.at(NOW)
    measure = draft.measures.get()
    measure.curve = [[0, 100], [100, 0]]
    edited = check_measure(measure, catalogue=Catalogue())

    definition = with_measure(load_definitions(draft), edited).scores[0]
    tried = try_scores(definition, accounts, context=context)

    assert [(tried[pk].score, tried[pk].band) for pk in accounts] == [
        (80, "good"),
        (40, "watch"),
        (5, "poor"),
        (None, ""),
    ]
    assert not HealthScore.objects.exists()
    update_measure(measure=draft.measures.get(), now=NOW, curve=[[0, 100], [100, 0]], direction="lower")
    publish(draft=draft, by=None, note="Fewer is better", now=NOW)
    compute_health(scope=Scope.everything(), now=NOW)
    kept = HealthScore.objects.all()
    assert {row.account_id: (row.score, row.band) for row in kept} == {
        pk: (tried[pk].score, tried[pk].band) for pk in accounts
    }


def test_new_measure_counts_in_the_profiles_that_are_chosen(draft: Version) -> None:
    account = AccountFactory(seats=20)
    profile = draft.profiles.get()
    live = ready(attribute="is_live", curve={"true": 100, "false": 0})

    definitions = with_measure(load_definitions(draft), live, {profile.pk: 3.0})
    assert try_scores(definitions.scores[0], [account.pk], context=Context.at(NOW))[account.pk].score == 80

    definitions = with_measure(load_definitions(draft), live, {profile.pk: None})
    assert try_scores(definitions.scores[0], [account.pk], context=Context.at(NOW))[account.pk].score == 20


def test_value_and_points_say_what_a_measure_sees() -> None:
    plan = PlanFactory()
    PlanFeatureFactory(plan=plan, feature=FeatureFactory(key="wiki"))
    FeatureFactory(key="messaging")
    large, unknown = AccountFactory(seats=50, plan=plan), AccountFactory(seats=None, touch_model="high_touch")
    measures = [
        ready(pk=1, attribute="seats", curve=[[0, 0], [100, 100]], missing="neutral"),
        ready(pk=2, attribute="touch_model", curve={"low_touch": 30}, missing="worst"),
        ready(pk=3, attribute="usage.messaging.28d", curve=[[0, 0], [100, 100]], missing="worst"),
        ready(
            pk=4,
            attribute="is_live",
            curve={"true": 90, "false": 0},
            applies_when={"attribute": "seats", "operator": "is_known"},
        ),
    ]

    found = try_measures(measures, [large.pk, unknown.pk], context=Context.at(NOW))

    assert found[large.pk] == [(50, 50), ("low_touch", 30), (None, None), (True, 90)]
    assert found[unknown.pk] == [(None, 50), (None, 0), (None, 0), (None, None)]


def test_account_that_left_is_judged_by_its_last_day(draft: Version) -> None:
    gone = AccountFactory(seats=30)
    compute_health(scope=Scope.everything(), now=NOW - timedelta(days=5))
    Account.objects.filter(pk=gone.pk).update(ended_at=NOW - timedelta(days=4))
    compute_health(scope=Scope.everything(), now=NOW)
    measure = draft.measures.get()
    measure.curve = [[0, 0], [40, 100]]
    edited = check_measure(measure, catalogue=Catalogue())

    definition = with_measure(load_definitions(draft), edited).scores[0]
    found = try_last_day(definition, [gone.pk])[gone.pk]

    assert (found.day, found.score, found.band) == ((NOW - timedelta(days=5)).date(), 30, "poor")
    assert found.tried is not None
    assert (found.tried.score, found.tried.band) == (75, "good")
    assert found.values == {"seats": 30}
    assert try_scores(definition, [gone.pk], context=Context.at(NOW)) == {}


def test_measure_that_was_not_kept_is_left_out_of_the_last_day(draft: Version) -> None:
    gone = AccountFactory(seats=30)
    compute_health(scope=Scope.everything(), now=NOW)
    profile = draft.profiles.get()
    new = ready(attribute="tickets.open", curve=[[0, 100], [5, 0]])

    definition = with_measure(load_definitions(draft), new, {profile.pk: 5.0}).scores[0]
    found = try_last_day(definition, [gone.pk])[gone.pk]

    assert found.tried is not None
    assert found.tried.score == 30
    assert found.unknown == ("tried",)
