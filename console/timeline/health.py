"""What happened to scores, in words that tell the customer's doing from a person's and the formula's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags.amounts import number
from common.templatetags.ui import BAND_LABELS


@dataclass(frozen=True, slots=True)
class Words:
    """One change of a score: what happened, in which tone it is shown, and what more there is to say."""

    title: str
    tone: str = ""
    detail: str = ""


def health_words(what: str, data: Mapping[str, Any], *, score: str) -> Words | None:
    """What an event of health tells; None for one that is not known.

    ``what`` is its kind without the area, ``score`` the label of the score that it is about.
    """
    tellers = {
        "band_changed": _changed,
        "band_restated": _restated,
        "overridden": _overridden,
        "override_ended": _override_ended,
        "dropped": _dropped,
    }
    teller = tellers.get(what.removeprefix("score."))
    return teller(data, score) if teller else None


def _bands(data: Mapping[str, Any], score: str) -> dict[str, Any]:
    before, now = (str(data.get(name) or "none") for name in ("from", "to"))
    return {
        "score": score,
        "before": str(BAND_LABELS.get(before, before)),
        "now": str(BAND_LABELS.get(now, now)),
        "version": data.get("version", "?"),
    }


def _tone(data: Mapping[str, Any]) -> str:
    return str(data.get("to") or "")


def _points(data: Mapping[str, Any], name: str = "score") -> str:
    found = data.get(name)
    return "" if found is None else _("Score %(score)s") % {"score": number(found, 1)}


def _changed(data: Mapping[str, Any], score: str) -> Words:
    words = _bands(data, score)
    if not data.get("to"):
        title = _("%(score)s has no score any more") % words
    elif not data.get("from"):
        title = _("%(score)s has its first score: %(now)s") % words
    else:
        title = _("%(score)s went from %(before)s to %(now)s") % words
    return Words(title, _tone(data), _points(data))


def _restated(data: Mapping[str, Any], score: str) -> Words:
    """It has no tone: nothing happened to the customer."""
    title = _("A new formula (version %(version)s) moved %(score)s from %(before)s to %(now)s") % _bands(data, score)
    detail = _("Not the customer’s doing: the same figures are counted in another way.")
    return Words(title, "", " · ".join(filter(None, (_points(data), detail))))


def _overridden(data: Mapping[str, Any], score: str) -> Words:
    words = {"score": score, "set": number(data.get("score")), "day": _day(data.get("until"))}
    computed = data.get("computed")
    parts = [
        str(data.get("reason") or ""),
        _("computed beneath: %(score)s") % {"score": number(computed, 1)} if computed is not None else "",
    ]
    title = _("%(score)s was set to %(set)s by hand until %(day)s") % words
    return Words(title, _tone(data), " · ".join(filter(None, parts)))


def _override_ended(data: Mapping[str, Any], score: str) -> Words:
    words = _bands(data, score)
    if data.get("how") == "replaced":
        return Words(_("What was set by hand for %(score)s was replaced") % words)
    if data.get("how") == "expired":
        title = _("The time of what was set by hand is over: %(score)s is computed again, %(now)s") % words
    else:
        title = _("What was set by hand was ended: %(score)s is computed again, %(now)s") % words
    return Words(title, _tone(data), _points(data, "computed"))


def _dropped(data: Mapping[str, Any], score: str) -> Words:
    before, now = drop_ends(data)
    words = {"fell": drop_words(data, score), "before": before, "now": now}
    return Words(_("%(fell)s, from %(before)s to %(now)s") % words, "poor", drop_cause(data))


def drop_words(data: Mapping[str, Any], score: str) -> str:
    """How far and how fast a score fell."""
    days = int(data.get("days") or 1)
    return ngettext(
        "%(score)s fell %(points)s points in %(days)s day", "%(score)s fell %(points)s points in %(days)s days", days
    ) % {"score": score, "points": number(data.get("points")), "days": days}


def drop_ends(data: Mapping[str, Any]) -> tuple[int, int]:
    """From what and to what it fell, as scores are shown everywhere: by the whole points reached."""
    return floor(data.get("before") or 0), floor(data.get("score") or 0)


def drop_cause(data: Mapping[str, Any]) -> str:
    """Which measure took most of the points; empty when that is not known."""
    if not data.get("measure"):
        return ""
    return _("most by %(measure)s, %(points)s") % {"measure": data["measure"], "points": number(data.get("by"), 1)}


def _day(given: Any) -> str:
    moment = parse_datetime(given) if isinstance(given, str) else None
    return date_format(timezone.localtime(moment), "MONTH_DAY_FORMAT") if isinstance(moment, datetime) else "–"
