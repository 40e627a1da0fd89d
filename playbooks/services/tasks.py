"""What people do with tasks. Each change is conditional on the task being as it was seen, and goes into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ParamSpec

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.models import Account, User
from accounts.services.ledger import record
from common.errors import Conflict, DomainError, NotAllowed
from common.text import one_line, storable
from playbooks.capacity import ESTIMATES
from playbooks.covers import cover_for
from playbooks.handing import given
from playbooks.models import Run, Task, TaskSeries
from playbooks.services.priorities import number_tasks
from playbooks.services.worsening import state_of

P = ParamSpec("P")
OPEN = Q(status=Task.Status.OPEN)
LONGEST_TITLE = 300
LONGEST_TEXT = 10_000
MOST_ITEMS = 30
MOST_MINUTES = 40 * 60


@transaction.atomic
def write_task(
    *,
    account: Account,
    owner: User | None,
    title: str,
    due_at: datetime,
    now: datetime,
    guidance: str = "",
    severity: int = Task.Severity.NORMAL,
    minutes: int | None = None,
    handed: Sequence[dict[str, Any]] = (),
    why: Sequence[dict[str, Any]] = (),
    checklist: Sequence[str] = (),
    series: TaskSeries | None = None,
    run: Run | None = None,
    dedupe_key: str | None = None,
    by: User | None = None,
) -> Task:
    """Give ``owner`` something to do for ``account``, which the caller numbers in the same transaction.

    With a ``dedupe_key`` that is taken, return the task that has it.

    ``why`` is what was seen, as ``playbooks.record`` makes it, and ``handed`` how ``owner`` was found, as
    ``playbooks.handing`` does. ``minutes`` are those of the severity when they are not given.
    While ``owner`` is on leave, what is high or urgent and due before they are back goes to whoever covers for them;
    the rest waits for them, and so does what they make for themselves.
    Raises DomainError for a title, a text, a severity or minutes that cannot be kept, and NotAllowed for a person who
    only reads.
    """
    _must_edit(by)
    severity = _checked_severity(severity)
    stands_in = None
    if owner is not None and owner != by and severity >= Task.Severity.HIGH:
        stands_in = cover_for(owner, due_at=due_at, now=now)
    if stands_in is not None:
        owner, handed = stands_in.user, [*handed, stands_in.words]
    task = Task(
        account=account,
        owner=owner,
        title=_checked_title(title),
        guidance=_checked_text(guidance, "guidance"),
        severity=severity,
        minutes=_checked_minutes(ESTIMATES[Task.Severity(severity)] if minutes is None else minutes),
        handed=list(handed),
        why=list(why),
        checklist=checked_items(checklist),
        series=series,
        run=run,
        dedupe_key=dedupe_key,
        due_at=due_at,
        created_at=now,
    )
    try:
        with transaction.atomic():
            task.save(force_insert=True)
    except IntegrityError:
        kept = Task.objects.filter(dedupe_key=dedupe_key).first() if dedupe_key else None
        if kept is None:
            raise
        return kept
    _tell(task, "task.created", by, now, owner=owner.pk if owner else None)
    return task


def _numbered(write: Callable[P, Task]) -> Callable[P, Task]:
    @transaction.atomic
    def create(*args: P.args, **given: P.kwargs) -> Task:
        task = write(*args, **given)
        if not task.priority_reasons:
            number_tasks([task.pk], now=task.created_at)
            task.refresh_from_db(fields=["priority", "priority_reasons"])
        return task

    return create


create_task = _numbered(write_task)
"""``write_task``, and the task's place in the queue."""


@transaction.atomic
def complete_task(*, task: Task, by: User, outcome: str, note: str, now: datetime) -> Task:
    """Close the task with its outcome (one of Task.Outcome, or none); raises Conflict when it is no longer open."""
    _must_edit(by)
    if outcome and outcome not in Task.Outcome.values:
        known = ", ".join(Task.Outcome.values)
        raise DomainError(
            _("“%(outcome)s” is not an outcome; use one of: %(known)s.") % {"outcome": outcome[:40], "known": known},
            code="unknown_outcome",
            fields={"outcome": _("Use one of: %(known)s.") % {"known": known}},
        )
    _change(
        task,
        OPEN,
        now,
        status=Task.Status.DONE,
        outcome=outcome,
        note=_checked_text(note, "note"),
        done_at=now,
        done_by=by,
        snoozed_until=None,
    )
    _tell(task, "task.done", by, now, outcome=outcome, note=note)
    return task


@transaction.atomic
def reopen_task(*, task: Task, by: User, now: datetime) -> Task:
    """Take back that the task was finished or cancelled, keeping its note; raises Conflict when it is open."""
    _must_edit(by)
    _change(task, ~OPEN, now, status=Task.Status.OPEN, outcome="", done_at=None, done_by=None)
    number_tasks([task.pk], now=now)
    task.refresh_from_db(fields=["priority", "priority_reasons"])
    _tell(task, "task.reopened", by, now)
    return task


@transaction.atomic
def cancel_task(*, task: Task, by: User | None, note: str, now: datetime) -> Task:
    """Close the task as not worth doing; raises Conflict when it is no longer open."""
    _must_edit(by)
    _change(task, OPEN, now, status=Task.Status.CANCELLED, note=_checked_text(note, "note"), snoozed_until=None)
    _tell(task, "task.cancelled", by, now, note=note)
    return task


@transaction.atomic
def snooze_task(*, task: Task, by: User, until: datetime, now: datetime, or_worse: bool = False) -> Task:
    """Hide the open task from the queue until ``until``, which must lie ahead; raises Conflict when it is closed.

    With ``or_worse`` it comes back before when things get worse than they are now.
    """
    _must_edit(by)
    if until <= now:
        message = _("Choose a time that is still to come.")
        raise DomainError(message, code="snooze_in_the_past", fields={"until": message})
    state = state_of(task, now=now) if or_worse else None
    _change(task, OPEN, now, snoozed_until=until, snoozed_for=state, woken=None)
    _tell(task, "task.snoozed", by, now, until=until.isoformat(), or_worse=or_worse)
    return task


@transaction.atomic
def unsnooze_task(*, task: Task, by: User, now: datetime) -> Task:
    """Bring a snoozed task back into the queue now; raises Conflict when it is closed."""
    _must_edit(by)
    _change(task, OPEN, now, snoozed_until=None, snoozed_for=None)
    _tell(task, "task.woken", by, now)
    return task


@transaction.atomic
def reassign_task(*, task: Task, to: User, by: User, now: datetime, note: str = "") -> Task:
    """Give the open task to somebody else, who must be able to work on its account; raises Conflict when closed."""
    _must_edit(by)
    note = one_line(_checked_text(note, "note"))
    if not to.is_active or not to.can_edit or not Account.objects.visible_to(to).filter(pk=task.account_id).exists():
        message = _("%(name)s cannot work on this account; choose somebody who can.") % {"name": to}
        raise DomainError(message, code="unsuitable_owner", fields={"to": message})
    before = task.owner
    handed = given(by=by.name, before=before.name if before else "", note=note)
    _change(task, OPEN, now, owner=to, handed=[*task.handed, handed])
    _tell(
        task,
        "task.reassigned",
        by,
        now,
        **{"from": before.pk if before else None, "to": to.pk, "name": to.name, "note": note},
    )
    return task


@transaction.atomic
def tick_item(*, task: Task, place: int, is_done: bool, by: User, now: datetime) -> Task:
    """Tick or untick an item of the open task's checklist; raises Conflict when it is closed or has no such item."""
    _must_edit(by)
    kept = Task.objects.select_for_update().filter(OPEN, pk=task.pk).first()
    if kept is None or not 0 <= place < len(kept.checklist):
        task.refresh_from_db()
        raise Conflict(_("The checklist is not as it was any more; look at the task again."), code="task_changed")
    item = kept.checklist[place]
    if bool(item["done"]) != is_done:
        item["done"] = {"at": now.isoformat(), "by": by.pk, "name": by.name} if is_done else None
        kept.save(update_fields=["checklist"])
    task.checklist = kept.checklist
    return task


def checked_items(items: Sequence[str]) -> list[dict[str, Any]]:
    """A checklist of which nothing is done; raises DomainError for items that cannot be kept."""
    lines = [line for line in map(one_line, items) if line]
    if len(lines) > MOST_ITEMS or any(len(line) > LONGEST_TITLE or not storable(line) for line in lines):
        message = _("Give at most %(most)s items of at most %(longest)s ordinary characters.") % {
            "most": MOST_ITEMS,
            "longest": LONGEST_TITLE,
        }
        raise DomainError(message, code="bad_checklist", fields={"checklist": message})
    return [{"text": line, "done": None} for line in lines]


def _change(task: Task, expected: Q, now: datetime, **values: Any) -> None:
    """Change the row only if it is still as ``expected``, and make ``task`` show what the row says."""
    changed = Task.objects.filter(expected, pk=task.pk).update(**values)
    task.refresh_from_db()
    if not changed:
        raise Conflict(_whose_change(task, now), code="task_changed")


def _whose_change(task: Task, now: datetime) -> str:
    if task.status == Task.Status.OPEN:
        return _("This task is open already.")
    if task.status == Task.Status.CANCELLED:
        return _("This task was cancelled in the meantime.")
    name = task.done_by or _("Somebody")
    if task.done_at is None or (now - task.done_at).total_seconds() < 60:
        return _("%(name)s finished this task just now.") % {"name": name}
    return _("%(name)s finished this task %(time)s ago.") % {
        "name": name,
        "time": timesince(task.done_at, now, depth=1),
    }


def _tell(task: Task, kind: str, by: User | None, now: datetime, **data: Any) -> None:
    record(
        account=task.account,
        kind=kind,
        happened_at=now,
        user=by,
        data={"task": task.pk, "title": task.title, **data},
    )


def _must_edit(by: User | None) -> None:
    if by is not None and not by.can_edit:
        raise NotAllowed(_("You can look at tasks but not change them; ask an admin for another role."))


def _checked_title(title: str) -> str:
    line = one_line(title)
    if not line or len(line) > LONGEST_TITLE or not storable(line):
        message = _("Give a title of 1 to %(most)s characters.") % {"most": LONGEST_TITLE}
        raise DomainError(message, code="bad_title", fields={"title": message})
    return line


def _checked_text(text: str, field: str) -> str:
    if len(text) > LONGEST_TEXT or not storable(text):
        message = _("Give a text of at most %(most)s ordinary characters.") % {"most": LONGEST_TEXT}
        raise DomainError(message, code="bad_text", fields={field: message})
    return text


def _checked_minutes(minutes: int) -> int:
    if not 1 <= minutes <= MOST_MINUTES:
        message = _("Give 1 to %(most)s minutes.") % {"most": MOST_MINUTES}
        raise DomainError(message, code="bad_minutes", fields={"minutes": message})
    return minutes


def _checked_severity(severity: int) -> int:
    if severity not in Task.Severity.values:
        message = _("Give a severity from 1 (low) to 4 (urgent).")
        raise DomainError(message, code="bad_severity", fields={"severity": message})
    return severity
