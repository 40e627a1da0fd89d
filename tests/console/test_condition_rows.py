"""A condition as rows of a form: what is kept comes back as it was, and rows say what each may be."""

from typing import Any

import pytest
from django.http import QueryDict

from accounts.attributes import Catalogue
from accounts.conditions import parse
from accounts.models import CustomField
from console.forms.condition_rows import ConditionRows
from tests.factories import PlanFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def leaf(attribute: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, **({"value": value[0]} if value else {})}


@pytest.fixture(autouse=True)
def _rows() -> None:
    PlanFactory(key="team", name="Team")
    PlanFactory(key="pro", name="Pro")
    SegmentFactory(key="large", name="Large")
    CustomField.objects.create(key="live_on", label="Live on", type=CustomField.Type.DATE)


def posted(rows: ConditionRows) -> ConditionRows:
    """The rows after a form has shown them and sent them back unchanged."""
    data = QueryDict(mutable=True)
    data["when"] = rows.mode
    data["when_json"] = rows.text
    for place, offered in enumerate(rows.offered(Catalogue())):
        data[f"when_attribute_{place}"] = offered.row.attribute
        data[f"when_operator_{place}"] = offered.row.operator
        data.setlist(f"when_value_{place}", list(offered.row.values))
    return ConditionRows.typed(data)


@pytest.mark.parametrize(
    "condition",
    [
        None,
        leaf("seats", "gte", 50),
        leaf("seats", "lt", 2.5),
        {"all": [leaf("plan", "in", ["team", "pro"]), leaf("seats", "between", [5, 10])]},
        {"any": [leaf("is_live", "is", True), leaf("nps.last", "is_known"), leaf("segment", "not_in", ["large"])]},
        {"all": [leaf("custom.live_on", "in_last_days", 30), leaf("custom.live_on", "after", "2026-01-31")]},
        {"all": [leaf("tags", "has_any", ["a", "b"]), leaf("name", "contains", "Ltd")]},
        {"not": leaf("seats", "gte", 50)},
        {"all": [{"any": [leaf("seats", "gte", 50)]}]},
    ],
)
def test_condition_comes_back_as_it_was_when_nothing_is_changed(condition: Any) -> None:
    catalogue = Catalogue()
    if condition is not None:
        parse(condition, catalogue=catalogue)

    assert posted(ConditionRows.of(condition)).condition(catalogue) == condition


def test_rows_offer_what_their_attribute_can_be() -> None:
    offered = ConditionRows(
        "all",
        ConditionRows.of({"all": [leaf("plan", "is", "team"), leaf("seats", "gone", 1), leaf("gone", "is", 1)]}).rows,
    ).offered(Catalogue())

    assert (offered[0].kind, offered[0].choices) == ("choice", [("pro", "Pro"), ("team", "Team")])
    assert (offered[1].kind, offered[1].row.operator) == ("number", "eq")
    assert (offered[2].kind, offered[2].operators) == ("none", [])


def test_mistake_is_said_at_its_row_though_empty_rows_stand_before_it() -> None:
    data = QueryDict(mutable=True)
    data.update({"when": "all", "when_attribute_0": "", "when_attribute_1": "seats", "when_operator_1": "gte"})
    data.setlist("when_value_1", ["many"])
    rows = ConditionRows.typed(data)

    assert rows.condition(Catalogue()) == leaf("seats", "gte", "many")
    assert [row.error for row in rows.with_error({"value": "Give a number."}).rows] == ["", "Give a number."]
    data.update({"when_attribute_0": "seats", "when_operator_0": "gte"})
    data.setlist("when_value_0", ["5"])
    rows = ConditionRows.typed(data)
    assert [row.error for row in rows.with_error({"all[1].value": "Give a number."}).rows] == ["", "Give a number."]


def test_nothing_chosen_and_no_json_are_refused() -> None:
    with pytest.raises(ValueError, match="Choose at least one thing"):
        ConditionRows("any").condition(Catalogue())
    with pytest.raises(ValueError, match="not JSON"):
        ConditionRows("json", text="{").condition(Catalogue())
