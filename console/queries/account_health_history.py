"""The history of one account's score: what is drawn, what happened to it, and days worth comparing with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import floor

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Workspace
from console.plots.health import Mark, Plot
from health.models import NamedScore, Override
from health.queries import DayOfHealth, health_history

PERIODS = {"90d": 90, "year": 365}
PERIOD_LABELS = (("90d", gettext_lazy("90 days")), ("year", gettext_lazy("A year")))
LONGEST = "year"
PRESETS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Preset:
    """A first day to compare with, ready to be chosen."""

    label: str
    since: date


def history(account: Account, *, named: NamedScore, days: int, today: date) -> Plot | None:
    """The score over the last ``days`` days with what happened to it; None before there are two days of it."""
    known = health_history(account=account, named=named.key, days=days)
    known = [day for day in known if day.day > today - timedelta(days=days)]
    if len(known) < 2:
        return None
    return Plot(
        days=known,
        good_from=known[-1].profile.good_from,
        watch_from=known[-1].profile.watch_from,
        marks=sorted([*_versions(known), *_overrides(account, named, known)], key=lambda mark: mark.day),
        title=history_title(known, named.label),
    )


def _versions(days: Sequence[DayOfHealth]) -> Iterable[Mark]:
    for before, after in pairwise(days):
        if before.version != after.version:
            words = {"number": after.version.number, "note": after.version.note}
            told = (
                _("Version %(number)s took effect: %(note)s")
                if after.version.note
                else _("Version %(number)s took effect")
            )
            yield Mark(after.day, f"v{after.version.number}", told % words)


def _overrides(account: Account, named: NamedScore, days: Sequence[DayOfHealth]) -> Iterable[Mark]:
    workspace = Workspace.current()
    first, last = days[0].day, days[-1].day
    for override in Override.objects.filter(account=account, named=named).select_related("author", "ended_by"):
        began = workspace.day(override.created_at)
        words = {"score": floor(override.score), "author": override.author.name if override.author else _("Somebody")}
        if first <= began <= last:
            yield Mark(began, "+", _("%(author)s set the score to %(score)s by hand") % words)
        if override.ended_at and first <= (ended := workspace.day(override.ended_at)) <= last:
            told = (
                _("The score of %(score)s set by hand was ended")
                if override.ended_by_id
                else _("The score of %(score)s set by hand expired")
            )
            yield Mark(ended, "−", told % words)


def presets(days: Sequence[DayOfHealth], *, today: date) -> list[Preset]:
    """First days that people compare with, as far as there is history; the last change of the formula among them."""
    words = {7: _("A week ago"), 30: _("A month ago"), 90: _("A quarter ago")}
    found = [Preset(words[back], today - timedelta(days=back)) for back in PRESETS]
    for before, after in reversed(list(pairwise(days))):
        if before.version != after.version:
            found.append(Preset(_("Before version %(number)s") % {"number": after.version.number}, before.day))
            break
    return [preset for preset in found if days and preset.since >= days[0].day]


def history_title(days: Sequence[DayOfHealth], label: str) -> str:
    """What to see in the history of a score."""
    known = [(day.day, floor(day.score)) for day in days if day.score is not None]
    if len(known) < 2:
        return _("%(label)s has one score so far") % {"label": label}
    scores = [score for _day, score in known]
    first, last = scores[0], scores[-1]
    words = {
        "label": label,
        "first": first,
        "last": last,
        "best": max(scores),
        "worst": min(scores),
        "days": (known[-1][0] - known[0][0]).days,
    }
    if last - first >= 5:
        return _("%(label)s rose from %(first)s to %(last)s in %(days)s days") % words
    if first - last >= 5:
        return _("%(label)s fell from %(first)s to %(last)s in %(days)s days") % words
    if max(scores) - min(scores) >= 10:
        return _("%(label)s is back at %(last)s after moving between %(worst)s and %(best)s in %(days)s days") % words
    return _("%(label)s has held at %(last)s for %(days)s days") % words
