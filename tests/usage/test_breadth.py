"""Adoption breadth: features used out of those that the plan includes."""

import pytest

from accounts.attributes import Catalogue, Context, read_facts
from accounts.models import Account
from tests.factories import (
    NOW,
    AccountFactory,
    FeatureFactory,
    PlanFactory,
    PlanFeatureFactory,
    RollingUsageFactory,
)

pytestmark = pytest.mark.django_db


def breadth_of(account: Account) -> float | None:
    attribute = Catalogue()["usage.breadth"]
    value = read_facts([attribute], [account.pk], context=Context.at(NOW))[account.pk]["usage.breadth"].value
    return None if value is None else float(value)


def test_breadth_counts_only_features_of_the_plan() -> None:
    features = FeatureFactory.create_batch(4)
    basic, open_plan = PlanFactory(), PlanFactory()
    for feature in features[:2]:
        PlanFeatureFactory(plan=basic, feature=feature)
    on_basic, on_open, without_plan = (AccountFactory(plan=plan) for plan in (basic, open_plan, None))
    for account in (on_basic, on_open, without_plan):
        RollingUsageFactory(account=account, feature=features[0], last_28=5)
        RollingUsageFactory(account=account, feature=features[1], last_28=0)
        RollingUsageFactory(account=account, feature=features[2], last_28=1)
        RollingUsageFactory(account=account, feature=features[3], last_28=9)

    assert breadth_of(on_basic) == 50
    assert breadth_of(on_open) == 75
    assert breadth_of(without_plan) == 75
    assert breadth_of(AccountFactory(plan=basic)) == 0


def test_breadth_is_unknown_when_there_is_no_feature() -> None:
    assert breadth_of(AccountFactory()) is None
