"""Health as attributes: what conditions and lists can ask of a score."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.conditions import matching
from accounts.models import Account
from health.services import compute_health
from tests.factories import NOW, AccountFactory, MeasureFactory, ProfileFactory, ProfileMeasureFactory

pytestmark = pytest.mark.django_db


def facts_of(account: Account, now: Any = NOW) -> dict[str, Any]:
    catalogue = Catalogue()
    wanted = [catalogue[key] for key in catalogue if key == "health" or key.startswith("health.")]
    return {
        key: fact.value for key, fact in read_facts(wanted, [account.pk], context=Context.at(now))[account.pk].items()
    }


def test_score_band_and_points_are_attributes() -> None:
    account, unscored = AccountFactory(seats=80), AccountFactory()
    profile = ProfileFactory()
    for key, attribute, curve in (
        ("seats", "seats", [[0, 0], [100, 100]]),
        ("tickets", "tickets.open", [[0, 100], [5, 0]]),
        ("touch", "touch.days_since", [[0, 100], [5, 0]]),
    ):
        ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key=key, attribute=attribute, curve=curve))
    Account.objects.filter(pk=unscored.pk).update(ended_at=NOW)
    compute_health(scope=Scope.everything(), now=NOW)

    assert facts_of(account, NOW + timedelta(days=3)) == {
        "health": 90,
        "health.band": "good",
        "health.band_days": 3,
        "health.is_overridden": False,
        "health.stale": 0,
        "health.dropped_days": None,
        "health.rollup": None,
        "health.rollup_worst": None,
        "health.inputs": 2,
        "health.change_7d": None,
        "health.change_30d": None,
        "health.change_90d": None,
        "health.velocity": None,
        "health.seats": 80,
        "health.tickets": 100,
        "health.touch": None,
    }
    assert set(facts_of(unscored).values()) == {None}
    found = matching(Account.objects.all(), {"attribute": "health.band", "operator": "is", "value": "good"}, now=NOW)
    assert list(found) == [account]


def test_change_is_told_against_the_day_a_week_and_a_month_ago() -> None:
    account = AccountFactory(seats=80)
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())
    for days, seats in ((0, 80), (23, 50), (29, 10), (30, 35)):
        Account.objects.update(seats=seats)
        compute_health(scope=Scope.everything(), now=NOW + timedelta(days=days))

    facts = facts_of(account, NOW + timedelta(days=30))
    assert (facts["health.change_7d"], facts["health.change_30d"]) == (-15, -45)
