"""How much work people have and how much they can still take on: the figures, and the choices made from them.

For a person, in the *week at hand*, in minutes:

    hours left = weekly hours / 5 × working days left - minutes due

- *working days left*: the days of the week, Monday to Sunday, that are neither weekend nor one of the workspace's
  holidays, and on which the person is not on leave. Today counts with the part of it that lies ahead, nine to five.
- *minutes due*: the estimates of their open tasks that are due by the end of the week, overdue ones included; those
  that are snoozed beyond it are not.
- The *week at hand* is this one as long as any working time is left in it, else the next that has any: on a Friday
  evening people are asked what they can do next week.

It may be below 0: then more is due than there are hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heapify, heapreplace

from accounts.calendar import Calendar
from common import clock
from playbooks.models import Task

WORKING_DAYS = 5
DAYS = 7
STANDING_MINUTES = 30
"""What an account is taken to need of its owner each week beside its tasks, when many are spread over people."""
ESTIMATES = {
    Task.Severity.LOW: 15,
    Task.Severity.NORMAL: 30,
    Task.Severity.HIGH: 60,
    Task.Severity.URGENT: 90,
}
"""The minutes that a task is taken to need when nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Week:
    """The week at hand: its first day, when it ends, and of each of its days the part that can still be worked."""

    first: date
    ends_at: datetime
    days: Mapping[date, float]

    @classmethod
    def at(cls, now: datetime, calendar: Calendar) -> Week:
        """The week at hand at ``now``."""
        today = now.astimezone(calendar.zone).date()
        first = today - timedelta(days=today.weekday())
        while True:
            listed = [first + timedelta(days=number) for number in range(DAYS)]
            days = {day: calendar.ahead_of(day, now) for day in listed}
            if any(days.values()):
                return cls(first, clock.start_of_day(first + timedelta(days=DAYS), calendar.zone), days)
            first += timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has on their hands: minutes that they can work in the week at hand, and that are due in it.

    ``open`` and ``overdue`` are their tasks that are not snoozed, as their queue has them.
    """

    user_id: int
    is_senior: bool
    is_away: bool
    works: int
    due: int
    accounts: int
    open: int
    overdue: int

    @property
    def left(self) -> int:
        """The minutes that they can still take on; below 0 when more is due than they can do."""
        return self.works - self.due


def spread(weights: Iterable[int], people: Sequence[Load]) -> list[Load]:
    """Who gets each of the pieces of work, ``weights`` being their minutes, so that hours left stay even.

    Each goes to whoever has most minutes left after what they got already; of equals to the one with the fewest
    accounts, then the one who is here longest. ``people`` has at least one.
    """
    heap = [(-person.left, person.accounts, person.user_id, person) for person in people]
    heapify(heap)
    chosen = []
    for weight in weights:
        taken, accounts, key, person = heap[0]
        chosen.append(person)
        heapreplace(heap, (taken + weight, accounts + 1, key, person))
    return chosen


def take_turns(count: int, people: Iterable[int], last: int) -> list[int]:
    """Whose turn it is, ``count`` times, among ``people`` by their ids, after the one whose turn was ``last``."""
    ordered = sorted(people)
    begin = sum(person <= last for person in ordered)
    return [ordered[(begin + number) % len(ordered)] for number in range(count)]
