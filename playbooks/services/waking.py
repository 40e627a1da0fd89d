"""Runs that wait for a date or for a condition go on when it comes early: looked at for all of a step at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DataError, transaction
from django.db.models import QuerySet

from accounts.attributes import Scope
from accounts.calendar import MORNING, Calendar
from accounts.conditions import matching_ids
from common.clock import local_day
from common.doorbell import ring
from common.errors import DomainError
from common.sql import SQL, execute
from playbooks.definition.parse import load
from playbooks.definition.steps import Step, WaitForDate, WaitUntil
from playbooks.models import PlaybookVersion, Run

STANDING = SQL("""
SELECT account_id FROM playbooks_run
WHERE version_id = {version} AND step = {step} AND state = 'waiting' AND waiting_since IS NOT NULL
  AND NOT held AND due_at > {now}
""")
WAKE = SQL("""
UPDATE playbooks_run SET due_at = {now}
WHERE version_id = {version} AND step = {step} AND state = 'waiting' AND waiting_since IS NOT NULL
  AND NOT held AND due_at > {now} AND account_id IN ({matching})
""")


def wake_waiting(*, now: datetime) -> int:
    """Make those runs due whose condition holds, or whose date has been moved to today or before; returns how many.

    One statement a step. Whether a run then goes on is decided in its turn, which looks again. A step that cannot be
    looked at is left alone: its runs become due when their time is up, and say then what is wrong.
    """
    calendar, woken = Calendar.current(), 0
    for version, step_id in _standing(now):
        step = _step(version, step_id)
        condition = awaited(step, now, calendar) if step is not None else None
        if condition is None:
            continue
        named = {
            "version": SQL("%s::bigint", (version.pk,)),
            "step": SQL("%s", (step_id,)),
            "now": SQL("%s::timestamptz", (now,)),
        }
        try:
            scope = Scope.query(STANDING.format(**named))
            with transaction.atomic():
                woken += execute(WAKE.format(**named, matching=matching_ids(condition, now=now, scope=scope)))
        except (DomainError, DataError):
            continue
    if woken:
        ring("playbooks.tick")
    return woken


def _standing(now: datetime) -> list[tuple[PlaybookVersion, str]]:
    runs: QuerySet[Run] = Run.objects.filter(
        state=Run.State.WAITING, held=False, waiting_since__isnull=False, due_at__gt=now
    )
    places = list(runs.order_by().values_list("version_id", "step").distinct())
    versions = PlaybookVersion.objects.in_bulk({version_id for version_id, step in places})
    return [(versions[version_id], step) for version_id, step in places]


def _step(version: PlaybookVersion, step_id: str) -> Step | None:
    try:
        definition = load(version.definition)
    except DomainError:
        return None
    return definition.step(step_id) if definition.has_step(step_id) else None


def awaited(step: Step, now: datetime, calendar: Calendar) -> dict[str, object] | None:
    """The condition that lets a run that stands at ``step`` go on before its time; None when there is none."""
    match step:
        case WaitUntil():
            return step.condition
        case WaitForDate() if step.attribute:
            until_morning = timedelta(hours=MORNING.hour)
            return step.has_come(local_day(now - until_morning, calendar.zone))
    return None
