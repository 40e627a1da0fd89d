"""Small drawings made on the server as SVG: sparklines, meters, bars of bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django import template
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.templatetags.ui import BAND_LABELS

register = template.Library()

Number = Decimal | float

WIDTH = 96
HEIGHT = 24
MARGIN = 3


@register.simple_tag
def sparkline(
    values: Sequence[Number | None],
    label: str = "",
    tone: str = "",
    bottom: Number | None = None,
    top: Number | None = None,
) -> SafeString:
    """Return a line of the values, oldest first; gaps (None) are skipped. `tone` is a health band or nothing.

    Between `bottom` and `top`, where they are given, a small change looks small; otherwise the line fills its height.
    """
    known = [(index, float(value)) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return SafeString("")
    low = min(value for _index, value in known) if bottom is None else float(bottom)
    high = max(value for _index, value in known) if top is None else float(top)
    spread = (high - low) or 1.0
    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    points = [
        (MARGIN + index * step, HEIGHT - MARGIN - (value - low) / spread * (HEIGHT - 2 * MARGIN))
        for index, value in known
    ]
    told = _("%(label)s: from %(first)s to %(last)s") % {
        "label": label or _("Trend"),
        "first": formats.number_format(known[0][1], 0),
        "last": formats.number_format(known[-1][1], 0),
    }
    return format_html(
        '<svg class="sparkline sparkline-{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"></polyline><circle cx="{}" cy="{}" r="2"></circle></svg>',
        tone or "plain",
        WIDTH,
        HEIGHT,
        told,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        f"{points[-1][0]:.1f}",
        f"{points[-1][1]:.1f}",
    )


@register.simple_tag
def meter(value: Number | None, band: str = "", maximum: Number = 100) -> SafeString:
    """Return a bar filled to value / maximum. It repeats a number that stands beside it, so readers skip it."""
    share = 0.0 if value is None else max(0.0, min(1.0, float(value) / float(maximum)))
    return format_html(
        '<svg class="meter meter-{}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="6"></rect></svg>',
        band or "plain",
        f"{share * 100:.1f}",
    )


@register.simple_tag
def interval(
    value: float | None, low: float, high: float, bottom: float, top: float, is_difference: bool = False
) -> SafeString:
    """Return an interval with its middle on a line from `bottom` to `top`, and where zero is, for a difference.

    It repeats numbers that stand beside it, so readers skip it.
    """
    if value is None or top <= bottom:
        return SafeString("")
    at = [f"{(place - bottom) / (top - bottom) * 100:.2f}%" for place in (low, high, value, 0.0)]
    return format_html(
        '<svg class="interval{0}" aria-hidden="true">'
        '<line class="interval-axis" x1="0" x2="100%" y1="50%" y2="50%"></line>'
        '<line class="interval-zero" x1="{4}" x2="{4}" y1="0" y2="100%"></line>'
        '<line class="interval-line" x1="{1}" x2="{2}" y1="50%" y2="50%"></line>'
        '<circle class="interval-middle" cx="{3}" cy="50%" r="4"></circle></svg>',
        " interval-difference" if is_difference else "",
        *at,
    )


@register.simple_tag
def band_bar(counts: Mapping[str, int]) -> SafeString:
    """Return one bar divided by how many accounts are in each band; `counts` maps band to number."""
    total = sum(counts.values())
    if not total:
        return SafeString("")
    parts: list[tuple[str, str, str]] = []
    told: list[str] = []
    x = 0.0
    for band, label in BAND_LABELS.items():
        count = counts.get(band, 0)
        if not count:
            continue
        width = count / total * 100
        parts.append((band, f"{x:.2f}", f"{max(width - 0.4, 0.4):.2f}"))
        told.append(f"{label} {formats.number_format(count, 0)}")
        x += width
    return format_html(
        '<svg class="band-bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        ", ".join(told),
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="10"></rect>', parts),
    )
