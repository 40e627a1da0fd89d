"""A condition as rows of attribute, operator and value, all or any of which must hold: what a form without scripts can
edit. Conditions that are nested more deeply stay JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Catalogue, Type
from accounts.attributes.registry import choices_of
from accounts.conditions.operators import operators_for
from common.curves.decimals import read_decimal, write_decimal

EVERYWHERE, ALL, ANY, JSON = "everywhere", "all", "any", "json"
MOST_ROWS = 20
LISTS = frozenset({"in", "not_in", "has_any", "has_all", "has_none"})
DAYS = frozenset({"in_next_days", "in_last_days", "over_days_ago"})
NOTHING = frozenset({"is_known", "is_missing"})


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One comparison as typed; a list has several ``values``, ``between`` two, others one or none."""

    attribute: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    error: str = ""

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def second(self) -> str:
        return self.values[1] if len(self.values) > 1 else ""


@dataclass(frozen=True, slots=True)
class OfferedRow:
    """A row with what it may be: the operators of its attribute, and how its value is typed."""

    row: ConditionRow
    operators: list[tuple[str, str]]
    kind: str
    choices: list[tuple[str, str]]
    unit: str


@dataclass(frozen=True, slots=True)
class ConditionRows:
    """A condition in a form: ``mode`` says whether all or any rows must hold, or that it is ``text`` as JSON.

    ``name`` is what the names of its controls begin with; letters, digits and underscores.
    """

    mode: str
    rows: tuple[ConditionRow, ...] = ()
    text: str = ""
    name: str = "when"

    @classmethod
    def of(cls, condition: Any, *, name: str = "when") -> ConditionRows:
        """The rows of a condition (JSON); None holds everywhere."""
        if condition is None:
            return cls(EVERYWHERE, name=name)
        kind = next((kind for kind in (ALL, ANY) if isinstance(condition, dict) and set(condition) == {kind}), "")
        parts = condition[kind] if kind else [condition]
        if all(isinstance(part, dict) and "attribute" in part for part in parts):
            return cls(kind or ALL, tuple(_row_of(part) for part in parts), name=name)
        return cls(JSON, text=json.dumps(condition, ensure_ascii=False, indent=1), name=name)

    @classmethod
    def typed(cls, data: QueryDict, *, name: str = "when") -> ConditionRows:
        """What a form has sent."""
        count = min(sum(sent.startswith(f"{name}_attribute_") for sent in data), MOST_ROWS)
        rows = [
            ConditionRow(
                data.get(f"{name}_attribute_{place}", ""),
                data.get(f"{name}_operator_{place}", ""),
                tuple(data.getlist(f"{name}_value_{place}")),
            )
            for place in range(count)
        ]
        mode = data.get(name, EVERYWHERE)
        text = data.get(f"{name}_json", "")
        return cls(mode if mode in (ALL, ANY, JSON) else EVERYWHERE, tuple(rows), text, name)

    def asked(self, button: str) -> ConditionRows:
        """The rows after a button was pressed: ``add-<name>`` adds one, ``drop-<name>-<place>`` drops the one there."""
        verb, _dash, rest = button.partition("-")
        name, _dash, place = rest.partition("-")
        rows = list(self.rows)
        if name != self.name:
            return self
        if verb == "add" and len(rows) < MOST_ROWS:
            rows.append(ConditionRow())
        elif verb == "drop" and place.isascii() and place.isdigit() and int(place) < len(rows):
            del rows[int(place)]
        return replace(self, rows=tuple(rows))

    def condition(self, catalogue: Catalogue) -> Any:
        """The condition (JSON) that was typed; raises ValueError with a sentence when it is not JSON."""
        if self.mode == EVERYWHERE:
            return None
        if self.mode == JSON:
            try:
                return json.loads(self.text)
            except (ValueError, RecursionError):
                raise ValueError(_("This is not JSON; check its quotes, commas and brackets.")) from None
        chosen = [row for row in self.rows if row.attribute]
        if not chosen:
            raise ValueError(_("Choose at least one thing to look at, or let it apply everywhere."))
        leaves = [_leaf(row, catalogue.get(row.attribute)) for row in chosen]
        return leaves[0] if len(leaves) == 1 else {self.mode: leaves}

    def with_error(self, fields: Mapping[str, str]) -> ConditionRows:
        """The rows with what is wrong with a condition, by its path such as ``all[1].value``."""
        said = {}
        for path, sentence in fields.items():
            place = path.partition("[")[2].partition("]")[0]
            # The only row stands without a group around it.
            said[int(place) if place.isdigit() else 0] = sentence
        chosen = [n for n, row in enumerate(self.rows) if row.attribute]
        at = {chosen[place]: sentence for place, sentence in said.items() if place < len(chosen)}
        return replace(self, rows=tuple(replace(row, error=at.get(n, "")) for n, row in enumerate(self.rows)))

    def offered(self, catalogue: Catalogue) -> list[OfferedRow]:
        """The rows with what each may be; an empty one where there is none."""
        return [_offer(row, catalogue.get(row.attribute)) for row in self.rows or (ConditionRow(),)]


def _row_of(leaf: Mapping[str, Any]) -> ConditionRow:
    given = leaf.get("value")
    every = given if isinstance(given, list) else [] if given is None else [given]
    return ConditionRow(str(leaf["attribute"]), str(leaf.get("operator", "")), tuple(map(_written, every)))


def _written(one: Any) -> str:
    if isinstance(one, bool):
        return "true" if one else "false"
    return write_decimal(one) if isinstance(one, int | float) else str(one)


def _leaf(row: ConditionRow, attribute: Attribute | None) -> dict[str, Any]:
    """The leaf of a row; what cannot be read stays as typed, for the parser to refuse at its place."""
    leaf: dict[str, Any] = {"attribute": row.attribute, "operator": row.operator}
    if row.operator in NOTHING:
        return leaf
    read = [_read(one, row.operator, attribute) for one in row.values if one.strip()]
    if row.operator in LISTS:
        several = (
            [part.strip() for one in row.values for part in one.split(",") if part.strip()]
            if attribute and attribute.type in (Type.TEXT, Type.TAGS)
            else [one for one in row.values if one]
        )
        return {**leaf, "value": several}
    if row.operator == "between":
        return {**leaf, "value": read}
    return {**leaf, "value": read[0] if read else None}


def _read(one: str, operator: str, attribute: Attribute | None) -> Any:
    if attribute is None:
        return one
    if operator in DAYS or attribute.type.is_numeric:
        number = read_decimal(one)
        if number is None:
            return one
        return int(number) if number == int(number) else number
    if attribute.type == Type.BOOLEAN:
        return {"true": True, "false": False}.get(one, one)
    return one


def _offer(row: ConditionRow, attribute: Attribute | None) -> OfferedRow:
    if attribute is None:
        return OfferedRow(row, [], "none", [], "")
    operators = operators_for(attribute.type)
    chosen = row.operator if row.operator in operators else next(iter(operators))
    choices = [(str(key), str(label)) for key, label in choices_of(attribute).items()]
    kind = _kind(chosen, attribute, bool(choices))
    if attribute.type == Type.BOOLEAN:
        choices = [("true", _("yes")), ("false", _("no"))]
    return OfferedRow(
        replace(row, operator=chosen),
        [(key, str(operator.label)) for key, operator in operators.items()],
        kind,
        choices,
        _("days") if chosen in DAYS else str(attribute.unit or ("%" if attribute.type == Type.PERCENT else "")),
    )


def _kind(operator: str, attribute: Attribute, has_choices: bool) -> str:
    """How the value is typed: ``none``, ``number``, ``range``, ``choice``, ``choices``, ``date`` or ``text``."""
    if operator in NOTHING:
        return "none"
    if operator == "between":
        return "range"
    if operator in DAYS or attribute.type.is_numeric:
        return "number"
    if has_choices:
        return "choices" if operator in LISTS else "choice"
    if attribute.type == Type.BOOLEAN:
        return "choice"
    return "date" if attribute.type in (Type.DATE, Type.DATETIME) else "text"


def grouped(attributes: Iterable[Attribute]) -> list[tuple[str, list[Attribute]]]:
    """Attributes by group, each in the order of its label."""
    groups: dict[str, list[Attribute]] = {}
    for attribute in attributes:
        groups.setdefault(str(attribute.group), []).append(attribute)
    return [(group, sorted(some, key=lambda one: str(one.label))) for group, some in groups.items()]
