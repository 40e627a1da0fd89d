"""What a rehearsal found, as figures that open to the accounts that make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncWeek

from accounts.models import User
from outbox.models import ContactBudget
from playbooks.models import Rehearsal, RehearsedAct, RehearsedRun, Run

OUTCOMES: dict[str, Q] = {
    "entered": Q(),
    "recovered": Q(state=Run.State.RECOVERED),
    "reached": Q(state=Run.State.REACHED),
    "fired": Q(fired_on__isnull=False),
    "exited": Q(state=Run.State.EXITED),
    "waiting": Q(state=Run.State.WAITING),
}
"""The figures of runs: which of them each counts."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of runs, and of what they would have made.

    ``from_start`` of those that entered did so on the first day, when the entry was true of them already.
    ``over_budget`` of the mails would have been held back by the contact budget, other mail left out of account.
    """

    entered: int
    from_start: int
    recovered: int
    reached: int
    fired: int
    exited: int
    waiting: int
    tasks: int
    mails: int
    over_budget: int


def figures_of(rehearsal: Rehearsal) -> Figures:
    """The figures of a complete rehearsal; three queries."""
    counted = rehearsal.runs.aggregate(
        from_start=Count("pk", filter=Q(is_from_start=True)),
        **{name: Count("pk", filter=which) if which else Count("pk") for name, which in OUTCOMES.items()},
    )
    acts = RehearsedAct.objects.filter(run__rehearsal=rehearsal)
    made = acts.aggregate(
        tasks=Count("pk", filter=Q(makes_task=True)), mails=Count("pk", filter=Q(contact__isnull=False))
    )
    return Figures(**counted, **made, over_budget=_over_budget(acts))


def _over_budget(acts: QuerySet[RehearsedAct]) -> int:
    """How many mails come when their reader has got as many as the budget allows within its days."""
    budget = ContactBudget.current()
    if budget.most is None:
        return 0
    got: dict[int, list[date]] = {}
    over = 0
    mails = acts.filter(contact__isnull=False).order_by("day", "pk").values_list("contact", "day")
    for contact, day in mails:
        if contact is None:
            continue
        lately = [before for before in got.get(contact, []) if before > day - timedelta(days=budget.days)]
        if len(lately) >= budget.most:
            over += 1
        else:
            lately.append(day)
        got[contact] = lately
    return over


def runs_of(rehearsal: Rehearsal, outcome: str) -> QuerySet[RehearsedRun]:
    """The runs that a figure counts, with their accounts."""
    return rehearsal.runs.filter(OUTCOMES.get(outcome, Q())).select_related("account__owner")


@dataclass(frozen=True, slots=True)
class Week:
    """The tasks of one week by CSM; ``by_owner`` in the order of the owners of ``tasks_by_week``."""

    first_day: date
    by_owner: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TasksByWeek:
    """The tasks that each CSM would have got in each week; the last of ``owners`` may be everybody else together."""

    owners: tuple[User | None, ...]
    weeks: tuple[Week, ...]


def tasks_by_week(rehearsal: Rehearsal) -> TasksByWeek:
    """The tasks by week and CSM, CSMs with the most first; two queries."""
    acts = RehearsedAct.objects.filter(run__rehearsal=rehearsal, makes_task=True)
    counted = acts.annotate(week=TruncWeek("day")).order_by().values_list("week", "owner").annotate(Count("pk"))
    counts = {(week, owner): count for week, owner, count in counted}
    totals: dict[int | None, int] = {}
    for (_week, owner), count in counts.items():
        totals[owner] = totals.get(owner, 0) + count
    order = sorted(totals, key=lambda owner: -totals[owner])
    people = User.objects.in_bulk([owner for owner in order if owner is not None])
    first = rehearsal.first_day - timedelta(days=rehearsal.first_day.weekday())
    weeks = [first + timedelta(days=7 * n) for n in range((rehearsal.last_day - first).days // 7 + 1)]
    return TasksByWeek(
        owners=tuple(people.get(owner) if owner is not None else None for owner in order),
        weeks=tuple(Week(week, tuple(counts.get((week, owner), 0) for owner in order)) for week in weeks),
    )
