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
class Table:
    """Points by the value of a choice or of a yes-or-no; a value that it does not name counts as missing."""

    points_of: tuple[tuple[str, float], ...]

    def points(self, found: str) -> float | None:
        """The points of one value."""
        return dict(self.points_of).get(found)

    def sql(self, column: str) -> SQL:
        """The points as an expression over a text column that is not null; null for a value without points."""
        branches = [SQL(f"WHEN {{}} THEN {number(points)}").format(value(name)) for name, points in self.points_of]
        return SQL(f"CASE {column} {{}} END").format(join(" ", branches))


Curve: TypeAlias = Line | Table


def parse_curve(raw: Any, attribute: Attribute) -> Curve:
    """The curve that ``raw`` (JSON) describes over ``attribute``.

    A number takes a list of ``[value, points]``, a choice or a yes-or-no an object from value to points.
    Raises BadCurve.
    """
    if attribute.type.is_numeric:
        return _line(raw)
    if attribute.type in (Type.BOOLEAN, Type.CHOICE):
        return _table(raw)
    raise BadCurve(_("Only a number, a choice or a yes-or-no can be scored; choose another attribute."))


def check_named(curve: Curve, attribute: Attribute) -> None:
    """Raise BadCurve when the curve names a value that the attribute cannot have today."""
    if isinstance(curve, Line):
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
    return Line(tuple(knots))


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
