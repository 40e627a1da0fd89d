"""The curve of a measure, drawn on the server: from the value of an attribute to points from 0 to 100."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.templatetags.amounts import NO_BREAK, number

register = template.Library()

WIDTH = 120
HEIGHT = 36
MARGIN = 4
FULL = 100


@register.simple_tag
def curve(raw: Any, unit: str = "") -> SafeString:
    """Return a small drawing of a measure's curve (see ``health.models.Measure``); nothing when it is not one."""
    if isinstance(raw, dict) and raw:
        return _bars([(str(name), float(points)) for name, points in raw.items()])
    if isinstance(raw, list) and len(raw) > 1:
        return _line([(float(found), float(points)) for found, points in raw], unit)
    return SafeString("")


@register.filter
def curve_words(raw: Any, unit: str = "") -> str:
    """Return the curve in words: ``0: 0 · 20: 60 · 40 uses: 100``, value before points."""
    pairs = list(raw.items()) if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    return " · ".join(f"{_value(found, unit)} → {number(points)}" for found, points in pairs)


def _value(found: Any, unit: str) -> str:
    if isinstance(found, str):
        return {"true": _("yes"), "false": _("no")}.get(found, found)
    shown = number(found, 0 if found == int(found) else 1)
    return f"{shown}{NO_BREAK}{unit}" if unit else shown


def _height(points: float) -> float:
    return HEIGHT - MARGIN - points / FULL * (HEIGHT - 2 * MARGIN)


def _line(knots: list[tuple[float, float]], unit: str) -> SafeString:
    low, high = knots[0][0], knots[-1][0]
    # A flat piece at each end: outside its knots the curve keeps the nearest points.
    reach = 0.12 * (WIDTH - 2 * MARGIN)
    inner = WIDTH - 2 * MARGIN - 2 * reach
    places = [(MARGIN + reach + (found - low) / (high - low) * inner, _height(points)) for found, points in knots]
    line = [(MARGIN, places[0][1]), *places, (WIDTH - MARGIN, places[-1][1])]
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<polyline points="{}"></polyline>{}</svg>',
        WIDTH,
        HEIGHT,
        curve_words([list(knot) for knot in knots], unit),
        _grid(),
        " ".join(f"{x:.1f},{y:.1f}" for x, y in line),
        format_html_join("", '<circle cx="{}" cy="{}" r="2"></circle>', [(f"{x:.1f}", f"{y:.1f}") for x, y in places]),
    )


def _bars(points_of: list[tuple[str, float]]) -> SafeString:
    step = (WIDTH - 2 * MARGIN) / len(points_of)
    bars = [
        (f"{MARGIN + place * step + step * 0.2:.1f}", f"{_height(points):.1f}", f"{step * 0.6:.1f}", _rise(points))
        for place, (_name, points) in enumerate(points_of)
    ]
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>',
        WIDTH,
        HEIGHT,
        curve_words(dict(points_of)),
        _grid(),
        format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"></rect>', bars),
    )


def _rise(points: float) -> str:
    return f"{max(_height(0) - _height(points), 1):.1f}"


def _grid() -> SafeString:
    lines = [(MARGIN, y, WIDTH - MARGIN, y) for y in (_height(0), _height(FULL))]
    return format_html_join("", '<line x1="{}" y1="{}" x2="{}" y2="{}"></line>', lines)
