"""Depth, essential features, onboarding and the change of each feature, on rows as tracking leaves them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.attributes import Catalogue
from accounts.conditions import matching
from accounts.models import Account, Plan
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    FeatureFactory,
    PlanFactory,
    PlanFeatureFactory,
    RollingUsageFactory,
)
from tests.facts import read_at_once, values_of
from usage.models import Feature, UserActivity
from usage.services import add_daily_usage, turn_windows

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


def use(account: Account, feature: Feature, last: int, prior: int = 0) -> None:
    RollingUsageFactory(account=account, feature=feature, last_28=last, whole_28=last, whole_prior_28=prior)


def active(account: Account, user: str, days_ago: int) -> None:
    day = TODAY - timedelta(days=days_ago)
    UserActivity.objects.create(account=account, user_id=user, first_day=day, last_day=day)


def plan_with(*features: Feature) -> Plan:
    plan = PlanFactory()
    for feature in features:
        PlanFeatureFactory(plan=plan, feature=feature)
    return plan


def test_depth_is_actions_per_person_active_in_the_same_days() -> None:
    account = AccountFactory()
    use(account, FeatureFactory(), last=30)
    use(account, FeatureFactory(), last=11)
    for user, days_ago in (("a", 0), ("b", 27), ("c", 28)):
        active(account, user, days_ago)

    assert values_of(account, "usage.depth") == 20.5


@pytest.mark.parametrize("days_ago", [None, 28])
def test_depth_is_unknown_when_nobody_was_active(days_ago: int | None) -> None:
    account = AccountFactory()
    ActivityFactory(account=account)
    use(account, FeatureFactory(), last=30)
    if days_ago is not None:
        active(account, "a", days_ago)

    assert values_of(account, "usage.depth") is None


def test_sources_are_read_once_when_depth_is_asked_with_its_parts() -> None:
    accounts = AccountFactory.create_batch(3)
    feature = FeatureFactory()
    for number, account in enumerate(accounts, 1):
        use(account, feature, last=12 * number)
        ActivityFactory(account=account)
        active(account, "a", 1)
        active(account, "b", 1)

    found, queries = read_at_once(accounts, "usage.events_28d", "seats.active", "usage.depth")

    assert found == [(12, 2, 6), (24, 2, 12), (36, 2, 18)]
    assert queries == 1


def test_essential_features_count_only_when_the_plan_includes_them() -> None:
    first, second, third = FeatureFactory.create_batch(3, is_essential=True)
    extra = FeatureFactory()
    account = AccountFactory(plan=plan_with(first, second, extra))
    use(account, first, last=4)
    use(account, second, last=0)
    use(account, third, last=9)
    use(account, extra, last=9)

    assert values_of(account, "usage.essential_share", "onboarding.progress") == (50, 100)


@pytest.mark.parametrize("has_plan", [True, False])
def test_every_essential_feature_is_included_when_the_plan_names_none(has_plan: bool) -> None:
    essential = FeatureFactory.create_batch(3, is_essential=True)
    account = AccountFactory(plan=PlanFactory() if has_plan else None)
    use(account, essential[0], last=1)
    use(account, essential[1], last=0)

    assert values_of(account, "usage.essential_share", "onboarding.progress") == (
        Decimal("33.3"),
        Decimal("66.7"),
    )


def test_essential_share_is_unknown_when_the_plan_includes_none() -> None:
    FeatureFactory(is_essential=True)
    plain = FeatureFactory()
    account = AccountFactory(plan=plan_with(plain))
    use(account, plain, last=1)

    assert values_of(account, "usage.essential_share", "onboarding.progress") == (None, None)


def test_onboarding_has_not_begun_when_nothing_was_used() -> None:
    FeatureFactory(is_essential=True)

    assert values_of(AccountFactory(), "usage.essential_share", "onboarding.progress") == (0, 0)


def test_onboarding_is_read_for_many_accounts_in_one_query() -> None:
    essential = FeatureFactory.create_batch(2, is_essential=True)
    accounts = AccountFactory.create_batch(3, plan=plan_with(*essential))
    use(accounts[1], essential[0], last=0)
    use(accounts[2], essential[0], last=1)
    use(accounts[2], essential[1], last=1)

    assert read_at_once(accounts, "usage.essential_share", "onboarding.progress") == ([(0, 0), (0, 50), (100, 100)], 1)


@pytest.mark.parametrize(
    ("last", "prior", "change"), [(3, 4, -25), (0, 4, -100), (8, 3, Decimal("166.7")), (5, 0, None)]
)
def test_change_of_a_feature_is_told_against_the_28_days_before(last: int, prior: int, change: Any) -> None:
    chat, other = FeatureFactory(key="chat"), FeatureFactory()
    account = AccountFactory()
    use(account, chat, last, prior)
    use(account, other, last=100, prior=1)

    assert values_of(account, "usage.chat.change_28d") == change


@pytest.mark.parametrize("early", [0, 3])
def test_steady_use_shows_no_change_when_the_day_has_only_begun(early: int) -> None:
    chat = FeatureFactory(key="chat")
    account = AccountFactory()
    days = [(account.pk, chat.pk, TODAY - timedelta(days=ago), 10) for ago in range(1, 60)]
    add_daily_usage(days, now=NOW - timedelta(days=1))
    turn_windows(now=NOW)
    add_daily_usage([(account.pk, chat.pk, TODAY, early)], now=NOW)

    assert values_of(account, "usage.change_28d", "usage.chat.change_28d") == (0, 0)


def test_change_of_a_feature_has_no_value_when_it_was_never_used_or_the_plan_leaves_it_out() -> None:
    chat, other = FeatureFactory(key="chat"), FeatureFactory()
    outside = AccountFactory(plan=plan_with(other))
    use(outside, chat, last=5, prior=10)

    assert values_of(outside, "usage.chat.change_28d") is None
    assert values_of(AccountFactory(), "usage.chat.change_28d") is None


def test_change_of_features_is_read_for_many_accounts_in_one_query() -> None:
    chat, boards = FeatureFactory(key="chat"), FeatureFactory(key="boards")
    accounts = AccountFactory.create_batch(3)
    for number, account in enumerate(accounts, 1):
        use(account, chat, last=number, prior=1)
    use(accounts[0], boards, last=1, prior=2)

    found, queries = read_at_once(accounts, "usage.chat.change_28d", "usage.boards.change_28d")

    assert found == [(0, -50), (100, None), (200, None)]
    assert queries == 1


def test_accounts_are_found_by_depth() -> None:
    deep, shallow = AccountFactory(), AccountFactory()
    for account, last in ((deep, 50), (shallow, 2)):
        use(account, FeatureFactory(), last)
        active(account, "a", 0)
    condition = {"attribute": "usage.depth", "operator": "gte", "value": 10}

    assert list(matching(Account.objects.all(), condition, now=NOW)) == [deep]
    assert Catalogue()["usage.depth"].help
