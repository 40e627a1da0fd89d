"""A curve that can be drawn and read, from its JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

FULL = 100
THIRDS = (40, 70)
"""Points from which a measure is no longer poor, and from which it is good."""


class Kind(StrEnum):
    """The three shapes."""

    LINE = "line"
    BANDS = "bands"
    CHOICES = "choices"


@dataclass(frozen=True, slots=True)
class Shape:
    """A curve: ``knots`` of a line or starts of bands as (value, points), or the points of each choice."""

    kind: Kind
    knots: tuple[tuple[float, float], ...] = ()
    below: float = 0.0
    points_of: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: Any) -> Shape | None:
        """The shape of ``raw`` (see the package); None for what is none, since drawings are no place to complain."""
        try:
            if isinstance(raw, list) and raw:
                return cls(Kind.LINE, _knots(raw))
            if isinstance(raw, Mapping) and isinstance(raw.get("steps"), list):
                return cls(Kind.BANDS, _knots(raw["steps"]), float(raw.get("below") or 0))
            if isinstance(raw, Mapping) and raw:
                return cls(Kind.CHOICES, points_of={str(name): float(points) for name, points in raw.items()})
        except (TypeError, ValueError):
            return None
        return None

    def points(self, found: float | str) -> float | None:
        """The points of one value; None for a choice without points."""
        if isinstance(found, str):
            return self.points_of.get(found)
        if self.kind == Kind.BANDS:
            return next((points for start, points in reversed(self.knots) if start <= found), self.below)
        if not self.knots:
            return None
        if found <= self.knots[0][0]:
            return self.knots[0][1]
        for (low, start), (high, end) in pairwise(self.knots):
            if found < high:
                return start + (found - low) * (end - start) / (high - low)
        return self.knots[-1][1]

    def outline(self, low: float, high: float) -> Iterator[tuple[float, float]]:
        """The corners of the curve between two values, in order."""
        at = self.points(low) or 0.0
        yield low, at
        for value, points in self.knots:
            if low < value < high:
                if self.kind == Kind.BANDS:
                    yield value, at
                yield value, points
                at = points
        yield high, (at if self.kind == Kind.BANDS else self.points(high) or 0.0)

    def cuts(self) -> list[float]:
        """Values between which the points stay within one third (see THIRDS), ascending."""
        found = {value for value, _points in self.knots}
        if self.kind == Kind.LINE:
            for (low, start), (high, end) in pairwise(self.knots):
                crossed = [edge for edge in THIRDS if min(start, end) < edge < max(start, end)]
                found.update(low + (edge - start) * (high - low) / (end - start) for edge in crossed)
        return sorted(found)


def third(points: float) -> int:
    """0 for poor, 1 for middling, 2 for good points."""
    return sum(points >= edge for edge in THIRDS)


def _knots(raw: list[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(value), float(points)) for value, points in sorted(raw))
