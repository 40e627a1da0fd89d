"""What was typed into the rows of a curve, and the curve that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from common.curves.decimals import read_decimal, write_decimal
from common.curves.shape import FULL, Kind, Shape

LIMIT = 1e15
MOST_ROWS = 50
ADDED_ROWS = 3
LEAST = {Kind.LINE: 2, Kind.BANDS: 1, Kind.CHOICES: 1}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as typed: a value, or the name of a choice, and its points. A spare one waits for who has no script."""

    value: str = ""
    points: str = ""
    is_spare: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.value.strip() and not self.points.strip()


@dataclass(frozen=True, slots=True)
class Typed:
    """A curve as typed. ``asked`` is ``add`` or ``drop-<row>`` when a button for rows was pressed, not the form's."""

    kind: Kind
    rows: tuple[Row, ...] = ()
    below: str = ""
    asked: str = ""

    @classmethod
    def of(cls, raw: Any, choices: Sequence[str] | None) -> Typed:
        """The rows of a curve from its JSON, one for each choice where there are choices."""
        shape = Shape.parse(raw)
        if choices is not None:
            points_of = shape.points_of if shape else {}
            names = [*choices, *(name for name in points_of if name not in choices)]
            shown = {name: write_decimal(points) for name, points in points_of.items()}
            return cls(Kind.CHOICES, tuple(Row(name, shown.get(name, "")) for name in names))
        if shape is None or shape.kind == Kind.CHOICES:
            return cls(Kind.LINE)
        rows = tuple(Row(write_decimal(value), write_decimal(points)) for value, points in shape.knots)
        return cls(shape.kind, rows, write_decimal(shape.below) if shape.kind == Kind.BANDS else "")

    def with_rows(self) -> Typed:
        """What was typed, with the rows that were asked for added or gone."""
        rows = list(self.rows)
        verb, _dash, place = self.asked.partition("-")
        if verb == "add":
            rows += [Row()] * max(min(ADDED_ROWS, MOST_ROWS - len(rows)), 0)
        elif verb == "drop" and place.isascii() and place.isdigit() and int(place) < len(rows):
            del rows[int(place)]
        return replace(self, rows=tuple(rows))

    def with_spares(self) -> Typed:
        """What was typed, closed up, with a few empty rows after it; as it is when rows had been asked for."""
        if self.asked or self.kind == Kind.CHOICES:
            return self
        kept = [row for row in self.rows if not row.is_empty]
        kept += [Row()] * (LEAST[self.kind] - len(kept))
        return replace(self, rows=(*kept, *(Row(is_spare=True),) * ADDED_ROWS))


@dataclass(slots=True)
class Reading:
    """A curve of the rows that can be read, and what is wrong: sentences by row, at "below", and about the whole."""

    curve: Any = None
    at: dict[int, str] = field(default_factory=dict)
    below: str = ""
    whole: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Everything that is wrong, for the field as a whole."""
        marked = [_("Correct the rows that are marked.")] if self.at or self.below else []
        return marked + self.whole


def read_curve(typed: Typed, choices: Mapping[str, str] | None = None) -> Reading:
    """The curve of what was typed: rows in any order, empty ones left out. ``choices`` are names and labels."""
    reading = Reading()
    if typed.kind == Kind.CHOICES:
        named = _choices(typed, choices or {}, reading)
        if not named and not reading.at:
            reading.whole.append(_("Give points for one value at least."))
        reading.curve = named
    else:
        knots = _knots(typed, reading)
        if len(knots) < LEAST[typed.kind] and not reading.at:
            reading.whole.append(
                _("Give two rows at least: a line runs from one to the next.")
                if typed.kind == Kind.LINE
                else _("Give one band at least.")
            )
        reading.curve = [list(knot) for knot in knots]
        if typed.kind == Kind.BANDS:
            below = _points(typed.below)
            reading.below = below if isinstance(below, str) else ""
            reading.curve = {"below": 0.0 if reading.below else below, "steps": reading.curve}
    if len([row for row in typed.rows if not row.is_empty]) > MOST_ROWS:
        reading.whole.append(_("Give %(most)s rows at most.") % {"most": MOST_ROWS})
    return reading


def _choices(typed: Typed, choices: Mapping[str, str], reading: Reading) -> dict[str, float]:
    named: dict[str, float] = {}
    for place, row in enumerate(typed.rows):
        if not row.points.strip():
            continue
        points = _points(row.points)
        if row.value not in choices:
            reading.at[place] = _("This is no longer one of the values; remove its points.")
        elif isinstance(points, str):
            reading.at[place] = points
        else:
            named[row.value] = points
    return named


def _knots(typed: Typed, reading: Reading) -> list[tuple[float, float]]:
    points_at: dict[float, float] = {}
    for place, row in enumerate(typed.rows):
        if row.is_empty:
            continue
        value, points = _value(row.value), _points(row.points)
        if isinstance(value, str) or isinstance(points, str):
            wrong = dict.fromkeys(one for one in (value, points) if isinstance(one, str))
            reading.at[place] = " ".join(wrong)
        elif value in points_at:
            reading.at[place] = _("%(value)s is there twice; keep one of them.") % {"value": row.value.strip()}
        else:
            points_at[value] = points
    return sorted(points_at.items())


def _value(text: str) -> float | str:
    if not text.strip():
        return _("Give a value, or remove the points too.")
    value = read_decimal(text)
    if value is None:
        return _("“%(text)s” is not a number; write one such as 12 or %(example)s.") % {
            "text": text.strip()[:30],
            "example": write_decimal(12.5),
        }
    if not abs(value) <= LIMIT:
        return _("Give a value between −10¹⁵ and 10¹⁵.")
    return value


def _points(text: str) -> float | str:
    points = read_decimal(text)
    return points if points is not None and 0 <= points <= FULL else _("Give points from 0 to 100.")
