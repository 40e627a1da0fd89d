"""What an explanation says of age, of measures that changed since, and of days gone by."""

from datetime import timedelta

import pytest

from accounts.attributes import Scope
from health.queries import explain_health, health_history
from health.services import compute_health
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
)

pytestmark = pytest.mark.django_db


def test_explanation_is_none_when_the_account_has_no_score() -> None:
    assert explain_health(account=AccountFactory(), now=NOW) is None


def test_input_is_stale_when_it_was_heard_longer_ago_than_it_should_be() -> None:
    account = AccountFactory(seats=80)
    ActivityFactory(account=account, last_event_at=NOW)
    profile = ProfileFactory()
    use = MeasureFactory(attribute="usage.days_since", curve=[[0, 100], [30, 0]], stale_after_days=7)
    ProfileMeasureFactory(profile=profile, measure=use)
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory())
    compute_health(scope=Scope.everything(), now=NOW)

    fresh = explain_health(account=account, now=NOW + timedelta(days=7))
    stale = explain_health(account=account, now=NOW + timedelta(days=7, seconds=1))

    assert fresh is not None
    assert stale is not None
    assert (fresh.stale_count, stale.stale_count) == (0, 1)
    assert [row.is_stale for row in stale.measures] == [True, False]
    assert len(stale.counted) == 2


def test_history_is_told_oldest_first() -> None:
    account = AccountFactory(seats=80)
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory(key="seats"))
    for days in range(4):
        compute_health(scope=Scope.everything(), now=NOW + timedelta(days=days))

    history = health_history(account=account, days=2, until=NOW.date() + timedelta(days=2))

    assert [(day.day, day.score, day.points) for day in history] == [
        (NOW.date() + timedelta(days=1), 80, {"seats": 80}),
        (NOW.date() + timedelta(days=2), 80, {"seats": 80}),
    ]
