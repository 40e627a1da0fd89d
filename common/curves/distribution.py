"""How a value is spread over the accounts of a company: the picture behind a curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from common.curves.shape import Shape, third

TAIL = 0.01
MARGIN = 0.04
FROM_ZERO = 0.25
"""A range that starts within this part of its end starts at zero instead."""
TALLEST = 2.5
"""A bar higher than so many times the next one is cut, so that the others can be seen."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Accounts with a value from ``start`` (inclusive) to ``end`` (exclusive); when both are equal, with just that."""

    start: float
    end: float
    count: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin as it is drawn: in percent of the drawing's width and height."""

    x: float
    width: float
    height: float
    is_cut: bool
    bin: Bin


@dataclass(frozen=True, slots=True)
class Distribution:
    """Bins of a number or counts of choices, and how many accounts have no value.

    As JSON: ``{"bins": [{"from", "to", "count"}], "missing", "quantiles": {"p5", "p25", "p50", "p75", "p95"}, "min",
    "max"}``, or ``{"counts": {choice: count}, "missing"}``. A bin may have a ``tone`` (good, watch, poor).
    """

    bins: tuple[Bin, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    missing: int = 0
    quantiles: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Distribution | None:
        """The distribution that ``data`` describes; None for none."""
        if not data:
            return None
        bins = (
            Bin(float(one["from"]), float(one["to"]), int(one["count"]), one.get("tone", ""))
            for one in data.get("bins", ())
        )
        known = {name: float(value) for name, value in data.get("quantiles", {}).items() if value is not None}
        return cls(
            bins=tuple(sorted(bins, key=lambda one: one.start)),
            counts=data.get("counts", {}),
            missing=int(data.get("missing") or 0),
            quantiles=known,
        )

    @property
    def total(self) -> int:
        """How many accounts have a value."""
        return sum(one.count for one in self.bins) + sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """The value below which ``share`` of the accounts lie, evenly spread within a bin; None without bins."""
        left = share * self.total
        for one in self.bins:
            if one.count and left <= one.count:
                return one.start + (one.end - one.start) * left / one.count
            left -= one.count
        return self.bins[-1].end if self.bins else None

    @property
    def gap(self) -> float:
        """The width of a bin that is one value: the least distance between neighbours."""
        steps = [after.start - before.start for before, after in pairwise(self.bins)]
        return min((step for step in steps if step > 0), default=1.0)

    def visible(self, values: Iterable[float] = ()) -> tuple[float, float]:
        """The range to draw: all but the last hundredth at each end, and ``values`` (those of a curve's knots)."""
        ends = [end for end in (self.quantile(TAIL), self.quantile(1 - TAIL)) if end is not None]
        low, high = widened([*ends, *values])
        if any(one.start == one.end for one in self.bins):
            return low - self.gap / 2, high + self.gap / 2
        return low, high

    def bars(self, low: float, high: float) -> list[Bar]:
        """The bins between two values as bars; their areas tell the counts, so bins may differ in width."""
        drawn = []
        for one in self.bins:
            half = self.gap / 2 if one.start == one.end else 0.0
            start, end = max(one.start - half, low), min(one.end + half, high)
            if end > start and one.count:
                drawn.append((start, end, one.count / (one.end - one.start + 2 * half), one))
        heights = sorted((density for _start, _end, density, _bin in drawn), reverse=True)
        top = min(heights[0], TALLEST * heights[1]) if len(heights) > 1 else max(heights, default=1.0)
        return [
            Bar(
                x=(start - low) / (high - low) * 100,
                width=(end - start) / (high - low) * 100,
                height=min(density / top, 1) * 100,
                is_cut=density > top,
                bin=one,
            )
            for start, end, density, one in drawn
        ]

    def beyond(self, low: float, high: float) -> tuple[int, int]:
        """How many accounts lie below and above what is drawn."""
        below = above = 0.0
        for one in self.bins:
            width = one.end - one.start
            under = float(one.start < low) if not width else min(max((low - one.start) / width, 0), 1)
            over = float(one.end > high) if not width else min(max((one.end - high) / width, 0), 1)
            below, above = below + one.count * under, above + one.count * over
        return round(below), round(above)

    def thirds(self, shape: Shape) -> tuple[int, int, int]:
        """How many accounts would get 0 to 39, 40 to 69 and 70 to 100 points; values spread evenly within a bin."""
        found = [0.0, 0.0, 0.0]
        for name, count in self.counts.items():
            points = shape.points(name)
            if points is not None:
                found[third(points)] += count
        cuts = shape.cuts()
        for one in self.bins:
            edges = [one.start, *(cut for cut in cuts if one.start < cut < one.end), one.end]
            for start, end in pairwise(edges):
                part = (end - start) / (one.end - one.start) if one.end > one.start else 1.0
                found[third(shape.points((start + end) / 2) or 0.0)] += one.count * part
        poor, middling = round(found[0]), round(found[0] + found[1])
        return poor, middling - poor, round(sum(found)) - middling


def widened(values: list[float]) -> tuple[float, float]:
    """A range with a margin around the values, or from zero where they come near it."""
    if not values:
        return 0.0, 1.0
    least, most = min(values), max(values)
    if least == most:
        room = abs(least) / 2 or 1.0
        return (0.0 if least == 0 else least - room), most + room
    room = MARGIN * (most - least)
    low = 0.0 if 0 <= least < FROM_ZERO * most else least - room
    return low, most + room
