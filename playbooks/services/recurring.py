"""Tasks that come again: the days on which they do, and making those that are due, each exactly once."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.attributes import Context
from accounts.calendar import Calendar
from accounts.models import Account, User
from common.errors import DomainError
from playbooks.models import Task, TaskSeries
from playbooks.services.tasks import cancel_task, checked_items, create_task

DAY_ENDS = time(17)
MOST_AT_ONCE = 500


def day_of(series: TaskSeries, turn: int) -> date:
    """The day of the series' task number ``turn``, from 0: months keep their day, or end where they are shorter."""
    first, steps = series.starts_on, turn * series.every
    if series.unit == TaskSeries.Unit.DAY:
        return first + timedelta(days=steps)
    if series.unit == TaskSeries.Unit.WEEK:
        return first + timedelta(weeks=steps)
    year, month = divmod(first.year * 12 + first.month - 1 + steps, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def day_after(series: TaskSeries, day: date) -> date | None:
    """The first day of the series after ``day``; None when it has ended by then."""
    turn = max(0, (day - series.starts_on).days // (31 * series.every + 31)) if series.unit == "month" else 0
    if series.unit != TaskSeries.Unit.MONTH and day >= series.starts_on:
        step = series.every * (7 if series.unit == TaskSeries.Unit.WEEK else 1)
        turn = (day - series.starts_on).days // step
    found = day_of(series, turn)
    while found <= day:
        turn += 1
        found = day_of(series, turn)
    return None if series.ends_on is not None and found > series.ends_on else found


@transaction.atomic
def start_series(
    *,
    account: Account,
    owner: User,
    title: str,
    unit: str,
    every: int,
    starts_on: date,
    by: User,
    now: datetime,
    ends_on: date | None = None,
    guidance: str = "",
    checklist: Sequence[str] = (),
    severity: int = Task.Severity.NORMAL,
    minutes: int | None = None,
) -> TaskSeries:
    """Let a task come again and again, and make the first one at once when its day is here.

    Raises DomainError when the days make no sense, and as ``create_task`` does.
    """
    today = Context.at(now).today
    if starts_on < today or (ends_on is not None and ends_on < starts_on):
        message = _("Begin today or later, and end after that.")
        raise DomainError(message, code="bad_days", fields={"ends_on": message})
    if unit not in TaskSeries.Unit.values or not 1 <= every <= 365:
        message = _("Let it come again after 1 to 365 days, weeks or months.")
        raise DomainError(message, code="bad_interval", fields={"every": message})
    series = TaskSeries.objects.create(
        account=account,
        owner=owner,
        title=title,
        guidance=guidance,
        checklist=[item["text"] for item in checked_items(checklist)],
        severity=severity,
        minutes=minutes,
        unit=unit,
        every=every,
        starts_on=starts_on,
        ends_on=ends_on,
        next_on=starts_on,
        created_at=now,
    )
    make_due_tasks(now=now)
    series.refresh_from_db()
    return series


@transaction.atomic
def change_series(
    *,
    series: TaskSeries,
    title: str,
    guidance: str,
    checklist: Sequence[str],
    severity: int,
    ends_on: date | None,
    now: datetime,
) -> TaskSeries:
    """Change the tasks of the series that are still to come, and until when they do."""
    series.title, series.guidance, series.severity, series.ends_on = title, guidance, severity, ends_on
    series.checklist = [item["text"] for item in checked_items(checklist)]
    if series.next_on is not None:
        yesterday = Context.at(now).today - timedelta(days=1)
        series.next_on = day_after(series, max(yesterday, series.next_on - timedelta(days=1)))
    series.save()
    return series


@transaction.atomic
def stop_series(*, series: TaskSeries) -> TaskSeries:
    """Let no further task of the series come; those that are there stay."""
    series.next_on = None
    series.save(update_fields=["next_on"])
    return series


@transaction.atomic
def take_back_series(*, series: TaskSeries, by: User, now: datetime) -> TaskSeries:
    """Undo that the series was started: it stops, and its tasks that are still open are closed as not worth doing."""
    for task in Task.objects.open().filter(series=series).select_related("account"):
        cancel_task(task=task, by=by, note="", now=now)
    return stop_series(series=series)


@transaction.atomic
def go_on_with_series(*, series: TaskSeries, now: datetime) -> TaskSeries:
    """Take back that the series was stopped: it goes on with its next day from tomorrow."""
    series.next_on = day_after(series, Context.at(now).today)
    series.save(update_fields=["next_on"])
    return series


@transaction.atomic
def make_due_tasks(*, now: datetime) -> int:
    """Make the tasks whose day has come, one a series: days that were missed are not made up. Returns how many.

    On a weekend or a holiday none is made; what fell on it comes on the next working day, one task again.
    Each is made once, whoever else does this at the same time: a series is locked while its day is moved on, and the
    task carries the series and the day as its key.
    """
    context = Context.at(now)
    if not Calendar.current().is_business_day(context.today):
        return 0
    due = (
        TaskSeries.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(next_on__lte=context.today, account__ended_at=None)
        .select_related("account__owner", "owner")
        .order_by(F("next_on"), "id")[:MOST_AT_ONCE]
    )
    made = 0
    for series in due:
        assert series.next_on is not None
        owner = series.owner if series.owner is not None and series.owner.is_active else series.account.owner
        create_task(
            account=series.account,
            owner=owner,
            title=series.title,
            guidance=series.guidance,
            checklist=series.checklist,
            severity=series.severity,
            minutes=series.minutes,
            due_at=datetime.combine(context.today, DAY_ENDS, tzinfo=context.zone),
            series=series,
            dedupe_key=f"series:{series.pk}:{series.next_on.isoformat()}",
            now=now,
        )
        series.next_on = day_after(series, context.today)
        series.save(update_fields=["next_on"])
        made += 1
    return made
