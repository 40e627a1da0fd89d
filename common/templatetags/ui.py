"""The small pieces of the design system: icons, keys, health bands, scores, initials, moments in time.

They are written as functions rather than included templates because lists draw hundreds of them.
Larger pieces are templates in `templates/components/`, used by `{% include %}` or, where they
wrap other markup, by `{% component "panel" title=... %} ... {% endcomponent %}`.
"""

from __future__ import annotations

import zlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import floor
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from common.drawing import kept

register = template.Library()

THEMES = ("light", "dark")
INITIALS_TONES = 6
# Within half a year a day and a month are clear without the year.
SAME_YEAR_DAYS = 183
# Farther away than this, a date says more than a distance.
RELATIVE_FOR = timedelta(days=60)

BAND_LABELS = {
    "good": gettext_lazy("Good"),
    "watch": gettext_lazy("Watch"),
    "poor": gettext_lazy("Poor"),
    "none": gettext_lazy("No score"),
}


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, css: str = "") -> SafeString:
    """Return the icon `name` of `assets/icons.mjs`, hidden from screen readers; `css` adds classes."""
    return format_html('<i class="icon icon-of-{}{}" aria-hidden="true"></i>', name, f" {css}" if css else "")


@register.simple_tag
@lru_cache(maxsize=256)
def key(hotkey: str) -> SafeString:
    """Return the key hint for a hotkey such as `e`, `g q` (one after the other) or `Mod+k` (together)."""
    if not hotkey:
        return SafeString("")
    caps = [cap for part in hotkey.split(" ") for cap in part.split("+")]
    names = {"Mod": "Ctrl", "Space": "␣", "Enter": "↵", "Escape": "Esc"}
    return format_html(
        '<span class="key{}" aria-hidden="true">{}</span>',
        "" if "Mod" in caps else " key-single",
        format_html_join("", "<kbd>{}</kbd>", ((names.get(cap, cap),) for cap in caps)),
    )


@register.simple_tag(takes_context=True)
def theme_attribute(context: Context) -> SafeString:
    """Return `data-theme="..."` for the theme this person chose, or nothing where the system decides."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request is not None else None
    return format_html(' data-theme="{}"', chosen) if chosen in THEMES else SafeString("")


@register.simple_tag
def health_band(band: str | None, label: str = "") -> SafeString:
    """Return a health band as a badge: shape, word and colour all tell it."""
    name = band if band in BAND_LABELS else "none"
    tone = "outline" if name == "none" else name
    return format_html(
        '<span class="chip chip-{}">{}{}</span>', tone, icon(f"band-{name}", "icon-sm"), label or BAND_LABELS[name]
    )


@register.simple_tag
def score(
    value: Decimal | float | None,
    band: str | None = None,
    trend: Any = None,
    size: str = "",
    stale: int | None = None,
    inputs: int | None = None,
) -> SafeString:
    """Return a health score from 0 to 100: band shape, number and, if given, the change since the last period.

    The number is the whole points reached, so that it never shows a threshold that the band says was missed. A clock
    marks a score of which `stale` of `inputs` are older than they should be.
    """
    name = band if band in BAND_LABELS and value is not None else "none"
    number = "–" if value is None else str(floor(value))
    if trend is None:
        return _score(name, number, size, stale, inputs, get_language())
    return _draw_score(name, number, size, stale, inputs, trend_of(trend))


@lru_cache(maxsize=8192)
def _score(
    name: str, number: str, size: str, stale: int | None, inputs: int | None, language: str | None
) -> SafeString:
    """A score without its change, in the active language; lists draw the same ones again and again."""
    return _draw_score(name, number, size, stale, inputs, SafeString(""))


def _draw_score(
    name: str, number: str, size: str, stale: int | None, inputs: int | None, trend: SafeString
) -> SafeString:
    return format_html(
        '<span class="score score-{}{}">{}<span class="score-value">{}</span><span class="sr-only">{}</span>{}</span>',
        name,
        " score-large" if size == "large" else "",
        icon(f"band-{name}", "icon-sm icon-band"),
        number,
        BAND_LABELS[name],
        format_html("{}{}", _stale_mark(stale_words(stale, inputs)), trend),
    )


def stale_words(stale: int | None, inputs: int | None = None) -> str:
    """How many of the inputs of a score are older than they should be; empty when none is, or nobody knows."""
    if not stale:
        return ""
    if inputs is None:
        told = ngettext(
            "%(stale)s input is older than it should be", "%(stale)s inputs are older than they should be", stale
        )
        return told % {"stale": formats.number_format(stale, 0)}
    return ngettext(
        "%(stale)s of %(inputs)s inputs is older than it should be",
        "%(stale)s of %(inputs)s inputs are older than they should be",
        stale,
    ) % {"stale": formats.number_format(stale, 0), "inputs": formats.number_format(inputs, 0)}


def _stale_mark(words: str) -> SafeString:
    if not words:
        return SafeString("")
    return format_html(
        '<span class="score-stale" title="{0}">{1}<span class="sr-only">, {0}</span></span>',
        words,
        icon("clock", "icon-sm"),
    )


@register.simple_tag(name="trend")
def trend_of(change: Decimal | float | None, rising_is: str = "good", unit: str = "") -> SafeString:
    """Return a change as an arrow and a signed number; `rising_is` says whether more is good, poor or neither."""
    if change is None:
        return SafeString("")
    rounded = round(Decimal(str(change)), 1)
    if not rounded:
        return format_html('<span class="trend">{}<span>0</span></span>', icon("minus", "icon-sm"))
    rising = rounded > 0
    tone = {"good": "good" if rising else "poor", "poor": "poor" if rising else "good"}.get(rising_is, "flat")
    places = 0 if rounded == rounded.to_integral() else 1
    return format_html(
        '<span class="trend trend-{}">{}<span>{}{}{}</span></span>',
        tone,
        icon("arrow-up" if rising else "arrow-down", "icon-sm"),
        "+" if rising else "−",
        formats.number_format(abs(rounded), places),
        unit,
    )


@register.simple_tag
def initials(name: object, shape: str = "", size: str = "") -> SafeString:
    """Return a person's (round) or an account's (`shape="square"`) initials on a colour of their own."""
    text = str(name).strip()
    words = [word for word in text.split() if word[0].isalnum()]
    letters = (words[0][0] + words[-1][0] if len(words) > 1 else text[:2]).upper()
    return format_html(
        '<span class="initials initials-{}{}{}" aria-hidden="true">{}</span>',
        zlib.crc32(text.encode()) % INITIALS_TONES,
        " initials-square" if shape == "square" else "",
        " initials-large" if size == "large" else "",
        letters or "?",
    )


@register.simple_tag
def ago(when: datetime | date | None) -> SafeString:
    """Return how long ago (or until) `when` is, or its date when that is far away; the exact time shows on hover."""
    if when is None:
        return SafeString("–")
    if not isinstance(when, datetime):
        return _day(when)
    local = timezone.localtime(when) if timezone.is_aware(when) else timezone.make_aware(when)
    moment = timezone.now()
    if abs(local - moment) > RELATIVE_FOR:
        return _day(local.date())
    if local <= moment:
        words = _("%(period)s ago") % {"period": timesince(local, moment, depth=1)}
    else:
        words = _("in %(period)s") % {"period": timeuntil(local, moment, depth=1)}
    return format_html(
        '<relative-time datetime="{}" threshold="P1000D" no-title title="{}">{}</relative-time>',
        local.isoformat(),
        exact(local),
        words,
    )


def exact(when: datetime) -> str:
    """The moment in full, as the reader writes it."""
    return _written(when.replace(tzinfo=None), "DATETIME_FORMAT", get_language())


@lru_cache(maxsize=8192)
def _written(when: date, shape: str, language: str | None) -> str:
    """A day or a moment on the clock on the wall in the active language; lists write the same ones again and again."""
    return formats.date_format(when, shape)


def day_distance(day: date) -> str:
    """How far a day is from today, or its date when that is far."""
    days = (day - timezone.localdate()).days
    if abs(days) <= 1 or abs(days) > RELATIVE_FOR.days:
        return _day_words(day)
    if days < 0:
        return ngettext("%(days)s day ago", "%(days)s days ago", -days) % {"days": -days}
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


def _day(when: date) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(),
        _written(when, "DATE_FORMAT", get_language()),
        _day_words(when),
    )


def _day_words(when: date) -> str:
    match days := (when - timezone.localdate()).days:
        case -1:
            return _("yesterday")
        case 0:
            return _("today")
        case 1:
            return _("tomorrow")
    return _written(when, "MONTH_DAY_FORMAT" if abs(days) < SAME_YEAR_DAYS else "DATE_FORMAT", get_language())


@register.simple_tag
def drawn_once(name: str, **values: Any) -> SafeString:
    """Draw the template `name`, which knows nothing of the page but `values`; in each language it is drawn once."""
    return _drawn(name, get_language(), get_script_prefix(), **values)


@kept
def _drawn(name: str, language: str, prefix: str, **values: Any) -> SafeString:
    return render_to_string(name, values)


@register.simple_block_tag(takes_context=True)
def component(context: Context, content: SafeString, name: str, **values: Any) -> SafeString:
    """Draw `templates/components/<name>.html` around the enclosed markup, which it finds as `slot`."""
    request = context.get("request")
    return render_to_string(f"components/{name}.html", {"slot": content, **values}, request=request)
