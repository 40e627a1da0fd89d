"""Mappings that cannot be used: one sentence says what is wrong with them, and nothing is taken."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account, CustomField
from common.errors import DomainError
from integrations.services.mappings import read_mapping
from tests.integrations.files import ACCOUNTS, refusals, take, write

pytestmark = pytest.mark.django_db

FIELDS: dict[str, Any] = ACCOUNTS["fields"]

MAPPINGS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no importer": ({"importer": "spaceships"}, "unknown_importer", "accounts, contacts"),
    "unknown key": ({"colums": {}}, "mapping_refused", "colums"),
    "wrong type": ({"fields": {"name": 7}}, "mapping_refused", "$.fields"),
    "unknown field": ({"fields": FIELDS | {"colour": "seats"}}, "unknown_field", "colour"),
    "missing field": ({"fields": {"external_id": "id"}}, "missing_field", "name"),
    "unknown column": ({"fields": FIELDS | {"industry": "trade"}}, "missing_column", "trade"),
    "two origins": (
        {"fields": FIELDS | {"industry": {"column": "name", "value": "x"}}},
        "bad_field",
        "industry: give exactly one",
    ),
    "unknown look-up": ({"fields": FIELDS | {"plan": {"from": "deal.plan"}}}, "bad_field", "deal.plan"),
    "unknown fact": (
        {
            "look_up": {"deal": {"reference": "subscription", "column": "id"}},
            "fields": FIELDS | {"plan": {"from": "deal.colour"}},
        },
        "bad_field",
        "started_on",
    ),
    "unknown reference": (
        {"look_up": {"x": {"reference": "deal", "column": "id"}}},
        "unknown_reference",
        "subscription",
    ),
    "made owner": (
        {"fields": FIELDS | {"owner": {"column": "name", "create_missing": True}}},
        "cannot_create",
        "owner",
    ),
    "rule without a verdict": ({"rules": [{"code": "x"}]}, "bad_rule", "refuse"),
    "rule on nothing": ({"rules": [{"refuse": ["seats", "before", "moon.rise"]}]}, "bad_rule", "moon.rise"),
    "rule of another kind": ({"rules": [{"refuse": ["seats", "like", "name"]}]}, "mapping_refused", "rules"),
    "rule on two kinds": ({"rules": [{"refuse": ["seats", "before", "name"]}]}, "bad_rule", "seats with name"),
    "plus on a number": (
        {"fields": FIELDS | {"seats": {"column": "seats", "plus": {"column": "seats", "unit": "days"}}}},
        "bad_field",
        "seats",
    ),
    "long delimiter": ({"delimiter": "::"}, "bad_delimiter", "one character"),
    "no encoding": ({"encoding": "klingon"}, "unknown_encoding", "utf-8"),
    "no text encoding": ({"encoding": "base64"}, "unknown_encoding", "utf-8"),
    "bad custom key": (
        {"declare": {"custom.a b": {"label": "x", "type": "text"}}},
        "cannot_declare",
        "custom.a b",
    ),
}


@pytest.mark.parametrize(("change", "code", "word"), MAPPINGS.values(), ids=MAPPINGS.keys())
def test_nothing_is_taken_when_the_mapping_is_wrong(
    tmp_path: Path, change: dict[str, Any], code: str, word: str
) -> None:
    path = write(tmp_path / "customers.csv", "id,name,seats\nA-1,Boyana,3\n")

    with pytest.raises(DomainError) as caught:
        take(path, ACCOUNTS | change)

    assert caught.value.code == code
    assert word in caught.value.message
    assert not Account.objects.exists()
    assert not CustomField.objects.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '{"importer": "accounts",}'])
def test_mapping_is_refused_when_it_is_not_a_json_object(tmp_path: Path, text: str) -> None:
    with pytest.raises(DomainError) as caught:
        read_mapping(write(tmp_path / "mapping.json", text))
    assert caught.value.code == "mapping_not_json"
    assert "mapping.json" in caught.value.message


def test_mapping_is_refused_when_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="cannot be opened"):
        read_mapping(tmp_path / "mapping.json")


def test_declared_type_must_agree_when_the_field_exists(tmp_path: Path) -> None:
    CustomField.objects.create(key="tier", label="Tier", type="number")

    with pytest.raises(DomainError, match="exists with the type number"):
        take(
            write(tmp_path / "customers.csv", "id,name,seats\n"),
            ACCOUNTS | {"declare": {"custom.tier": {"label": "Tier", "type": "text"}}},
        )


def test_cells_are_translated_joined_and_defaulted_when_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = {
        "importer": "accounts",
        "delimiter": ";",
        "fields": {
            "external_id": {"columns": ["region", "number"]},
            "name": "name",
            "touch_model": {"column": "tier", "translate": {"A": "high_touch"}, "default": "self_service"},
            "customer_since": {"column": "since", "format": ["%d.%m.%Y", "%d/%m/%y"]},
            "industry": {"value": "Retail"},
        },
    }
    text = "region;number;name;tier;since\nEU;1;Boyana;A;31.01.2024\nEU;2;Rila;;01/02/24\nEU;3;Pirin;B;2024-01-01\n"

    run = take(write(tmp_path / "customers.csv", text), mapping)

    found = {a.external_id: (a.touch_model, str(a.customer_since), a.industry) for a in Account.objects.all()}
    assert found == {"EU/1": ("high_touch", "2024-01-31", "Retail"), "EU/2": ("self_service", "2024-02-01", "Retail")}
    assert refusals(run) == [(4, "tier", "not_a_choice")]
