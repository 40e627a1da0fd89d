"""Curves: from the value of an attribute to points from 0 to 100, the same in Python and in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Type
from accounts.attributes.registry import choices_of
from common.sql import SQL, join, value
from common.text import storable

LIMIT = 1e15
DECIMALS = 9
"""What is finer is rounded away: PostgreSQL refuses a product that is too small for double precision."""
MOST_KNOTS = 50


class BadCurve(Exception):
    """A curve that cannot be used; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A piecewise linear curve through ``knots`` of (value, points), values ascending.

    Between two knots ``points = p0 + (value - v0) * (p1 - p0) / (v1 - v0)``; outside them the nearest one holds.
    """

    knots: tuple[tuple[float, float], ...]

    def points(self, found: float) -> float:
        """The points of one value."""
        if found <= self.knots[0][0]:
            return self.knots[0][1]
        for (low, start), (high, end) in pairwise(self.knots):
            if found < high:
                return start + (found - low) * ((end - start) / (high - low))
        return self.knots[-1][1]

    def sql(self, column: str) -> SQL:
        """The points as an expression over a double precision column that is not null."""
        first, last = self.knots[0], self.knots[-1]
        branches = [f"WHEN {column} <= {number(first[0])} THEN {number(first[1])}"]
        for (low, start), (high, end) in pairwise(self.knots):
            slope = (end - start) / (high - low)
            rise = f" + ({column} - {number(low)}) * {number(slope)}" if slope else ""
            branches.append(f"WHEN {column} < {number(high)} THEN {number(start)}{rise}")
        return SQL(f"CASE {' '.join(branches)} ELSE {number(last[1])} END")


@dataclass(frozen=True, slots=True)
class Steps:
    """Bands of values: from each step's value on its points hold, ``below`` the first one those do."""

    below: float
    steps: tuple[tuple[float, float], ...]

    def points(self, found: float) -> float:
        """The points of one value."""
        held = self.below
        for start, points in self.steps:
            if found < start:
                break
            held = points
        return held

    def sql(self, column: str) -> SQL:
        """The points as an expression over a double precision column that is not null."""
        branches = [f"WHEN {column} >= {number(start)} THEN {number(points)}" for start, points in reversed(self.steps)]
        return SQL(f"CASE {' '.join(branches)} ELSE {number(self.below)} END")


@dataclass(frozen=True, slots=True)
class Table:
    """Points by the value of a choice or of a yes-or-no; a value that it does not name counts as missing.

    A score keeps a value by its place in the table, and one that the table does not name as ``UNNAMED``.
    """

    points_of: tuple[tuple[str, float], ...]

    def points(self, found: float) -> float | None:
        """The points of the value at a place; None for ``UNNAMED``."""
        return self.points_of[int(found)][1] if found >= 0 else None

    def name(self, found: float) -> str | None:
        """The value at a place; None for ``UNNAMED``."""
        return self.points_of[int(found)][0] if found >= 0 else None

    def place(self, column: str) -> SQL:
        """The place of a text column's value as double precision; null stays null."""
        branches = [
            SQL(f"WHEN {{}} THEN {number(place)}").format(value(name))
            for place, (name, _points_of) in enumerate(self.points_of)
        ]
        return SQL(
            f"CASE WHEN {column} IS NULL THEN NULL ELSE CASE {column} {{}} ELSE {number(UNNAMED)} END END"
        ).format(join(" ", branches))

    def sql(self, column: str) -> SQL:
        """The points as an expression over a column of places that is not null; null for ``UNNAMED``."""
        branches = [
            f"WHEN {column} = {number(place)} THEN {number(points)}"
            for place, (_name, points) in enumerate(self.points_of)
        ]
        return SQL(f"CASE {' '.join(branches)} END")


UNNAMED = -1

Curve: TypeAlias = Line | Steps | Table


def parse_curve(raw: Any, attribute: Attribute) -> Curve:
    """The curve that ``raw`` (JSON) describes over ``attribute``.

    A number takes a list of ``[value, points]`` or an object with ``below`` and ``steps``, a choice or a yes-or-no
    an object from value to points. Raises BadCurve.
    """
    if attribute.type.is_numeric:
        return _steps(raw) if isinstance(raw, Mapping) else _line(raw)
    if attribute.type in (Type.BOOLEAN, Type.CHOICE):
        return _table(raw)
    raise BadCurve(_("Only a number, a choice or a yes-or-no can be scored; choose another attribute."))


def read_curve(raw: Any) -> Curve:
    """The curve of a measure that was checked when it was published, whatever became of its attribute since."""
    if isinstance(raw, list):
        return _line(raw)
    return _steps(raw) if isinstance(raw.get("steps"), list) else _table(raw)


def natural_direction(curve: Curve) -> str:
    """The direction that the points of a curve run in: ``higher``, ``lower`` or ``middle``."""
    moves = list(pairwise(_in_order(curve)))
    if all(before <= after for before, after in moves):
        return "higher"
    return "lower" if all(before >= after for before, after in moves) else "middle"


def check_direction(curve: Curve, direction: str) -> None:
    """Raise BadCurve when the points run against the direction that the measure says is better.

    ``higher`` may not fall, ``lower`` may not rise, ``middle`` may rise and then fall. A table has no order.
    """
    moves = list(pairwise(_in_order(curve)))
    falls = [n for n, (before, after) in enumerate(moves) if after < before]
    rises = [n for n, (before, after) in enumerate(moves) if after > before]
    if direction == "higher" and falls:
        raise BadCurve(_("Higher is better here, so the points must not fall; correct them, or the direction."))
    if direction == "lower" and rises:
        raise BadCurve(_("Lower is better here, so the points must not rise; correct them, or the direction."))
    if direction == "middle" and falls and rises and min(falls) < max(rises):
        raise BadCurve(_("The middle is best here, so the points may rise and then fall, but not rise again."))


def _in_order(curve: Curve) -> list[float]:
    """The points of a curve as the value grows; none for a table, which has no order."""
    if isinstance(curve, Table):
        return []
    if isinstance(curve, Steps):
        return [curve.below, *(points for _value, points in curve.steps)]
    return [points for _value, points in curve.knots]


def check_named(curve: Curve, attribute: Attribute) -> None:
    """Raise BadCurve when the curve names a value that the attribute cannot have today."""
    if not isinstance(curve, Table):
        return
    known = {"true": "", "false": ""} if attribute.type == Type.BOOLEAN else choices_of(attribute)
    for name, _points_of in curve.points_of:
        if known and name not in known:
            raise BadCurve(
                _("“%(name)s” is not one of its values; use one of: %(known)s.")
                % {"name": name[:60], "known": ", ".join(list(known)[:20])}
            )


def number(figure: float) -> str:
    """A finite number as an SQL literal of double precision."""
    return f"'{float(figure)!r}'::float8"


def _line(raw: Any) -> Line:
    if not isinstance(raw, list) or not 2 <= len(raw) <= MOST_KNOTS:
        raise BadCurve(_("Give a list of 2 to %(most)s pairs of value and points.") % {"most": MOST_KNOTS})
    return Line(_ascending(raw))


def _steps(raw: Mapping[Any, Any]) -> Steps:
    steps = raw.get("steps")
    if raw.keys() != {"below", "steps"} or not isinstance(steps, list) or not 1 <= len(steps) <= MOST_KNOTS:
        raise BadCurve(
            _("Give bands as “below”, points, and “steps”, a list of 1 to %(most)s pairs of value and points.")
            % {"most": MOST_KNOTS}
        )
    return Steps(_points(raw["below"]), _ascending(steps))


def _ascending(raw: list[Any]) -> tuple[tuple[float, float], ...]:
    knots = []
    for pair in raw:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise BadCurve(_("Give each point of the curve as a pair of value and points."))
        knots.append((_figure(pair[0]), _points(pair[1])))
    for (low, _start), (high, _end) in pairwise(knots):
        if not low < high:
            raise BadCurve(
                _("The values of the curve must ascend; %(high)s comes after %(low)s.") % {"high": high, "low": low}
            )
    return tuple(knots)


def _table(raw: Any) -> Table:
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= MOST_KNOTS:
        raise BadCurve(_("Give an object with the points of 1 to %(most)s values.") % {"most": MOST_KNOTS})
    for name in raw:
        if not isinstance(name, str) or not storable(name):
            raise BadCurve(_("Give each value as a text."))
    return Table(tuple((name, _points(points)) for name, points in raw.items()))


def _figure(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= LIMIT:
        raise BadCurve(_("Give numbers between −10¹⁵ and 10¹⁵ as the values of the curve."))
    return round(float(given), DECIMALS)


def _points(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not (isfinite(given) and 0 <= given <= 100):
        raise BadCurve(_("Give points from 0 to 100."))
    return round(float(given), DECIMALS)
