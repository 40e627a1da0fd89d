from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, facts_relation, read_facts
from accounts.attributes.relation import Scope
from accounts.conditions import ConditionError, explain, matching, parse
from accounts.models import Account, CustomField
from common.sql import rows
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    FeatureFactory,
    PlanFactory,
    PlanFeatureFactory,
    RollingUsageFactory,
    SegmentFactory,
    StageFactory,
    SubscriptionFactory,
    TicketFactory,
    TouchpointFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def leaf(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def matched(condition: Any) -> set[str]:
    return set(matching(Account.objects.all(), condition, now=NOW).values_list("name", flat=True))


def test_every_attribute_computes_when_all_are_asked_at_once() -> None:
    feature = FeatureFactory(key="messaging")
    CustomField.objects.create(key="score", label="Score", type="number")
    CustomField.objects.create(key="since", label="Since", type="date")
    account = AccountFactory(
        owner=UserFactory(), stage=StageFactory(), plan=PlanFactory(), custom={"score": 3, "since": "2026-01-01"}
    )
    RollingUsageFactory(account=account, feature=feature)
    catalogue = Catalogue()
    everything = [attribute for attribute in catalogue.values() if attribute.key != "segment"]

    facts = read_facts(everything, [account.pk], context=Context.at(NOW))

    assert facts[account.pk]["custom.score"].value == 3
    assert facts[account.pk]["custom.since"].value == date(2026, 1, 1)
    assert len(facts[account.pk]) == len(everything)


def test_usage_of_a_feature_has_no_value_when_the_plan_leaves_it_out() -> None:
    messaging, reports = FeatureFactory(key="messaging"), FeatureFactory(key="reports")
    basic = PlanFactory()
    PlanFeatureFactory(plan=basic, feature=reports)
    with_it = AccountFactory(name="with", plan=None)
    without = AccountFactory(name="without", plan=basic)
    silent = AccountFactory(name="never heard", plan=None)
    for account in (with_it, without):
        ActivityFactory(account=account)

    assert matched(leaf("usage.messaging.28d", "lt", 5)) == {"with"}
    assert matched(leaf("usage.messaging.28d", "is_missing")) == {"without", "never heard"}
    found = read_facts(
        [Catalogue()["usage.messaging.28d"]], [with_it.pk, without.pk, silent.pk], context=Context.at(NOW)
    )
    assert found[with_it.pk]["usage.messaging.28d"].value == 0
    assert not found[without.pk]["usage.messaging.28d"].applies
    assert found[silent.pk]["usage.messaging.28d"].applies
    assert messaging.pk != reports.pk


def test_accounts_match_when_the_tree_holds() -> None:
    anna = UserFactory(email="anna@example.com")
    big = AccountFactory(name="big", seats=200, country="BG", owner=anna, tags=["vip", "beta"])
    AccountFactory(name="small", seats=3, country="CN")
    AccountFactory(name="unknown")
    SubscriptionFactory(account=big, mrr="2500.50", renews_on=NOW.date() + timedelta(days=20))
    TicketFactory(account=big, priority="urgent")
    TouchpointFactory(account=big, happened_at=NOW - timedelta(days=40))
    ContactFactory(account=big, role="champion")

    assert matched({"all": []}) == {"big", "small", "unknown"}
    assert matched({"any": []}) == set()
    assert matched(leaf("seats", "gte", 100)) == {"big"}
    assert matched({"not": leaf("seats", "gte", 100)}) == {"small", "unknown"}
    assert matched({"any": [leaf("country", "is", "CN"), leaf("owner", "is", "anna@example.com")]}) == {"big", "small"}
    assert matched({"all": [leaf("tags", "has_all", ["vip"]), leaf("tags", "has_none", ["x"])]}) == {"big"}
    assert matched(leaf("name", "contains", "%")) == set()
    assert matched(leaf("name", "starts_with", "BI")) == {"big"}
    assert matched(leaf("mrr", "between", [2500, 2501])) == {"big"}
    assert matched(leaf("mrr", "eq", 0)) == {"small", "unknown"}
    assert matched(leaf("days_to_renewal", "lte", 20)) == {"big"}
    assert matched(leaf("renewal_on", "in_next_days", 20)) == {"big"}
    assert matched(leaf("renewal_on", "in_next_days", 19)) == set()
    assert matched(leaf("tickets.open_urgent", "gt", 0)) == {"big"}
    assert matched(leaf("touch.days_since", "gte", 40)) == {"big"}
    assert matched(leaf("contacts.champions", "eq", 0)) == {"small", "unknown"}


def test_segment_leaf_is_the_segments_own_condition() -> None:
    AccountFactory(name="big", seats=200)
    AccountFactory(name="small", seats=3)
    SegmentFactory(key="large", condition=leaf("seats", "gt", 100))
    SegmentFactory(key="rest", condition={"not": leaf("segment", "in", ["large"])})

    assert matched(leaf("segment", "in", ["large"])) == {"big"}
    assert matched(leaf("segment", "not_in", ["large"])) == {"small"}
    assert matched(leaf("segment", "in", ["rest"])) == {"small"}
    assert matched(leaf("segment", "in", ["rest", "large"])) == {"small", "big"}


def test_condition_is_refused_when_a_segment_depends_on_itself() -> None:
    SegmentFactory(key="a", condition=leaf("segment", "in", ["b"]))
    SegmentFactory(key="b", condition={"not": leaf("segment", "in", ["a"])})

    with pytest.raises(ConditionError, match="depend on itself"):
        matched(leaf("segment", "in", ["a"]))


@pytest.mark.parametrize(
    ("condition", "code", "place"),
    [
        (leaf("seets", "gt", 1), "condition_unknown_attribute", "attribute"),
        (leaf("seats", "contains", "1"), "condition_unknown_operator", "operator"),
        (leaf("seats", "gt", "many"), "condition_wrong_value", "value"),
        (leaf("seats", "gt", True), "condition_wrong_value", "value"),
        (leaf("seats", "gt", float("nan")), "condition_wrong_value", "value"),
        (leaf("seats", "gt", 10**400), "condition_wrong_value", "value"),
        (leaf("name", "is", "a\x00b"), "condition_wrong_value", "value"),
        (leaf("stage", "is", "nowhere"), "condition_wrong_value", "value"),
        (leaf("customer_since", "before", "yesterday"), "condition_wrong_value", "value"),
        (leaf("name__regex", "is", "x"), "condition_unknown_attribute", "attribute"),
        ({"all": [leaf("seats", "gt", 1), {"any": 3}]}, "condition_not_a_list", "all[1].any"),
        ({"_connector": "OR"}, "condition_unknown_key", "condition"),
        ([], "condition_not_an_object", "condition"),
        ({"attribute": ["seats"], "operator": {}}, "condition_unknown_attribute", "attribute"),
    ],
)
def test_condition_is_refused_with_its_place_when_it_is_wrong(condition: Any, code: str, place: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse(condition)

    assert refused.value.code == code
    assert list(refused.value.fields) == [place]


def test_close_attributes_are_offered_when_the_key_is_mistyped() -> None:
    with pytest.raises(ConditionError, match="Did you mean seats"):
        parse(leaf("seets", "gt", 1))


def test_condition_is_refused_when_it_is_too_deep_or_too_large() -> None:
    deep: Any = leaf("seats", "gt", 1)
    for _ in range(5000):
        deep = {"not": deep}
    with pytest.raises(ConditionError) as refused:
        parse(deep)
    assert refused.value.code == "condition_too_deep"
    with pytest.raises(ConditionError) as refused:
        parse({"any": [leaf("seats", "gt", n) for n in range(10_000)]})
    assert refused.value.code == "condition_too_large"


def test_explanation_says_what_each_leaf_found() -> None:
    big = AccountFactory(seats=200)
    unknown = AccountFactory()
    condition = {"all": [leaf("seats", "gt", 100), {"not": leaf("mrr", "gt", 10)}]}

    with CaptureQueriesContext(
        connection,
    ) as queries:
        explained = explain(condition, [big.pk, unknown.pk], now=NOW)

    assert len([q for q in queries if "accounts_account" in q["sql"]]) == 1
    assert explained[big.pk].holds
    assert [(f.leaf.path, f.found, f.holds) for f in explained[big.pk].findings] == [
        ("all[0]", 200, True),
        ("all[1].not", 0, False),
    ]
    assert not explained[unknown.pk].holds
    assert explained[unknown.pk].findings[0].found is None


def test_scope_narrows_every_source() -> None:
    accounts = [AccountFactory() for _ in range(3)]
    for account in accounts:
        TicketFactory(account=account)
    relation = facts_relation([Catalogue()["tickets.open"]], scope=Scope.ids([accounts[1].pk]), context=Context.at(NOW))

    assert [row[:2] for row in rows(relation.sql)] == [(accounts[1].pk, 1)]
    assert relation.sql.text.count("= ANY(%s::bigint[])") == 2
