"""Curves and distributions as SVG made on the server.

Places are percentages of the drawing's box, so that it fills any width while letters and lines keep their size; only
the curve itself lies in a stretched drawing of its own. Everything runs from left to right in every language.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, floor, log10

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.curves.distribution import Distribution
from common.curves.shape import FULL, THIRDS, Kind, Shape
from common.templatetags.amounts import number

LEVELS = (0, *THIRDS, FULL)
TICKS = 5
FEWER_TICKS = 3
LONG_LABEL = 7
NEAR_EDGE = 12


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round values between two others, about five, with their labels."""
    wanted = FEWER_TICKS if len(shown(high)) > LONG_LABEL else TICKS
    step = nice((high - low) / wanted)
    places = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    decimals = max(0, -floor(log10(step)))
    return [(place * step, number(place * step, decimals)) for place in places]


def nice(least: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power: float = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def shown(value: float) -> str:
    """A value with as many decimals as it takes, three at most."""
    rounded = round(value, 3)
    return number(rounded, next(places for places in range(4) if round(rounded, places) == rounded))


def bars_svg(distribution: Distribution, low: float, high: float) -> SafeString:
    """The bars of a distribution; one that was cut shows a slanted gap near its top."""
    bars = distribution.bars(low, high)
    gap = min((0.15 * bar.width for bar in bars), default=0)
    rects = format_html_join(
        "",
        '<rect class="{}" x="{}%" y="{}%" width="{}%" height="{}%"></rect>',
        (
            (
                f"plot-bar plot-bar-{bar.bin.tone}" if bar.bin.tone else "plot-bar",
                f"{bar.x + gap / 2:.2f}",
                f"{100 - bar.height:.2f}",
                f"{bar.width - gap:.2f}",
                f"{bar.height:.2f}",
            )
            for bar in bars
        ),
    )
    cuts = format_html_join(
        "",
        '<line class="plot-cut" x1="{}%" y1="9%" x2="{}%" y2="6%"></line>',
        ((f"{bar.x:.2f}", f"{bar.x + bar.width:.2f}") for bar in bars if bar.is_cut),
    )
    return rects + cuts


def counts_svg(distribution: Distribution, low: float, high: float) -> SafeString:
    """How many accounts the highest bars stand for, above them."""
    return format_html_join(
        "",
        '<text class="plot-label" x="{}%" y="-4" text-anchor="{}">{}</text>',
        (
            (f"{bar.x + bar.width / 2:.2f}", anchor(bar.x + bar.width / 2), number(bar.bin.count))
            for bar in distribution.bars(low, high)
            if bar.height == FULL
        ),
    )


def curve_svg(shape: Shape, low: float, high: float, *, radius: float) -> SafeString:
    """The curve between two values, and its knots."""

    def x(value: float) -> float:
        return (value - low) / (high - low) * 100

    path = " ".join(f"{x(value):.2f},{FULL - points:.2f}" for value, points in shape.outline(low, high))
    return format_html(
        '<svg class="plot-curve" viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">'
        '<polyline points="{}"></polyline></svg>{}',
        path,
        format_html_join(
            "",
            '<circle class="plot-knot" cx="{}%" cy="{}%" r="{}"></circle>',
            ((f"{x(value):.2f}", f"{FULL - points:.2f}", radius) for value, points in shape.knots),
        ),
    )


def choices_svg(shape: Shape, marked: str | None) -> SafeString:
    """One bar for each choice, as high as its points."""
    step = 100 / len(shape.points_of)
    return format_html_join(
        "",
        '<rect class="plot-choice{}" x="{}%" y="{}%" width="{}%" height="{}%"></rect>',
        (
            (
                "" if marked is None or name == marked else " plot-choice-other",
                f"{place * step + step * 0.2:.2f}",
                f"{FULL - max(points, 2):.2f}",
                f"{step * 0.6:.2f}",
                f"{max(points, 2):.2f}",
            )
            for place, (name, points) in enumerate(shape.points_of.items())
        ),
    )


def marker_svg(shape: Shape | None, low: float, high: float, at: float, label: str = "") -> SafeString:
    """Where one account is: an upright line, a ring on the curve and a label; at the edge when it lies outside."""
    x = min(max((at - low) / (high - low) * 100, 0), 100)
    points = shape.points(at) if shape else None
    ring = (
        format_html('<circle class="plot-ring" cx="{}%" cy="{}%" r="4.5"></circle>', f"{x:.2f}", f"{FULL - points:.2f}")
        if points is not None
        else ""
    )
    text = (
        format_html('<text class="plot-here" x="{}%" y="-6" text-anchor="{}">{}</text>', f"{x:.2f}", anchor(x), label)
        if label
        else ""
    )
    return format_html(
        '<line class="plot-marker" x1="{}%" x2="{}%" y1="0" y2="100%"></line>{}{}', f"{x:.2f}", f"{x:.2f}", ring, text
    )


def grid_svg() -> SafeString:
    """Level lines with their points at the left, and beside them where points are few, some and many."""
    strips = format_html_join(
        "",
        '<rect class="plot-third-{}" x="-5" width="3" y="{}%" height="{}%"></rect>',
        (
            (tone, FULL - high, high - low)
            for tone, (low, high) in zip(("poor", "watch", "good"), pairwise(LEVELS), strict=True)
        ),
    )
    return strips + format_html_join(
        "",
        '<line class="plot-level" x1="0" x2="100%" y1="{}%" y2="{}%"></line>'
        '<text class="plot-label" x="-9" y="{}%" dy="0.32em" text-anchor="end">{}</text>',
        ((FULL - level, FULL - level, FULL - level, level) for level in LEVELS),
    )


def axis_svg(distribution: Distribution | None, low: float, high: float) -> SafeString:
    """The values under a drawing, and above them where the middle half and nine in ten of the accounts are."""

    def x(value: float) -> str:
        return f"{min(max((value - low) / (high - low) * 100, 0), 100):.2f}"

    labels = format_html_join(
        "",
        '<text class="plot-label" x="{}%" y="100%" dy="1.9em" text-anchor="middle">{}</text>',
        ((x(value), label) for value, label in ticks(low, high)),
    )
    spread = distribution.quantiles if distribution else {}
    if not {"p5", "p25", "p50", "p75", "p95"} <= spread.keys():
        return labels
    lines = (("most", "p5", "p95"), ("half", "p25", "p75"))
    return labels + format_html(
        '<svg y="100%" class="plot-spread">{}<line class="plot-median" x1="{}%" x2="{}%" y1="2" y2="10"></line></svg>',
        format_html_join(
            "",
            '<line class="plot-{}" x1="{}%" x2="{}%" y1="6" y2="6"></line>',
            ((name, x(spread[start]), x(spread[end])) for name, start, end in lines),
        ),
        x(spread["p50"]),
        x(spread["p50"]),
    )


def anchor(x: float) -> str:
    """How a label stands at its place, so that it stays within the drawing."""
    return "start" if x < NEAR_EDGE else "end" if x > 100 - NEAR_EDGE else "middle"


def range_of(shape: Shape | None, distribution: Distribution | None) -> tuple[float, float]:
    """The values to draw: where the accounts are, and the knots."""
    known = distribution if distribution and distribution.bins else Distribution()
    values = [value for value, _points in shape.knots] if shape and shape.kind != Kind.CHOICES else []
    return known.visible(values)
