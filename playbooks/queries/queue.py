"""The queue: which tasks a person should do, in an order that can be read and explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType

from django.core.exceptions import EmptyResultSet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, Workspace
from common.errors import NotAllowed
from common.numerals import written
from common.sql import SQL, rows, value
from playbooks.models import Task, TaskQuerySet


def queue_for(user: User, now: datetime, *, owner: User | EllipsisType | None = ...) -> TaskQuerySet:
    """The awake open tasks of ``user``, the one to do first coming first.

    ``owner`` asks for another person's queue, and None for everybody's; raises NotAllowed for a CSM who does.
    """
    return (
        tasks_of(user, owner).awake(now).order_by("-priority", "id").select_related("account", "owner", "run__playbook")
    )


MOST_COUNTED = 2_000


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many open tasks there are: to do now, how many of those are overdue, and how many sleep.

    Nobody needs to know exactly beyond ``MOST_COUNTED``, which then stands for it and all that is more.
    """

    awake: int
    overdue: int
    snoozed: int


COUNTED = SQL("""
SELECT (SELECT count(*) FROM (SELECT FROM ({open}) t WHERE {awake} LIMIT {most}) awake),
       (SELECT count(*) FROM (SELECT FROM ({open}) t WHERE {awake} AND due_at < {now} LIMIT {most}) overdue),
       (SELECT count(*) FROM (SELECT FROM ({open}) t WHERE snoozed_until > {now} LIMIT {most}) snoozed)
""")
AWAKE = SQL("(snoozed_until IS NULL OR snoozed_until <= {now})")


def queue_counts(user: User, now: datetime, *, owner: User | EllipsisType | None = ...) -> QueueCounts:
    """The counts that belong to ``queue_for`` with the same arguments."""
    return count_tasks(tasks_of(user, owner).open(), now)


def count_tasks(open_tasks: TaskQuerySet, now: datetime) -> QueueCounts:
    """The counts of some open tasks."""
    try:
        sql, params = open_tasks.order_by().values("snoozed_until", "due_at").query.sql_with_params()
    except EmptyResultSet:
        return QueueCounts(0, 0, 0)
    at = value(now)
    [counts] = rows(
        COUNTED.format(open=SQL(sql, tuple(params)), awake=AWAKE.format(now=at), now=at, most=value(MOST_COUNTED))
    )
    return QueueCounts(*counts)


def tasks_of(user: User, owner: User | EllipsisType | None) -> TaskQuerySet:
    """The tasks of a queue in any state, as ``queue_for`` takes its arguments."""
    if owner is ...:
        owner = user
    if owner != user and user.role == User.Role.CSM:
        raise NotAllowed(_("You can open your own queue; ask a leader for the team's."))
    tasks = Task.objects.visible_to(user)
    return tasks if owner is None else tasks.filter(owner=owner)


@dataclass(frozen=True, slots=True)
class PriorityPart:
    """One factor of a task's priority, and what it comes from in words."""

    name: str
    factor: float
    words: str


@dataclass(frozen=True, slots=True)
class PriorityExplanation:
    """A task's priority and the factors whose product it is."""

    priority: float
    parts: tuple[PriorityPart, ...]

    @property
    def words(self) -> str:
        """One line such as ``2.3 × 1.5 × 3 = 10.35``."""
        factors = " × ".join(_number(part.factor) for part in self.parts)
        return f"{factors} = {_number(self.priority)}"


def explain_priority(task: Task) -> PriorityExplanation:
    """Why the task stands where it stands: value at risk, urgency, severity."""
    reasons = task.priority_reasons
    return PriorityExplanation(
        priority=task.priority,
        parts=(
            PriorityPart(_("Value at risk"), reasons["value"], _value_words(reasons)),
            PriorityPart(_("Urgency"), reasons["urgency"], _urgency_words(reasons["days_over"])),
            PriorityPart(_("Severity"), reasons["severity"], str(Task.Severity(reasons["severity"]).label)),
        ),
    )


def _value_words(reasons: dict[str, float | None]) -> str:
    mrr, average = reasons["mrr"], reasons["average"]
    if not average:
        return _("No customer pays yet, so all weigh the same.")
    return _("Pays %(mrr)s %(currency)s a month; the average customer pays %(average)s.") % {
        "mrr": _number(mrr or 0),
        "average": _number(average),
        "currency": Workspace.current().currency,
    }


def _urgency_words(days_over: int) -> str:
    if days_over > 0:
        return ngettext("Overdue by %(days)s day.", "Overdue by %(days)s days.", days_over) % {"days": days_over}
    if days_over == 0:
        return _("Due today.")
    return ngettext("Due in %(days)s day.", "Due in %(days)s days.", -days_over) % {"days": -days_over}


def _number(number: float) -> str:
    rounded = round(number, 2)
    return written(int(rounded) if rounded == int(rounded) else rounded)
