"""The team: what everybody has on their hands, how much more they can take on, and what they got done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse

from accounts.attributes import Catalogue, Context, Scope, facts_relation
from accounts.calendar import Calendar
from accounts.models import Leave, User, Workspace
from common.sql import SQL, rows
from playbooks.capacity import Load, Week
from playbooks.models import Task
from playbooks.models.task import TaskQuerySet
from playbooks.queries.capacity import staff_loads

DONE_DAYS = 7
LEAVE_AHEAD_DAYS = 21
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """What is due beside what can be done, in percent of the widest of all bars."""

    room: float
    due: float
    over: float


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team, with the figures of their row and where each leads; empty where the reader may not go."""

    user: User
    load: Load
    mrr: Decimal
    leave: Leave | None
    done: int
    outcomes: list[tuple[str, int]]
    bar: Bar
    accounts_url: str
    mrr_url: str
    tasks_url: str
    overdue_url: str

    @property
    def hours_left(self) -> float:
        return round(self.load.left / 60, 1)

    @property
    def hours_due(self) -> float:
        return round(self.load.due / 60, 1)

    @property
    def hours_works(self) -> float:
        return round(self.load.works / 60, 1)


def team(reader: User, *, now: datetime, besides: int | None = None) -> list[Member]:
    """Everybody who works on accounts or still has some, those who can take on most first and who left last.

    ``besides`` is the id of somebody who is wanted in any case.

    Under the own-book rule a CSM finds only themselves. Five queries however many there are.
    """
    loads = staff_loads(now)
    shown = _shown(reader, loads, besides)
    mrr = _mrr(now)
    done = _done(now)
    leaves = _leaves([user.pk for user in shown], now)
    most = max((max(loads[user.pk].works, loads[user.pk].due) for user in shown), default=0) or 1
    members = [
        Member(
            user=user,
            load=loads[user.pk],
            mrr=mrr.get(user.pk, Decimal(0)),
            leave=leaves.get(user.pk),
            done=sum(done[user.pk].values()),
            outcomes=[(_outcome(key), count) for key, count in done[user.pk].most_common()],
            bar=_bar(loads[user.pk], most),
            **_urls(user, reader),
        )
        for user in shown
    ]
    return sorted(members, key=lambda member: (not member.user.is_active, -member.load.left, member.user.name))


def _shown(reader: User, loads: dict[int, Load], besides: int | None) -> list[User]:
    if reader.role == User.Role.CSM and Workspace.current().csms_see_only_their_book:
        return [reader]
    return [
        user
        for user in User.objects.all()
        if (user.is_active and user.role == User.Role.CSM)
        or loads[user.pk].accounts
        or loads[user.pk].open
        or user.pk == besides
    ]


def _bar(load: Load, most: int) -> Bar:
    share = 100 / most
    within = min(load.due, load.works)
    return Bar(round(load.works * share, 2), round(within * share, 2), round((load.due - within) * share, 2))


def _urls(user: User, reader: User) -> dict[str, str]:
    accounts = f"{reverse('console:accounts')}?" + urlencode({"csm": user.email})
    may_open = user == reader or reader.role != User.Role.CSM
    whose = {} if user == reader else {"whose": "team", "owner": user.pk}
    queue = reverse("console:queue")
    overdue = f"{queue}?{urlencode({**whose, 'due': 'overdue'})}"
    return {
        "accounts_url": accounts,
        "mrr_url": f"{accounts}&sort=-mrr",
        "tasks_url": f"{queue}?{urlencode(whose)}".rstrip("?") if may_open else "",
        "overdue_url": overdue if may_open else "",
    }


def _mrr(now: datetime) -> dict[int, Decimal]:
    relation = facts_relation([Catalogue()["mrr"]], scope=Scope.everything(), context=Context.at(now))
    found = rows(
        SQL(
            "SELECT a.owner_id, sum(facts.v0) FROM ({}) facts JOIN accounts_account a ON a.id = facts.account_id"
            " WHERE a.ended_at IS NULL AND a.owner_id IS NOT NULL GROUP BY 1"
        ).format(relation.sql)
    )
    return {owner: total or Decimal(0) for owner, total in found}


def done_lately(now: datetime) -> TaskQuerySet:
    """The tasks that were done in the last week."""
    return Task.objects.filter(status=Task.Status.DONE, done_at__gte=now - timedelta(days=DONE_DAYS), done_at__lte=now)


def due_this_week(user: User, now: datetime) -> TaskQuerySet:
    """The open tasks whose minutes the week at hand has to hold, those that are due first coming first."""
    ends_at = Week.at(now, Calendar.current()).ends_at
    tasks = Task.objects.open().filter(owner=user, due_at__lt=ends_at)
    return tasks.exclude(snoozed_until__gte=ends_at).order_by("due_at", "pk")


def _done(now: datetime) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    found = done_lately(now).values_list("done_by", "outcome").annotate(Count("pk")).order_by()
    for person, outcome, count in found:
        counts[person or 0][outcome] += count
    return counts


def _outcome(key: str) -> str:
    return str(Task.Outcome(key).label) if key else "–"


def _leaves(people: Collection[int], now: datetime) -> dict[int, Leave]:
    """The leave of each that is on, or that begins soon."""
    today = Workspace.current().day(now)
    coming = Leave.objects.filter(
        user__in=people, ends_on__gte=today, starts_on__lte=today + timedelta(days=LEAVE_AHEAD_DAYS)
    )
    first: dict[int, Leave] = {}
    for leave in coming.select_related("cover").order_by("starts_on"):
        first.setdefault(leave.user_id, leave)
    return first
