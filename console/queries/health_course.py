"""How health of the whole base moved: who went from band to band, and the average and the bands over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Q
from django.utils.translation import gettext as _

from accounts.models import Account, User, Workspace
from accounts.queries import scope_of
from common.sql import SQL, rows, value
from console.plots import short_day
from console.queries.health_overview import BANDS, FULL
from health.models import HealthDay, NamedScore, Version

LEFT, NEW = "left", "new"
MIGRATED_OVER = 30
WEEKS = 26


@dataclass(frozen=True, slots=True)
class MigrationRow:
    """The accounts that were in one band (``new``: had no score yet): how many are in which band now."""

    before: str
    total: int
    cells: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """Who went from band to band since a day; no rows while there is no history of that day."""

    since: date
    columns: tuple[str, ...]
    rows: tuple[MigrationRow, ...]


def migration(user: User, named: NamedScore, *, now: datetime) -> Migration:
    """From the bands of a month ago to those of now, for the accounts that ``user`` may see; one query.

    Accounts that have ended since are ``left``; those without a score then are ``new``.
    """
    since = Workspace.current().day(now) - timedelta(days=MIGRATED_OVER)
    visible = scope_of(Account.objects.visible_to(user))
    found = rows(
        SQL("""
            SELECT CASE WHEN d.account_id IS NULL THEN 'new' ELSE coalesce(nullif(d.band, ''), 'none') END,
                CASE WHEN a.ended_at <= {now} THEN 'left' ELSE coalesce(nullif(h.band, ''), 'none') END, count(*)
            FROM accounts_account a
            LEFT JOIN health_healthday d ON d.account_id = a.id AND d.named_id = {named} AND d.day = {since}
            LEFT JOIN health_healthscore h ON h.account_id = a.id AND h.named_id = {named}
            WHERE {visible} AND (d.account_id IS NOT NULL OR (h.account_id IS NOT NULL AND h.band <> ''))
            GROUP BY 1, 2
        """).format(now=value(now), named=value(named.pk), since=value(since), visible=visible.on("a.id"))
    )
    counts = {(before, after): count for before, after, count in found}
    if not any(before != NEW for before, _after in counts):
        return Migration(since, (), ())
    columns = tuple(band for band in (*BANDS, LEFT) if any(after == band for _before, after in counts))
    made = []
    for before in (*BANDS, NEW):
        total = sum(count for (was, _after), count in counts.items() if was == before)
        if total:
            cells = tuple(
                (after, counts.get((before, after), 0), counts.get((before, after), 0) / total) for after in columns
            )
            made.append(MigrationRow(before, total, cells))
    return Migration(since, columns, tuple(made))


@dataclass(frozen=True, slots=True)
class Trend:
    """The data of two charts over the same days: the average, and the share of each band. Marks are versions."""

    average: dict[str, Any]
    shares: dict[str, Any]


def trend(user: User, named: NamedScore, *, now: datetime) -> Trend | None:
    """Every seventh day of half a year up to today; None with fewer than two of them; two queries."""
    today = Workspace.current().day(now)
    days = [today - timedelta(days=7 * back) for back in range(WEEKS, -1, -1)]
    history = HealthDay.objects.filter(named=named, day__in=days)
    if user.role == user.Role.CSM:
        history = history.filter(account__in=Account.objects.visible_to(user))
    found = {
        row["day"]: row
        for row in history.order_by()
        .values("day")
        .annotate(average=Avg("score"), **{band: Count("account_id", filter=Q(band=band)) for band in BANDS[:3]})
    }
    shown = [day for day in days if day >= min(found, default=today)]
    if len(found) < 2:
        return None
    marks = _marks(shown, now)
    labels = [short_day(day) for day in shown]
    tones = {"good": _("Good"), "watch": _("Watch"), "poor": _("Poor")}
    averages = [_rounded(found[day]["average"]) if day in found else None for day in shown]
    base: dict[str, Any] = {"labels": labels, "axis": _("Day"), "marks": marks}
    return Trend(
        average={
            **base,
            "type": "line",
            "min": 0,
            "max": FULL,
            "series": [{"label": _("Average"), "data": averages}],
        },
        shares={
            **base,
            "type": "bar",
            "stacked": True,
            "unit": "%",
            "min": 0,
            "max": FULL,
            "series": [
                {"label": label, "tone": band, "data": [_share(found.get(day), band) for day in shown]}
                for band, label in tones.items()
            ],
        },
    )


def _marks(days: Sequence[date], now: datetime) -> list[dict[str, Any]]:
    """Where versions took effect between the days: the place among them, from 0 on with a fraction, and the words."""
    zone = Workspace.current().zone
    marks = []
    for version in Version.objects.published().filter(effective_at__lte=now).order_by("effective_at"):
        if version.effective_at is None:
            continue
        day = version.effective_at.astimezone(zone).date()
        if days[0] < day <= days[-1]:
            at = (day - days[0]).days / 7
            marks.append({"at": round(at, 2), "label": _("Version %(number)s") % {"number": version.number}})
    return marks


def _rounded(average: float | None) -> float | None:
    return None if average is None else round(average, 1)


def _share(row: Mapping[str, Any] | None, band: str) -> float | None:
    if row is None:
        return None
    total = sum(row[one] for one in BANDS[:3])
    return round(100 * row[band] / total, 1) if total else None
