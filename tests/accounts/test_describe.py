from typing import Any

import pytest

from accounts.conditions import describe
from accounts.conditions.describe import segments_named
from tests.factories import FeatureFactory, PlanFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def leaf(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def test_sentence_names_what_people_know_when_condition_has_keys() -> None:
    FeatureFactory(key="messaging", name="Messaging")
    SegmentFactory(key="ent", name="Enterprise")
    SegmentFactory(key="mid", name="Mid-market")
    low = leaf("usage.messaging.28d", "lt", 10)

    words = describe({"all": [low, leaf("segment", "in", ["ent", "mid"])]}).sentence

    assert words == "Messaging, 28 days is less than 10 and Segment is one of Enterprise, Mid-market"


def test_sentence_has_brackets_when_groups_are_mixed() -> None:
    PlanFactory(key="pro", name="Pro")
    condition = {"all": [leaf("seats", "gte", 50), {"any": [leaf("plan", "is", "pro"), leaf("mrr", "gt", 1000)]}]}

    assert describe(condition).sentence == "Seats is at least 50 and (Plan is Pro or MRR is more than $1,000)"
    assert describe({"not": condition}).sentence.startswith("not (Seats")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"all": []}, "every account"),
        ({"any": []}, "no account"),
        ({"all": [{"all": []}, leaf("seats", "is_missing")]}, "Seats is missing"),
        (leaf("is_live", "is", False), "Is a customer is no"),
        (leaf("seats", "between", [5, 1000]), "Seats is between 5 and 1,000"),
        (leaf("customer_since", "in_last_days", 1), "Customer since is within the last 1 day"),
        (leaf("customer_since", "over_days_ago", 90), "Customer since is more than 90 days ago"),
        (leaf("customer_since", "after", "2026-01-31"), "Customer since is after Jan. 31, 2026"),
    ],
)
def test_sentence_reads_well_when_value_has_a_type(condition: dict[str, Any], words: str) -> None:
    assert describe(condition).sentence == words


def test_problem_is_said_when_condition_names_what_is_gone() -> None:
    phrase = describe(leaf("usage.telepathy.28d", "lt", 10))

    assert phrase.kind == "problem"
    assert "There is no attribute “usage.telepathy.28d”" in phrase.sentence


def test_segments_are_found_when_named_anywhere_in_a_definition() -> None:
    definition = {
        "audience": {"not": leaf("segment", "in", ["a"])},
        "entry": {"condition": {"all": [leaf("segment", "not_in", ["b", "c"]), leaf("name", "is", "d")]}},
    }

    assert segments_named(definition) == {"a", "b", "c"}
