"""How scores moved, as attributes: by the customer's doing alone, over new formulas, overrides and missing days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.conditions import matching
from accounts.models import Account
from health.models import HealthDay, HealthScore, NamedScore, Version
from health.services import compute_health, end_override, open_draft, override_score, publish, update_measure
from tests.factories import (
    NOW,
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HALF = [[0, 0], [200, 100]]


@pytest.fixture
def account() -> Account:
    """An account with as many points as it has seats."""
    made: Account = AccountFactory(seats=80)
    ProfileMeasureFactory(
        profile=ProfileFactory(segment=SegmentFactory(key="all")), measure=MeasureFactory(key="seats", label="Seats")
    )
    return made


def compute(day: float, seats: int | None = None) -> None:
    """What a day is when it is over: the account with so many seats, looked at."""
    if seats is not None:
        Account.objects.update(seats=seats)
    compute_health(scope=Scope.everything(), now=NOW + day * DAY)


def halve(day: int) -> Version:
    """Put a version in force where a seat is worth half a point."""
    now = NOW + day * DAY
    draft = open_draft(by=None, now=now)
    update_measure(measure=draft.measures.get(), curve=HALF, now=now)
    return publish(draft=draft, by=None, note="Half", now=now)


def facts(account: Account, day: float, *keys: str, prefix: str = "health") -> tuple[Any, ...]:
    catalogue = Catalogue()
    wanted = [catalogue[f"{prefix}.{key}"] for key in keys]
    found = read_facts(wanted, [account.pk], context=Context.at(NOW + day * DAY))[account.pk]
    return tuple(found[attribute.key].value for attribute in wanted)


CHANGES = ("change_7d", "change_30d", "change_90d")


def test_change_is_told_against_the_ends_of_days(account: Account) -> None:
    for day, seats in ((0, 80), (60, 70), (83, 50), (89.9, 10), (90, 35)):
        compute(day, seats)

    assert facts(account, 90, *CHANGES) == (-15, -35, -45)


def test_change_needs_a_day_to_be_told_against(account: Account) -> None:
    compute(0, 80)
    compute(5, 40)

    assert facts(account, 5, *CHANGES) == (None, None, None)
    assert facts(account, 7, *CHANGES) == (-40, None, None)


def test_missing_day_is_stood_for_by_one_of_the_week_before_it(account: Account) -> None:
    compute(0, 80)
    compute(20, 50)

    assert facts(account, 13, "change_7d") == (-30,)
    assert facts(account, 14, "change_7d") == (None,)
    assert facts(account, 36, "change_30d") == (-30,)
    assert facts(account, 37, "change_30d") == (None,)


def test_new_formula_is_no_change(account: Account) -> None:
    compute(0, 80)
    compute(9, 60)
    halve(10)
    compute(10)
    assert facts(account, 10, "change_7d") == (-20,)

    compute(12, 50)
    assert HealthScore.objects.get().score == 25
    # 60 → 30 by the formula, 30 → 25 by the customer.
    assert facts(account, 12, "change_7d") == (-25,)
    assert facts(account, 16, "change_7d") == (-5,)
    # On the day of the version its end counts: the shift came before it.
    assert facts(account, 17, "change_7d") == (-5,)


def test_formula_that_shifted_before_a_missing_day_is_no_change_either(account: Account) -> None:
    compute(0, 80)
    halve(2)
    compute(2)
    compute(8, 60)

    # The day of a week ago is missing: the one before it is told against, and the shift came in between.
    assert facts(account, 8, "change_7d") == (-10,)
    HealthDay.objects.filter(day=(NOW + 2 * DAY).date()).update(formula_shift=None)
    assert facts(account, 8, "change_7d") == (-50,)


def test_two_formulas_on_one_day_are_no_change(account: Account) -> None:
    compute(0, 80)
    halve(7)
    compute(7)
    draft = open_draft(by=None, now=NOW + 7.1 * DAY)
    update_measure(measure=draft.measures.get(), curve=[[0, 100], [100, 0]], direction="lower", now=NOW + 7.1 * DAY)
    publish(draft=draft, by=None, note="Upside down", now=NOW + 7.1 * DAY)
    compute(7.1)

    assert HealthScore.objects.get().score == 20
    assert facts(account, 7.1, "change_7d") == (0,)


def test_override_is_no_change_neither_while_it_holds_nor_after(account: Account) -> None:
    csm = UserFactory()
    compute(0, 80)
    now = NOW + 3 * DAY
    override = override_score(
        account=account,
        named=NamedScore.overall(),
        score=10,
        reason="They told me",
        expires_at=now + 30 * DAY,
        by=csm,
        now=now,
    )
    compute(7, 70)
    assert HealthScore.objects.get().score == 10
    assert facts(account, 7, "change_7d", "is_overridden") == (-10, True)

    end_override(override=override, by=csm, now=NOW + 8 * DAY)
    # A week before, it held: what was computed beneath is told against.
    assert facts(account, 10, "change_7d", "is_overridden") == (-10, False)
    assert facts(account, 14, "change_7d") == (0,)


def test_score_that_became_empty_or_had_been_is_no_change(account: Account) -> None:
    compute(0, 80)
    Account.objects.update(seats=None)
    compute(7)
    assert facts(account, 7, "change_7d") == (None,)
    compute(14, 50)
    assert facts(account, 14, "change_7d") == (None,)


def test_velocity_is_the_slope_in_points_a_week(account: Account) -> None:
    for day in range(0, 29, 7):
        compute(day, 80 - day)
    assert facts(account, 28, "velocity") == (pytest.approx(-7),)

    csm = UserFactory()
    override_score(
        account=account,
        named=NamedScore.overall(),
        score=100,
        reason="They told me",
        expires_at=NOW + 60 * DAY,
        by=csm,
        now=NOW + 28.1 * DAY,
    )
    assert facts(account, 28, "velocity") == (pytest.approx(-7),)


def test_velocity_is_of_the_customer_alone_when_a_formula_comes_in_between(account: Account) -> None:
    for day in range(0, 15, 7):
        compute(day, 80 - day)
    halve(20)
    compute(20)
    for day in range(21, 29, 7):
        compute(day, 80 - day)

    # 80, 73, 66, 66, 59, 52 by the first formula, halved from the day 20 on, which took 33.
    told = {0: 80 - 33, 7: 73 - 33, 14: 66 - 33, 20: 33, 21: 29.5, 28: 26}
    days = {day: points for day, points in told.items() if day > 0}
    middle, mean = sum(days) / len(days), sum(days.values()) / len(days)
    slope = sum((day - middle) * (points - mean) for day, points in days.items()) / sum(
        (day - middle) ** 2 for day in days
    )
    assert facts(account, 28, "velocity") == (pytest.approx(7 * slope),)


def test_velocity_needs_two_days(account: Account) -> None:
    compute(0)
    assert facts(account, 0, "velocity") == (None,)


def test_other_score_has_trends_of_its_own(account: Account) -> None:
    fit = NamedScore.objects.create(key="product-fit", label="Product fit")
    ProfileMeasureFactory(
        profile=ProfileFactory(named=fit), measure=MeasureFactory(key="halves", attribute="seats", curve=HALF)
    )
    compute(0, 80)
    compute(7, 60)

    assert facts(account, 7, "change_7d", "velocity", prefix="health.score.product-fit") == (-10, pytest.approx(-10))
    assert facts(account, 7, "change_7d") == (-20,)


def test_stale_inputs_are_counted_of_those_that_count() -> None:
    account = AccountFactory(seats=80)
    profile = ProfileFactory()
    for key, after in (("seats", 5), ("never", None)):
        ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key=key, stale_after_days=after))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(attribute="touch.days_since", stale_after_days=5))
    Account.objects.update(updated_at=NOW)

    compute(4)
    assert facts(account, 4, "stale") == (0,)
    compute(6)
    assert facts(account, 6, "stale") == (1,)


def test_conditions_can_ask_how_a_score_moved(account: Account) -> None:
    compute(0, 80)
    compute(7, 60)
    condition = {"attribute": "health.change_7d", "operator": "lte", "value": -15}

    assert list(matching(Account.objects.all(), condition, now=NOW + 7 * DAY)) == [account]
    assert not matching(Account.objects.all(), condition, now=NOW + 15 * DAY)


def test_trends_of_many_accounts_take_one_query(account: Account) -> None:
    AccountFactory.create_batch(5, seats=70)
    compute(0)
    compute(7)
    catalogue = Catalogue()
    wanted = [catalogue[f"health.{key}"] for key in (*CHANGES, "velocity", "stale", "dropped_days")]
    ids = list(Account.objects.values_list("pk", flat=True))
    context = Context.at(NOW + 7 * DAY)

    with CaptureQueriesContext(connection) as queries:
        found = read_facts(wanted, ids, context=context)

    assert len(queries) == 1
    assert {row["health.change_7d"].value for row in found.values()} == {0}
