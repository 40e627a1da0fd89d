"""Curves from a value to points (see `common.curves`) as drawings and as words, and distributions as drawings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.curves import drawing
from common.curves.distribution import Distribution
from common.curves.shape import Kind, Shape
from common.templatetags.amounts import NO_BREAK, number, share

register = template.Library()

SMALL_KNOT = 2
KNOT = 3.5


@register.simple_tag
def curve(
    raw: Any,
    unit: str = "",
    distribution: Mapping[str, Any] | None = None,
    at: float | str | None = None,
    labels: Mapping[str, str] | None = None,
) -> SafeString:
    """Return a drawing of a curve as small as a word; nothing when `raw` is none.

    `distribution` (see `common.curves.distribution`) lies behind it, `at` marks the value of one account, and `labels`
    names the choices.
    """
    shape = Shape.parse(raw)
    if shape is None:
        return SafeString("")
    words = curve_words(raw, unit, labels)
    if _given(at):
        words = f"{words}; {_('this account')}: {_value(at, unit, labels)}"
    if shape.kind == Kind.CHOICES:
        inner = drawing.choices_svg(shape, str(at) if _given(at) else None)
    else:
        spread = Distribution.of(distribution)
        low, high = drawing.range_of(shape, spread)
        inner = (
            (drawing.bars_svg(spread, low, high) if spread else SafeString(""))
            + drawing.curve_svg(shape, low, high, radius=SMALL_KNOT)
            + (drawing.marker_svg(shape, low, high, float(at)) if _given(at) else SafeString(""))
        )
    return format_html(
        '<svg class="plot curve" role="img" aria-label="{}">'
        '<line class="plot-level" x2="100%" y1="0" y2="0"></line>'
        '<line class="plot-level" x2="100%" y1="100%" y2="100%"></line>{}</svg>',
        words,
        inner,
    )


@register.filter(name="curve_words")
def curve_words_filter(raw: Any, unit: str = "") -> str:
    """Return the curve in words: `0 → 0 · 20 → 60`, value before points; bands say where each begins."""
    return curve_words(raw, unit)


@register.simple_tag
def curve_plot(
    raw: Any,
    unit: str = "",
    distribution: Mapping[str, Any] | None = None,
    at: float | None = None,
    html_id: str = "",
    title: str = "",
) -> SafeString:
    """Return the drawing of a line or bands with axes, for `components/curve_plot.html`; `raw` may still be nothing."""
    shape, spread = Shape.parse(raw), Distribution.of(distribution)
    low, high = drawing.range_of(shape, spread)
    parts = [drawing.bars_svg(spread, low, high)] if spread else []
    parts.append(drawing.grid_svg())
    if shape:
        parts.append(drawing.curve_svg(shape, low, high, radius=KNOT))
    if _given(at):
        parts.append(drawing.marker_svg(shape, low, high, float(at), f"{_('This account')}: {_value(at, unit, None)}"))
    parts.append(drawing.axis_svg(spread, low, high))
    told = [curve_words(raw, unit) if shape else "", spread_words(spread, unit) if spread else ""]
    return _named(html_id, title, "; ".join(part for part in told if part), _joined(parts))


@register.simple_tag
def histogram(
    distribution: Mapping[str, Any],
    unit: str = "",
    at: float | None = None,
    html_id: str = "",
    title: str = "",
) -> SafeString:
    """Return the drawing of a distribution alone, for `components/histogram.html`."""
    spread = Distribution.of(distribution)
    if spread is None:
        return SafeString("")
    low, high = drawing.range_of(None, spread)
    return _named(
        html_id,
        title,
        spread_words(spread, unit),
        drawing.bars_svg(spread, low, high)
        + drawing.counts_svg(spread, low, high)
        + SafeString('<line class="plot-level" x2="100%" y1="100%" y2="100%"></line>')
        + (
            drawing.marker_svg(None, low, high, float(at), f"{_('This account')}: {_value(at, unit, None)}")
            if _given(at)
            else SafeString("")
        )
        + drawing.axis_svg(spread, low, high),
    )


@register.simple_tag
def histogram_table(distribution: Mapping[str, Any], unit: str = "", noun: str = "") -> dict[str, Any]:
    """Return the columns and rows that say what a histogram shows."""
    spread = Distribution.of(distribution) or Distribution()
    rows = [[_span(one.start, one.end, unit), number(one.count), _part(one.count, spread.total)] for one in spread.bins]
    if spread.missing:
        rows.append([_("No value"), number(spread.missing), ""])
    return {
        "columns": [
            {"label": _("Value")},
            {"label": noun or _("Accounts"), "number": True},
            {"label": _("Share"), "number": True},
        ],
        "rows": rows,
    }


@register.simple_tag
def curve_notes(raw: Any, distribution: Mapping[str, Any] | None = None, unit: str = "") -> str:
    """Return what stands under a drawing: the median, and how many accounts lie outside."""
    spread = Distribution.of(distribution)
    if spread is None or distribution is None:
        return ""
    below, above = spread.beyond(*drawing.range_of(Shape.parse(raw), spread))
    said = []
    if "p50" in spread.quantiles:
        said.append(_("median %(value)s") % {"value": drawing.shown(spread.quantiles["p50"])})
    if below and distribution.get("min") is not None:
        said.append(_("%(count)s more down to %(value)s") % _outside(below, distribution["min"], unit))
    if above and distribution.get("max") is not None:
        said.append(_("%(count)s more up to %(value)s") % _outside(above, distribution["max"], unit))
    return " · ".join(said)


@register.simple_tag
def curve_choices(
    raw: Any,
    labels: Mapping[str, str] | None = None,
    distribution: Mapping[str, Any] | None = None,
    at: str | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of a curve over choices, or nothing for another: label, points, count, whether it is `at`."""
    shape, spread = Shape.parse(raw), Distribution.of(distribution)
    if shape is None or shape.kind != Kind.CHOICES:
        return []
    return [
        {
            "label": _value(name, "", labels),
            "points": points,
            "count": spread.counts.get(name, 0) if spread else None,
            "is_here": name == at,
        }
        for name, points in shape.points_of.items()
    ]


def curve_words(raw: Any, unit: str = "", labels: Mapping[str, str] | None = None) -> str:
    """The curve in words."""
    shape = Shape.parse(raw)
    if shape is None:
        return ""
    if shape.kind == Kind.CHOICES:
        return " · ".join(
            f"{_value(name, unit, labels)} → {drawing.shown(points)}" for name, points in shape.points_of.items()
        )
    pairs = [(_value(value, unit, labels), drawing.shown(points)) for value, points in shape.knots]
    if shape.kind == Kind.LINE:
        return " · ".join(f"{value} → {points}" for value, points in pairs)
    first = [_("below → %(points)s") % {"points": drawing.shown(shape.below)}]
    steps = [_("from %(value)s → %(points)s") % {"value": value, "points": points} for value, points in pairs]
    return " · ".join(first + steps)


def spread_words(spread: Distribution, unit: str) -> str:
    """A distribution in words: how many accounts, where their middle is, how many have no value."""
    said = [ngettext("%(count)s account", "%(count)s accounts", spread.total) % {"count": number(spread.total)}]
    if "p50" in spread.quantiles:
        said.append(_("half of them below %(value)s") % {"value": _value(spread.quantiles["p50"], unit, None)})
    if spread.missing:
        said.append(_("%(count)s more without a value") % {"count": number(spread.missing)})
    return ", ".join(said)


def _named(html_id: str, title: str, told: str, inner: SafeString) -> SafeString:
    return format_html(
        '<svg class="plot" role="img" aria-labelledby="{0}-title" aria-describedby="{0}-desc">'
        '<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>{3}</svg>',
        html_id,
        title,
        told,
        inner,
    )


def _given(at: float | str | None) -> TypeGuard[float | str]:
    # An include without it passes on an empty text.
    return at is not None and at != ""


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _value(found: float | str, unit: str, labels: Mapping[str, str] | None) -> str:
    if isinstance(found, str):
        return str((labels or {}).get(found) or {"true": _("yes"), "false": _("no")}.get(found, found))
    value = drawing.shown(float(found))
    return f"{value}{NO_BREAK}{unit}" if unit else value


def _span(start: float, end: float, unit: str) -> str:
    if start == end:
        return _value(start, unit, None)
    return _("%(from)s to below %(to)s") % {"from": drawing.shown(start), "to": _value(end, unit, None)}


def _outside(count: int, value: float, unit: str) -> dict[str, str]:
    return {"count": number(count), "value": _value(value, unit, None)}


def _part(count: int, total: int) -> str:
    return share(count / total, 1) if total else ""
