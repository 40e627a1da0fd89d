"""What the address of the queue asks for, and the tasks that answer it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Window
from django.db.models.functions import RowNumber
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Context
from accounts.conditions import ConditionError, Describer, Phrase, matching
from accounts.models import Account, User
from common import clock
from common.text import storable
from console.queries.accounts import sentence
from console.queries.tasks import TaskRow, task_rows
from playbooks.models import Playbook, Task, TaskQuerySet
from playbooks.models.task import NOBODYS
from playbooks.queries.queue import QueueCounts, count_tasks, tasks_of

QUICK = ("owner", "severity", "due", "kind", "playbook")
NOBODY = "nobody"
PAGE = 50
GROUPS = 12
MOST_IN_GROUP = 5
MOST_ROWS = 10**7

DUES: dict[str, str | Promise] = {
    "overdue": gettext_lazy("Overdue"),
    "today": gettext_lazy("Today"),
    "week": gettext_lazy("Within 7 days"),
    "later": gettext_lazy("Later than 7 days"),
}
KINDS: dict[str, tuple[str | Promise, Q]] = {
    "playbook": (gettext_lazy("From playbooks"), Q(run__isnull=False)),
    "manual": (gettext_lazy("Made by hand"), Q(run__isnull=True)),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on: what it narrows by, in words."""

    name: str
    label: str
    words: str


@dataclass(slots=True)
class WantedTasks:
    """What an address asks of the queue. What cannot be read falls back, save the condition, which is refused."""

    is_team: bool
    snoozed: bool
    grouped: bool
    offset: int
    condition_text: str
    owner: User | None = None
    chips: list[Chip] = field(default_factory=list)
    narrowing: list[Q] = field(default_factory=list)
    condition: Any = None
    words: Phrase | None = None
    problem: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.condition_text or self.snoozed or self.chips)

    def open_tasks(self, user: User, now: datetime) -> TaskQuerySet:
        """The open tasks that are asked for, snoozed ones included.

        Raises NotAllowed for a CSM who asks for another's, and ConditionError for a condition that is not valid.
        """
        tasks = tasks_of(user, None if self.is_team and self.owner is None else self.owner or user).open()
        if self.narrowing:
            tasks = tasks.filter(*self.narrowing)
        if self.condition is not None:
            tasks = tasks.filter(account__in=matching(Account.objects.all(), self.condition, now=now))
        return tasks

    def listed(self, tasks: TaskQuerySet, now: datetime) -> TaskQuerySet:
        """Those of them that are listed, in their order."""
        if self.snoozed:
            return tasks.filter(snoozed_until__gt=now).order_by("snoozed_until", "id")
        return tasks.awake(now).order_by("-priority", "id")


def read_wanted(query: QueryDict, *, now: datetime) -> WantedTasks:
    """What ``query`` asks for."""
    raw = query.get("from", "")
    wanted = WantedTasks(
        is_team=query.get("whose") == "team",
        snoozed=query.get("state") == "snoozed",
        grouped=query.get("group") == "account",
        offset=min(int(raw), MOST_ROWS) if raw.isascii() and raw.isdigit() and len(raw) < 9 else 0,
        condition_text=query.get("condition", "").strip()[:20_000],
    )
    given = {name: query.get(name, "") for name in QUICK}
    if wanted.is_team and given["owner"] == NOBODY:
        wanted.narrowing.append(NOBODYS)
        wanted.chips.append(Chip("owner", _("CSM"), _("Nobody who is here")))
    elif wanted.is_team and _is_number(given["owner"]):
        wanted.owner = User.objects.filter(pk=int(given["owner"])).first()
        if wanted.owner is not None:
            wanted.chips.append(Chip("owner", _("CSM"), wanted.owner.name))
    severities = {str(key): str(label) for key, label in Task.Severity.choices}
    if given["severity"] in severities:
        wanted.narrowing.append(Q(severity=int(given["severity"])))
        wanted.chips.append(Chip("severity", _("Severity"), severities[given["severity"]]))
    if given["due"] in DUES:
        wanted.narrowing.append(_due(given["due"], now))
        wanted.chips.append(Chip("due", _("Due"), str(DUES[given["due"]])))
    if given["kind"] in KINDS:
        wanted.narrowing.append(KINDS[given["kind"]][1])
        wanted.chips.append(Chip("kind", _("Kind"), str(KINDS[given["kind"]][0])))
    if given["playbook"] and storable(given["playbook"]):
        playbook = Playbook.objects.filter(key=given["playbook"]).first()
        if playbook is not None:
            wanted.narrowing.append(Q(run__playbook=playbook))
            wanted.chips.append(Chip("playbook", _("Playbook"), playbook.name))
    if wanted.condition_text:
        _read_condition(wanted, now)
    return wanted


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _due(which: str, now: datetime) -> Q:
    context = Context.at(now)
    tomorrow = clock.start_of_day(context.today + timedelta(days=1), context.zone)
    week = clock.start_of_day(context.today + timedelta(days=8), context.zone)
    return {
        "overdue": Q(due_at__lt=now),
        "today": Q(due_at__gte=clock.start_of_day(context.today, context.zone), due_at__lt=tomorrow),
        "week": Q(due_at__gte=now, due_at__lt=week),
        "later": Q(due_at__gte=week),
    }[which]


def _read_condition(wanted: WantedTasks, now: datetime) -> None:
    try:
        condition = json.loads(wanted.condition_text)
        matching(Account.objects.none(), condition, now=now)
    except ConditionError as error:
        wanted.problem = sentence(error)
    except (ValueError, RecursionError):
        wanted.problem = _("This is not JSON; check its quotes, commas and brackets.")
    else:
        wanted.condition, wanted.words = condition, Describer().describe(condition)


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """The tasks of one account: how many there are, and the first of them."""

    account_id: int
    size: int
    rows: list[TaskRow]

    @property
    def first(self) -> TaskRow:
        return self.rows[0]

    @property
    def hidden(self) -> int:
        """How many of its tasks are not shown."""
        return self.size - len(self.rows)


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue: rows, or groups of them, how many come before, and whether more come after."""

    rows: list[TaskRow]
    groups: list[TaskGroup]
    counts: QueueCounts
    has_more: bool
    step: int


def queue_page(wanted: WantedTasks, *, user: User, now: datetime) -> QueuePage:
    """The page that is wanted; a problem with the condition leaves it empty."""
    if wanted.problem:
        return QueuePage([], [], QueueCounts(0, 0, 0), has_more=False, step=PAGE)
    tasks = wanted.open_tasks(user, now)
    counts = count_tasks(tasks, now)
    listed = wanted.listed(tasks, now)
    if wanted.grouped:
        groups = _groups(listed, offset=wanted.offset, now=now)
        return QueuePage([], groups[:GROUPS], counts, has_more=len(groups) > GROUPS, step=GROUPS)
    rows = task_rows(listed[wanted.offset : wanted.offset + PAGE + 1], now=now)
    return QueuePage(rows[:PAGE], [], counts, has_more=len(rows) > PAGE, step=PAGE)


def _groups(listed: TaskQuerySet, *, offset: int, now: datetime) -> list[TaskGroup]:
    """Accounts in the order of their first task; the first tasks of each."""
    sizes = (
        listed.order_by()
        .values("account_id")
        .annotate(top=Max("priority"), size=Count("pk"))
        .order_by("-top", "account_id")[offset : offset + GROUPS + 1]
    )
    counted = {row["account_id"]: row["size"] for row in sizes}
    first = listed.filter(account__in=list(counted)).annotate(
        place=Window(RowNumber(), partition_by=["account_id"], order_by=["-priority", "id"])
    )
    found: dict[int, list[TaskRow]] = {pk: [] for pk in counted}
    for row in task_rows(first.filter(place__lte=MOST_IN_GROUP), now=now):
        found[row.account_id].append(row)
    return [TaskGroup(pk, size, found[pk]) for pk, size in counted.items() if found[pk]]
