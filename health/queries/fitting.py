"""A curve for an attribute whose scale nobody knows beforehand: laid over the company's own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import Any

from accounts.attributes import Attribute, Type
from accounts.attributes.registry import choices_of

FEWEST = 20
"""With values of fewer accounts than these the company's own data say nothing yet."""


def fitted_curve(attribute: Attribute, spread: Mapping[str, Any] | None, *, direction: str = "higher") -> Any:
    """A curve of the attribute (JSON) to begin with: the middle account has 60 points, the outermost twentieths 0 and
    100. A choice has 50 points for each of its values. A number that (nearly) all accounts share gives 0 to 100."""
    if not attribute.type.is_numeric:
        names = ["true", "false"] if attribute.type == Type.BOOLEAN else list(choices_of(attribute))
        counts = (spread or {}).get("counts", {})
        return dict.fromkeys(names or counts or ["–"], 50)
    quantiles = (spread or {}).get("quantiles", {})
    known = sum(one["count"] for one in (spread or {}).get("bins", []))
    ends = [quantiles.get(name) for name in ("p5", "p50", "p95")]
    low, middle, high = (_rounded(end) for end in ends) if known >= FEWEST and None not in ends else (0, 50, 100)
    points = [100, 60, 0] if direction == "lower" else [0, 60, 100]
    if direction == "middle":
        points = [0, 100, 0]
    knots = {low: points[0], middle: points[1], high: points[2]} if low < middle < high else {}
    if not knots:
        low, high = (low, high) if low < high else (0, 100)
        knots = {low: points[0], high: points[2]} if direction != "middle" else {0: 0, 50: 100, 100: 0}
    return [[value, reached] for value, reached in sorted(knots.items())]


def _rounded(found: float | None) -> float:
    """A value to two digits, as somebody would choose it by hand."""
    if not found:
        return 0
    rounded = round(found, 1 - floor(log10(abs(found))))
    return int(rounded) if rounded == int(rounded) else rounded
