"""What ``components/curve_editor.html`` and its script need to draw one curve that can be edited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.curves.decimals import read_decimal, separators
from common.curves.distribution import Distribution
from common.curves.reading import LEAST, MOST_ROWS, Reading, Row, Typed, read_curve
from common.curves.shape import Kind, Shape


def editor_context(
    *,
    html_id: str,
    name: str,
    value: Any,
    unit: str,
    choices: Mapping[str, str] | None,
    distribution: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The editor's context. ``value`` is the JSON of a curve, or what was typed: then rows say what is wrong there."""
    spread = Distribution.of(distribution)
    decimal, group = separators()
    if isinstance(value, Typed):
        typed = value.with_spares()
        reading = read_curve(typed, choices)
        curve = reading.curve
    else:
        typed = Typed.of(value, None if choices is None else list(choices)).with_spares()
        reading, curve = Reading(), value
    return {
        "id": html_id,
        "name": name,
        "unit": unit,
        "kind": typed.kind.value,
        "is_choices": choices is not None,
        "curve": curve,
        "distribution": distribution,
        "rows": _rows(typed, reading, choices or {}, spread),
        "blank": {"number": "", "row": Row(), "place": ""},
        "below": typed.below,
        "below_error": reading.below,
        "readout": _readout(Shape.parse(curve), spread),
        "directions": _directions(Shape.parse(curve)),
        "script": {
            "unit": unit,
            "distribution": distribution or {},
            "numbers": {"decimal": decimal, "group": group, "size": int(formats.get_format("NUMBER_GROUPING"))},
            "least": {"line": LEAST[Kind.LINE], "bands": LEAST[Kind.BANDS]},
            "most": MOST_ROWS,
            "texts": _texts(),
        },
    }


def _rows(
    typed: Typed, reading: Reading, choices: Mapping[str, str], spread: Distribution | None
) -> list[dict[str, Any]]:
    counts = spread.counts if spread else {}
    points_of = {row.value: f"{read_decimal(row.points) or 0:g}" for row in typed.rows}
    most = max(counts.values(), default=0)
    return [
        {
            "number": place + 1,
            "place": place,
            "row": row,
            "error": reading.at.get(place, ""),
            "points_plain": points_of.get(row.value, ""),
            "label": choices.get(row.value, row.value),
            "is_gone": row.value not in choices,
            "count": counts.get(row.value, 0) if spread else None,
            "most": most,
        }
        for place, row in enumerate(typed.rows)
    ]


def _readout(shape: Shape | None, spread: Distribution | None) -> list[dict[str, Any]]:
    """How many accounts would get few, some and many points, and no points at all: for the bar and its words."""
    if spread is None:
        return []
    thirds = spread.thirds(shape) if shape else (0, 0, 0)
    unscored = spread.total + spread.missing - sum(thirds)
    everyone = spread.total + spread.missing
    parts = (
        ("poor", _("0–39 points"), thirds[0]),
        ("watch", _("40–69 points"), thirds[1]),
        ("good", _("70–100 points"), thirds[2]),
        ("none", _("No points"), unscored),
    )
    shown = []
    x = 0.0
    for tone, label, count in parts:
        width = count / everyone * 100 if everyone else 0.0
        shown.append(
            {
                "tone": tone,
                "label": label,
                "count": count,
                "x": f"{x:.3f}",
                "width": f"{width:.3f}",
                "share": width / 100,
            }
        )
        x += width
    return shown


def _directions(shape: Shape | None) -> list[tuple[str, str, bool]]:
    """What may be good: key, label, and whether the curve takes it for good now."""
    points = [points for _value, points in shape.knots] if shape else []
    if shape and shape.kind == Kind.BANDS:
        points.insert(0, shape.below)
    chosen = "higher"
    if points and max(points) > max(points[0], points[-1]):
        chosen = "middle"
    elif points and points[-1] < points[0]:
        chosen = "lower"
    labels = (
        ("higher", _("Higher is better")),
        ("lower", _("Lower is better")),
        ("middle", _("Best in the middle")),
    )
    return [(key, label, key == chosen) for key, label in labels]


def _texts() -> dict[str, Any]:
    """The sentences of the script; it fills in what stands in braces."""
    return {
        "points": {
            category: ngettext("{points} point", "{points} points", count)
            for category, count in (("one", 1), ("few", 2), ("many", 5), ("other", 5))
        },
        "knot": _("Point {number} of {total}"),
        "band": _("Band {number} of {total}"),
        "below": _("Below the first band"),
        "at": _("{value}: {points}"),
        "from": _("from {value}: {points}"),
        "under": _("below {value}: {points}"),
        "value_of": _("Value, row {number}"),
        "points_of": _("Points, row {number}"),
        "remove": _("Remove row {number}"),
        "median": _("median {value}"),
        "less": _("{count} more down to {value}"),
        "more": _("{count} more up to {value}"),
        "not_number": _("Write a number here."),
        "bad_points": _("Give points from 0 to 100."),
        "twice": _("This value is there twice; keep one of them."),
        "too_few": _("No fewer points than this: change the ones that are left."),
        "too_many": _("No more points than this: remove one first."),
        "added": _("Added. {at}"),
        "removed": _("Removed."),
        "undone": _("Undone."),
        "suggested": _("Suggested from {count} accounts."),
        "no_spread": _("Nearly all accounts have the same value, so there is nothing to suggest."),
    }
