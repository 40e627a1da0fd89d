"""From cells to the rows that an importer writes: a chunk at a time, with one look-up a reference and chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from common import clock
from common.cells import NUMBER, Reading, Refusal, shown
from common.importers import REFERENCES, Field, Importer, Known, Occasion, Reference, Row
from common.text import storable
from integrations.services.mappings import FieldSpec, FileMapping, MappingRefused

MOST_ADDED = 1_000_000
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about a row: the columns to look at, a code, and a sentence."""

    line: int
    column: str
    code: str
    message: str


@dataclass(slots=True)
class Draft:
    """A row on its way: its values so far, the keys that it names things by, and those of them still to be made."""

    line: int
    values: dict[str, Any]
    keys: dict[str, str]
    texts: dict[str, str]
    to_make: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Chunk:
    """What a chunk of a file came to: drafts that may be taken, what was refused, and the doubts about the rest."""

    drafts: list[Draft] = field(default_factory=list)
    refused: list[Found] = field(default_factory=list)
    doubts: list[Found] = field(default_factory=list)


class RowReader:
    """Reads rows of one file as one mapping says. The mapping has been checked against the importer and the header."""

    def __init__(
        self, *, mapping: FileMapping, importer: Importer, columns: tuple[str, ...], occasion: Occasion
    ) -> None:
        self.importer = importer
        self.occasion = occasion
        self.rules = mapping.rules
        self.specs = mapping.specs
        self.look_up = mapping.look_up
        self.width = len(columns)
        self.index = {name: at for at, name in enumerate(columns)}
        fields = {known.name: known for known in importer.prepare(self.specs)}
        self.plain = [(fields[name], spec) for name, spec in self.specs.items() if not fields[name].reference]
        self.referring = [(fields[name], spec) for name, spec in self.specs.items() if fields[name].reference]
        self.readings = {name: Reading(occasion.zone, spec.formats) for name, spec in self.specs.items()}
        self.references: dict[str, Reference] = {
            name: REFERENCES[look_up.reference] for name, look_up in self.look_up.items()
        } | {known.name: REFERENCES[known.reference] for known, spec in self.referring if not spec.from_}

    def read(self, lines: Iterable[tuple[int, list[str]]]) -> Chunk:
        """Read a chunk of a file as far as it goes without writing anything."""
        chunk = Chunk()
        drafts: list[Draft] = []
        for line, cells in lines:
            try:
                drafts.append(self._draft(line, cells))
            except Refusal as refusal:
                chunk.refused.append(self.found(line, refusal))
        known = self._load(drafts)
        for draft in drafts:
            try:
                self._resolve(draft, known)
                self.importer.check(draft.values, self.occasion)
                doubts = list(self._judge(draft, known))
            except Refusal as refusal:
                chunk.refused.append(self.found(draft.line, refusal))
            else:
                chunk.drafts.append(draft)
                chunk.doubts += doubts
        return chunk

    def complete(self, drafts: list[Draft]) -> list[Row]:
        """Make what the rows name and does not exist yet, and return the rows as an importer takes them."""
        for name, reference in self.references.items():
            missing = {d.keys[name]: d.texts[name] for d in drafts if name in d.to_make}
            if missing and reference.create:
                reference.create(missing)
                made = reference.load(set(missing))
                for draft in drafts:
                    if name in draft.to_make:
                        draft.values[name] = made[draft.keys[name]]["id"]
        return [Row(draft.line, draft.values) for draft in drafts]

    def found(self, line: int, refusal: Refusal) -> Found:
        """A refusal with the columns that the mapping reads the field from."""
        return Found(line, self._column(refusal.field), refusal.code, refusal.message)

    def _column(self, name: str) -> str:
        spec = self.specs.get(name)
        if spec is None:
            return self.look_up[name].column if name in self.look_up else ""
        if spec.from_:
            return self.look_up[spec.from_.partition(".")[0]].column
        return ", ".join((*spec.reads, spec.plus.column) if spec.plus else spec.reads)

    def _text(self, spec: FieldSpec, cells: list[str]) -> str:
        if spec.value is not None:
            return spec.value
        parts = [cells[self.index[column]].strip() for column in spec.reads]
        text = "/".join(parts) if all(parts) else ""
        return spec.translate.get(text, text) or spec.default

    def _draft(self, line: int, cells: list[str]) -> Draft:
        if len(cells) != self.width:
            raise Refusal(
                "wrong_width",
                _("The row has %(found)d cells and the header %(width)d; look for a missing or unquoted separator.")
                % {"found": len(cells), "width": self.width},
            )
        draft = Draft(line, values={}, keys={}, texts={})
        for known, spec in self.plain:
            try:
                draft.values[known.name] = self._value(known, spec, cells)
            except Refusal as refusal:
                refusal.field = known.name
                raise
        draft.texts = {name: cells[self.index[look_up.column]].strip() for name, look_up in self.look_up.items()}
        draft.texts |= {known.name: self._text(spec, cells) for known, spec in self.referring if not spec.from_}
        for name, text in draft.texts.items():
            if not storable(text):
                raise Refusal("unstorable", _("A NUL or half a character is in the text; remove it."), field=name)
            draft.keys[name] = self.references[name].key(text)
        return draft

    def _value(self, known: Field, spec: FieldSpec, cells: list[str]) -> Any:
        assert known.type is not None  # it is no reference
        text = self._text(spec, cells)
        if not text:
            if known.required:
                raise Refusal("missing", _("The cell is empty; every row needs a value here."))
            return known.type.empty
        value = known.type.read(text, self.readings[known.name])
        if spec.plus is None:
            return value
        amount = cells[self.index[spec.plus.column]].strip()
        if not amount:
            return known.type.empty
        if NUMBER.fullmatch(amount) is None or abs(number := Decimal(amount)) > MOST_ADDED:
            raise Refusal(
                "not_a_number",
                _("%(cell)s in %(column)s is not a number of %(unit)s.")
                % {"cell": shown(amount), "column": spec.plus.column, "unit": spec.plus.unit},
            )
        return value + UNITS[spec.plus.unit] * float(number)

    def _load(self, drafts: list[Draft]) -> dict[str, Mapping[str, Known]]:
        known: dict[str, Mapping[str, Known]] = {}
        for name, reference in self.references.items():
            keys = {key for draft in drafts if (key := draft.keys[name])}
            known[name] = reference.load(keys) if keys else {}
        return known

    def _resolve(self, draft: Draft, known: dict[str, Mapping[str, Known]]) -> None:
        for named, spec in self.referring:
            look_up, _dot, fact = spec.from_.partition(".")
            at = look_up or named.name
            key = draft.keys[at]
            facts = known[at].get(key)
            if facts is not None:
                draft.values[named.name] = facts[fact or "id"]
            elif key and spec.create_missing:
                draft.values[named.name] = None
                draft.to_make.append(named.name)
            elif key or draft.texts.get(at):
                raise Refusal(
                    "unknown_reference",
                    _("There is no %(thing)s %(key)s; import it first, or correct the cell.")
                    % {"thing": self.references[at].name, "key": shown(key or draft.texts[at])},
                    field=at,
                )
            elif named.required:
                raise Refusal("missing", _("The cell is empty; every row needs a value here."), field=at)
            else:
                draft.values[named.name] = None

    def _judge(self, draft: Draft, known: dict[str, Mapping[str, Known]]) -> Iterable[Found]:
        for rule in self.rules:
            left, operator, right = rule.comparison
            one, other = self._operand(left, draft, known), self._operand(right, draft, known)
            try:
                holds = one is not None and other is not None and self._holds(one, operator, other)
            except TypeError as error:
                raise MappingRefused(
                    _("A rule compares %(left)s with %(right)s, which are of different kinds; correct the mapping.")
                    % {"left": left, "right": right},
                    code="bad_rule",
                ) from error
            if not holds:
                continue
            said, known_of = (f"{self._named(o)} {self._shown(v)}" for o, v in ((left, one), (right, other)))
            message = f"{said} {self._words(operator)} {known_of}."
            refusal = Refusal(
                rule.code or operator,
                f"{message} {rule.say}".strip(),
                field=left if left in self.specs else left.partition(".")[0],
            )
            if rule.refuse:
                raise refusal
            yield self.found(draft.line, refusal)

    def _operand(self, operand: str, draft: Draft, known: dict[str, Mapping[str, Known]]) -> Any:
        if operand in draft.values:
            return draft.values[operand]
        name, _dot, fact = operand.partition(".")
        facts = known[name].get(draft.keys[name])
        return facts[fact] if facts else None

    def _holds(self, one: Any, operator: str, other: Any) -> bool:
        if type(one) is not type(other):
            one, other = self._day(one), self._day(other)
        if operator == "differs":
            return bool(one != other)
        return bool(one < other) if operator == "before" else bool(one > other)

    def _day(self, value: Any) -> Any:
        """An instant is compared with a date as the workspace's day."""
        return clock.local_day(value, self.occasion.zone) if isinstance(value, datetime) else value

    def _named(self, operand: str) -> str:
        """A field as the file calls it; what is known of something else as the mapping does."""
        return (self._column(operand) if operand in self.specs else "") or operand

    def _words(self, operator: str) -> str:
        return {"before": _("is before"), "after": _("is after"), "differs": _("differs from")}[operator]

    def _shown(self, value: Any) -> str:
        if isinstance(value, datetime):
            return value.astimezone(self.occasion.zone).strftime("%Y-%m-%d %H:%M")
        if isinstance(value, date):
            return value.isoformat()
        return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else shown(str(value))
