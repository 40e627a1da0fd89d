"""What a queue without a task says: that all is done, and when something comes back; or how tasks come about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from accounts.attributes import Context
from accounts.models import User
from common import clock
from playbooks.models import Task
from playbooks.queries.queue import tasks_of


@dataclass(frozen=True, slots=True)
class EmptyQueue:
    """Whether there ever was a task, how many were finished today, and when the next snoozed one comes back."""

    is_new: bool
    done_today: int
    next_at: datetime | None


def empty_queue(user: User, *, is_team: bool, now: datetime) -> EmptyQueue:
    """The empty queue of one person, or of everybody; one query, which only an empty page asks."""
    context = Context.at(now)
    today = Q(status=Task.Status.DONE, done_at__gte=clock.start_of_day(context.today, context.zone))
    sleeping = Q(status=Task.Status.OPEN, snoozed_until__gt=now)
    counted = tasks_of(user, None if is_team else user).aggregate(
        all=Count("pk"), done=Count("pk", filter=today), next_at=Min("snoozed_until", filter=sleeping)
    )
    return EmptyQueue(counted["all"] == 0, counted["done"], counted["next_at"])
