"""What home tells at a glance: a book by health and renewal, what moved, and what cannot wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.attributes import Catalogue, Context, facts_relation
from accounts.models import Account, Event, Ticket
from accounts.models.account import AccountQuerySet
from accounts.queries import scope_of
from common import clock
from common.sql import SQL, rows
from common.templatetags.ui import BAND_LABELS
from console.queries.account_records import Answer, read_answer
from console.timeline.health import drop_cause, drop_ends, drop_words
from health.models import NamedScore
from surveys.models import Response, Survey
from surveys.queries import NpsFigures, nps_figures
from surveys.scales import SCALES

# The names are those of the renewal filter of the list of accounts; a window ends with its number of days.
WINDOWS: dict[str, str | Promise] = {
    "30": _("30 days"),
    "90": _("31–90 days"),
    "180": _("91–180 days"),
    "later": _("Later"),
    "none": _("No date"),
}
BANDS = ("poor", "watch", "good", "none")
DROPS = ("health.dropped", "health.score.dropped")
ALERT_DAYS = 7
NPS_DAYS = 90
MOST = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """The accounts of one band that renew in one window: how many, their MRR, and where they are listed."""

    count: int
    mrr: Decimal
    url: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One health band over the windows, and its sum."""

    band: str
    label: str | Promise
    cells: list[Cell]
    total: Cell


@dataclass(frozen=True, slots=True)
class Book:
    """Live accounts by health band and renewal window."""

    windows: list[str | Promise]
    rows: list[MatrixRow]
    totals: list[Cell]
    total: Cell

    @property
    def counts(self) -> dict[str, int]:
        """How many accounts each band has."""
        return {row.band: row.total.count for row in self.rows}


def book_by_health(accounts: AccountQuerySet, *, now: datetime, listed: dict[str, str]) -> Book:
    """The live ones of ``accounts`` in one query; ``listed`` is what their list is narrowed by."""
    catalogue = Catalogue()
    band, days, mrr = (catalogue[key] for key in ("health.band", "days_to_renewal", "mrr"))
    relation = facts_relation([band, days, mrr], scope=scope_of(accounts.live()), context=Context.at(now))
    left = relation.value(days)
    found = rows(
        SQL(
            f"SELECT coalesce({relation.value(band)}, 'none') AS band,"
            f" CASE WHEN {left} IS NULL THEN 'none' WHEN {left} <= 30 THEN '30' WHEN {left} <= 90 THEN '90'"
            f" WHEN {left} <= 180 THEN '180' ELSE 'later' END AS renewal,"
            f" count(*), sum({relation.value(mrr)}) FROM ({{}}) facts GROUP BY 1, 2"
        ).format(relation.sql)
    )
    known = {(row[0], row[1]): (row[2], row[3]) for row in found}

    def cell(bands: tuple[str, ...], windows: tuple[str, ...], **chosen: str) -> Cell:
        parts = [known[key] for key in known if key[0] in bands and key[1] in windows]
        url = f"{reverse('console:accounts')}?{urlencode({**listed, **chosen})}"
        return Cell(sum(count for count, _mrr in parts), sum((Decimal(mrr) for _count, mrr in parts), Decimal(0)), url)

    every = tuple(WINDOWS)
    return Book(
        windows=list(WINDOWS.values()),
        rows=[
            MatrixRow(
                band=name,
                label=BAND_LABELS[name],
                cells=[cell((name,), (window,), band=name, renewal=window) for window in every],
                total=cell((name,), every, band=name),
            )
            for name in BANDS
        ],
        totals=[cell(BANDS, (window,), renewal=window) for window in every],
        total=cell(BANDS, every),
    )


@dataclass(frozen=True, slots=True)
class Move:
    """An account that changed its health band, from what it was before to what it is now."""

    account: Account
    before: str
    now: str
    score: float | None
    at: datetime

    @property
    def is_worse(self) -> bool:
        return _rank(self.now) < _rank(self.before)


def _rank(band: str) -> int:
    return ("poor", "watch", "none", "good").index(band) if band in BANDS else 2


def moves_since(since: datetime, *, accounts: AccountQuerySet) -> list[Move]:
    """The accounts whose band is another one than at ``since``, those that got worse first."""
    events = (
        Event.objects.filter(account__in=accounts, kind="health.band_changed", happened_at__gte=since)
        .select_related("account")
        .order_by("happened_at", "id")
    )
    moves: dict[int, Move] = {}
    for event in events[:500]:
        first = moves.get(event.account_id)
        before = first.before if first else event.data.get("from") or "none"
        now = event.data.get("to") or "none"
        moves[event.account_id] = Move(event.account, before, now, event.data.get("score"), event.happened_at)
    changed = [move for move in moves.values() if move.before != move.now]
    return sorted(changed, key=lambda move: (_rank(move.now), -move.at.timestamp()))


def restated_since(since: datetime, *, accounts: AccountQuerySet) -> int:
    """How many of ``accounts`` a new formula moved to another band since then; nothing happened to them."""
    moved = Event.objects.filter(account__in=accounts, kind="health.band_restated", happened_at__gte=since)
    return moved.values("account").distinct().count()


@dataclass(frozen=True, slots=True)
class Fallen:
    """A score that fell far within a week: of which account, from what to what, in words, and by what."""

    account: Account
    before: int
    now: int
    words: str
    cause: str
    at: datetime


def fallen_since(since: datetime, *, accounts: AccountQuerySet) -> list[Fallen]:
    """The latest drops of the live ones of ``accounts``, up to ``MOST``; two queries."""
    found = Event.objects.filter(account__in=accounts.live(), kind__in=DROPS, happened_at__gte=since)
    events = list(found.select_related("account").order_by("-happened_at", "-id")[:MOST])
    has_others = any("named" in event.data for event in events)
    labels = dict(NamedScore.objects.values_list("key", "label")) if has_others else {}
    return [
        Fallen(
            account=event.account,
            before=drop_ends(event.data)[0],
            now=drop_ends(event.data)[1],
            words=drop_words(event.data, labels.get(event.data.get("named", ""), gettext("Health"))),
            cause=drop_cause(event.data),
            at=event.happened_at,
        )
        for event in events
    ]


@dataclass(frozen=True, slots=True)
class Alerts:
    """What cannot wait: poor answers and scores that fell in the last days, and urgent tickets that are open."""

    answers: list[Answer]
    tickets: list[Ticket]
    fallen: list[Fallen]


def alerts(accounts: AccountQuerySet, *, now: datetime) -> Alerts:
    """The latest alerts among ``accounts``."""
    poor = Q()
    for kind, scale in SCALES.items():
        poor |= Q(survey__kind=kind, score__lt=scale.passive_from)
    responses = (
        Response.objects.filter(poor, account__in=accounts, answered_at__gte=now - timedelta(days=ALERT_DAYS))
        .select_related("survey", "contact", "account")
        .order_by("-answered_at")
    )
    urgent = (
        Ticket.objects.unsolved()
        .filter(account__in=accounts.live(), priority=Ticket.Priority.URGENT)
        .select_related("account")
        .order_by("opened_at")
    )
    return Alerts(
        answers=[read_answer(response) for response in responses[:MOST]],
        tickets=list(urgent[:MOST]),
        fallen=fallen_since(now - timedelta(days=ALERT_DAYS), accounts=accounts),
    )


def recent_nps(accounts: QuerySet[Account], *, now: datetime) -> NpsFigures:
    """The NPS of the last 90 days among ``accounts``."""
    since = now - timedelta(days=NPS_DAYS)
    return nps_figures(
        Response.objects.filter(survey__kind=Survey.Kind.NPS, account__in=accounts, answered_at__gte=since)
    )


def yesterday(now: datetime) -> datetime:
    """The beginning of the day before, in the workspace."""
    context = Context.at(now)
    return clock.start_of_day(context.today - timedelta(days=1), context.zone)
