"""How an account uses the product: over time, and feature by feature."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import TruncWeek
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from common.templatetags.amounts import number
from console.plots import days_until, line_chart, short_day
from usage.models import DailyUsage, Feature, PlanFeature, RollingUsage

DAYS = {"90d": 90, "year": 365}
TREND_WEEKS = 13


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature that the account may use: uses in the last 28 days and the 28 before, weekly trend, last use."""

    feature: Feature
    last: int
    prior: int
    change: float | None
    trend: list[int]
    last_on: date | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How the account uses what its plan includes; ``outside`` counts the features that the plan leaves out."""

    chart: dict[str, Any]
    title: str
    used: list[FeatureRow]
    unused: list[FeatureRow]
    outside: int
    was_heard: bool


def usage(account: Account, *, period: str, today: date) -> Usage:
    """The account's usage over ``90d`` by day, or over a ``year`` by week."""
    rolling = {row.feature_id: row for row in RollingUsage.objects.filter(account=account)}
    included, outside = _features(account)
    trends = _weekly(account, today)
    rows = [_row(feature, rolling.get(feature.pk), trends[feature.pk]) for feature in included]
    used = sorted((row for row in rows if row.last), key=lambda row: (-row.last, row.feature.name))
    unused = sorted((row for row in rows if not row.last), key=lambda row: (-row.prior, row.feature.name))
    return Usage(
        chart=_chart(account, period, today),
        title=_title(list(rolling.values())),
        used=used,
        unused=unused,
        outside=outside,
        was_heard=bool(rolling),
    )


def _features(account: Account) -> tuple[list[Feature], int]:
    """The features that the plan includes (all of them when it names none), and how many it leaves out."""
    every = list(Feature.objects.all())
    named = set(PlanFeature.objects.filter(plan=account.plan_id).values_list("feature", flat=True))
    included = [feature for feature in every if feature.pk in named] if named else every
    return included, len(every) - len(included)


def _weekly(account: Account, today: date) -> dict[int, list[int]]:
    """Uses of each feature in the last weeks, each of seven days, the one that ended yesterday last."""
    weeks: dict[int, list[int]] = defaultdict(lambda: [0] * TREND_WEEKS)
    # A day that has only begun would look like a fall.
    first = today - timedelta(days=7 * TREND_WEEKS)
    rows = DailyUsage.objects.filter(account=account, day__gte=first, day__lt=today)
    for feature, day, count in rows.values_list("feature", "day", "count"):
        weeks[feature][(day - first).days // 7] += count
    return weeks


def _row(feature: Feature, rolling: RollingUsage | None, trend: list[int]) -> FeatureRow:
    if rolling is None:
        return FeatureRow(feature, 0, 0, None, trend, None)
    change = 100 * rolling.whole_28 / rolling.whole_prior_28 - 100 if rolling.whole_prior_28 else None
    return FeatureRow(feature, rolling.last_28, rolling.prior_28, change, trend, rolling.last_day)


def _chart(account: Account, period: str, today: date) -> dict[str, Any]:
    days = days_until(today, DAYS[period])
    found = DailyUsage.objects.filter(Q(day__gte=days[0], day__lte=today), account=account)
    if period == "year":
        weeks = dict(
            found.annotate(week=TruncWeek("day")).values_list("week").annotate(uses=Sum("count")).order_by("week")
        )
        # A week that has only begun would look like a fall.
        mondays = [day for day in days if day.weekday() == 0 and day + timedelta(days=6) <= today]
        series = [weeks.get(monday, 0) for monday in mondays]
        return line_chart([short_day(day) for day in mondays], [(_("Actions"), series)], axis=_("Week of"))
    counts = dict(found.values_list("day").annotate(uses=Sum("count")).order_by("day"))
    series = [counts.get(day, 0) for day in days]
    return line_chart([short_day(day) for day in days], [(_("Actions"), series)])


def _title(rolling: list[RollingUsage]) -> str:
    last, whole, prior = (
        sum(getattr(row, window) for row in rolling) for window in ("last_28", "whole_28", "whole_prior_28")
    )
    words = {"count": number(last)}
    if not last and not prior:
        return _("Nothing was used in the last 56 days")
    if not prior:
        return (
            ngettext("%(count)s action in 28 days, none before", "%(count)s actions in 28 days, none before", last)
            % words
        )
    change = round(100 * whole / prior - 100)
    if abs(change) < 5:
        return _("%(count)s actions in 28 days, about as many as in the 28 days before") % words
    words["change"] = number(abs(change))
    if change > 0:
        return _("%(count)s actions in 28 days, %(change)s %% more than in the 28 days before") % words
    return _("%(count)s actions in 28 days, %(change)s %% fewer than in the 28 days before") % words
