"""Playbooks as people look at them: how each stands, what it does step by step, and who is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts.models import User
from console.queries.paging import Page
from console.queries.playbook_words import names_in, next_steps
from playbooks.actions import Names
from playbooks.definition.steps import Act, Check, Step
from playbooks.models import Playbook, Run, RunQuerySet, Task

RECENT = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class PlaybookRow:
    """One playbook in the list: its runs by state, and the tasks that it made lately."""

    playbook: Playbook
    runs: Mapping[str, int]
    tasks: int

    @property
    def is_on(self) -> bool:
        return self.playbook.status == Playbook.Status.LIVE


def playbook_rows(user: User, *, now: datetime) -> list[PlaybookRow]:
    """Every playbook, with the runs and tasks on the accounts that ``user`` may see; three queries."""
    runs: dict[int, Counter[str]] = {}
    counted = Run.objects.visible_to(user).order_by().values_list("playbook_id", "state").annotate(Count("pk"))
    for playbook_id, state, count in counted:
        runs.setdefault(playbook_id, Counter())[state] = count
    made = Task.objects.visible_to(user).filter(run__isnull=False, created_at__gt=now - RECENT).order_by()
    tasks = dict(made.values_list("run__playbook_id").annotate(Count("pk")))
    return [
        PlaybookRow(playbook, runs.get(playbook.pk, Counter()), tasks.get(playbook.pk, 0))
        for playbook in Playbook.objects.select_related("live_version")
    ]


@dataclass(frozen=True, slots=True)
class Lately:
    """What came of one playbook in the last 28 days, and how many accounts are in it now."""

    entered: int
    recovered: int
    tasks: int
    at_work: int


def lately(playbook: Playbook, user: User, *, now: datetime) -> Lately:
    """The figures of one playbook on the accounts that ``user`` may see; two queries."""
    since = now - RECENT
    counts = (
        Run.objects.visible_to(user)
        .filter(playbook=playbook)
        .aggregate(
            entered=Count("pk", filter=Q(entered_at__gt=since)),
            recovered=Count("pk", filter=Q(state=Run.State.RECOVERED, ended_at__gt=since)),
            at_work=Count("pk", filter=Q(state__in=Run.LIVE)),
        )
    )
    made = Task.objects.visible_to(user).filter(run__playbook=playbook, created_at__gt=since)
    return Lately(tasks=made.count(), **counts)


def counts_by_state(playbook: Playbook, user: User) -> Counter[str]:
    """How many runs of the playbook are in each state; one query."""
    runs = Run.objects.visible_to(user).filter(playbook=playbook).order_by()
    return Counter(dict(runs.values_list("state").annotate(Count("pk"))))


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list: what it does next or what came of it, in words, and the task that it made."""

    run: Run
    words: str
    task: Task | None


def runs_of(playbook: Playbook, user: User) -> RunQuerySet:
    """The runs of the playbook on the accounts that ``user`` may see, with what a list shows of each."""
    runs = Run.objects.visible_to(user).filter(playbook=playbook)
    return runs.select_related("account__owner", "version")


def run_rows(page: Page[Run], user: User) -> list[RunRow]:
    """The rows of a page of runs; one query, and one for each kind of thing that next steps name."""
    tasks: dict[int, Task] = {}
    for task in Task.objects.visible_to(user).filter(run__in=[run.pk for run in page.rows]).order_by("pk"):
        if task.run_id is not None:
            tasks[task.run_id] = task
    steps = next_steps(page.rows)
    names = names_in(steps)
    return [
        RunRow(run, run_words(run, step, names), tasks.get(run.pk)) for run, step in zip(page.rows, steps, strict=True)
    ]


def run_words(run: Run, step: Step | None, names: Names) -> str:
    """What a run does next, or how it ended, in a few words."""
    match run.state:
        case Run.State.PARKED:
            return run.error
        case Run.State.RECOVERED:
            return _("Recovered before anybody had to act")
        case Run.State.FINISHED:
            return _("Went through every step")
        case Run.State.EXITED:
            return _("Left before the end")
    if run.held:
        return _("Stands still while the playbook is paused")
    return _next_words(step, names)


def _next_words(step: Step | None, names: Names) -> str:
    match step:
        case Check():
            return _("Waits, then is looked at again")
        case Act(action=action):
            return _("Waits, then: %(action)s") % {"action": action.words(names)}
    return _("Waits")
