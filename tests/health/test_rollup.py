"""The score of a group: a parent with all below it, weighted by what they pay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.conditions import matching
from accounts.models import Account
from health.models import NamedScore
from health.services import compute_health, override_score
from tests.factories import (
    NOW,
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scored_by_seats() -> None:
    ProfileMeasureFactory(
        profile=ProfileFactory(segment=SegmentFactory(key="all")), measure=MeasureFactory(key="seats")
    )


def account(seats: int | None, mrr: int = 0, parent: Account | None = None, **kwargs: Any) -> Account:
    made: Account = AccountFactory(seats=seats, parent=parent, **kwargs)
    if mrr:
        SubscriptionFactory(account=made, mrr=mrr)
    return made


def group_of(*accounts: Account, prefix: str = "health") -> list[tuple[Any, Any]]:
    catalogue = Catalogue()
    mean, worst = catalogue[f"{prefix}.rollup"], catalogue[f"{prefix}.rollup_worst"]
    found = read_facts([mean, worst], [one.pk for one in accounts], context=Context.at(NOW))
    return [(found[one.pk][mean.key].value, found[one.pk][worst.key].value) for one in accounts]


def compute() -> None:
    compute_health(scope=Scope.everything(), now=NOW)


def test_group_is_the_mean_of_all_below_weighted_by_what_they_pay() -> None:
    top = account(90, 100)
    middle = account(50, 300, top)
    leaf = account(20, 600, middle)
    alone = account(70, 50)
    compute()

    assert group_of(top, middle, leaf, alone) == [
        (pytest.approx((90 * 100 + 50 * 300 + 20 * 600) / 1000), 20),
        (pytest.approx((50 * 300 + 20 * 600) / 900), 20),
        (None, None),
        (None, None),
    ]


def test_group_is_the_plain_mean_where_nobody_pays() -> None:
    top = account(90)
    account(30, parent=top)
    # A trial and a line that has ended pay nothing.
    SubscriptionFactory(account=account(60, parent=top), mrr=500, is_trial=True)
    SubscriptionFactory(account=top, mrr=500, ended_on=NOW.date() - timedelta(days=1))
    compute()

    assert group_of(top) == [(60, 30)]


def test_who_pays_nothing_does_not_weigh_where_others_pay() -> None:
    top = account(90)
    account(30, 100, top)
    compute()

    assert group_of(top) == [(30, 30)]


def test_those_without_a_score_do_not_count() -> None:
    top = account(None, 1000)
    account(40, 10, top)
    account(10, 500, top, ended_at=NOW)
    silent = account(None)
    account(None, parent=silent)
    compute()

    assert group_of(top, silent) == [(40, 40), (None, None)]


def test_circle_of_accounts_is_one_group() -> None:
    first, second = account(80, 100), account(20, 100)
    below = account(50, 100, second)
    # No service lets this happen; a row of an old database may have it all the same.
    Account.objects.filter(pk=first.pk).update(parent=second)
    Account.objects.filter(pk=second.pk).update(parent=first)
    compute()

    assert group_of(first, second, below) == [(50, 20), (50, 20), (None, None)]


def test_score_set_by_hand_counts_in_its_group() -> None:
    top = account(80, 100)
    child = account(20, 100, top)
    compute()
    override_score(
        account=child,
        named=NamedScore.overall(),
        score=60,
        reason="They told me",
        expires_at=NOW + timedelta(days=5),
        by=UserFactory(),
        now=NOW,
    )

    assert group_of(top) == [(70, 60)]


def test_other_score_has_a_group_of_its_own() -> None:
    fit = NamedScore.objects.create(key="fit", label="Fit")
    measure = MeasureFactory(key="half", curve=[[0, 0], [200, 100]])
    ProfileMeasureFactory(profile=ProfileFactory(named=fit), measure=measure)
    top = account(80)
    account(40, parent=top)
    compute()

    assert group_of(top, prefix="health.score.fit") == [(30, 20)]


def test_conditions_and_lists_ask_for_groups_in_one_query() -> None:
    tops = [account(90 - n) for n in range(5)]
    for n, top in enumerate(tops):
        for _ in range(n):
            account(10, 100, account(50, 100, top))
    compute()
    condition = {"attribute": "health.rollup_worst", "operator": "lte", "value": 10}

    assert set(matching(Account.objects.filter(parent=None), condition, now=NOW)) == set(tops[1:])
    catalogue, context = Catalogue(), Context.at(NOW)
    wanted = [catalogue["health.rollup"], catalogue["health.rollup_worst"]]
    with CaptureQueriesContext(connection) as queries:
        read_facts(wanted, [top.pk for top in tops], context=context)
    assert len(queries) == 1
