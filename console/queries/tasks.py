"""Rows of the queue: a task with what its list shows, for a page of tasks in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.attributes import Catalogue, Context, read_facts
from health.models import HealthScore
from playbooks.models import Task
from playbooks.record import Teller

COLUMNS = ("mrr", "renewal_on")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in a list: why it exists in sentences, its account's health, value (MRR a month) and renewal."""

    task: Task
    why: list[str]
    score: float | None
    band: str
    stale: int
    inputs: int
    mrr: Decimal | None
    renewal_on: date | None
    is_overdue: bool

    @property
    def reason(self) -> str:
        """Why it exists, in a line: what was seen last, or what the person who made it wrote."""
        written = self.task.guidance.partition("\n")[0]
        return self.why[-1] if self.why else written or _("Made by hand")


def task_rows(tasks: Iterable[Task], *, now: datetime) -> list[TaskRow]:
    """The rows of these tasks, in their order."""
    listed = list(tasks)
    if not listed:
        return []
    ids = {task.account_id for task in listed}
    context = Context.at(now)
    catalogue = Catalogue()
    facts = read_facts([catalogue[key] for key in COLUMNS], ids, context=context)
    teller = Teller(context.zone)
    scored = HealthScore.objects.overall().filter(account__in=ids).only("score", "band", "stale", "points")
    scores = {score.account_id: score for score in scored}
    rows = []
    for task in listed:
        health = scores.get(task.account_id)
        rows.append(
            TaskRow(
                task=task,
                why=teller.why(task.why),
                score=health.score if health else None,
                band=health.band if health else "",
                stale=health.stale if health else 0,
                inputs=sum(points is not None for points in health.points) if health else 0,
                mrr=facts[task.account_id]["mrr"].value,
                renewal_on=facts[task.account_id]["renewal_on"].value,
                is_overdue=task.due_at < now,
            )
        )
    return rows
