"""What a rehearsal found, as figures that open to the accounts that make them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncWeek

from accounts.models import User
from outbox.models import ContactBudget
from playbooks.definition.parse import load
from playbooks.definition.steps import Act
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
ACTS = ("tasks", "mails", "over_budget")
"""The figures of what runs would have made."""


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
    return Figures(**counted, **made, over_budget=len(_over_budget(acts)))


def _over_budget(acts: QuerySet[RehearsedAct]) -> list[int]:
    """The mails that come when their reader has got as many as the budget allows within its days, by their ids."""
    budget = ContactBudget.current()
    if budget.most is None:
        return []
    got: dict[int, list[date]] = {}
    over: list[int] = []
    mails = acts.filter(contact__isnull=False).order_by("day", "pk").values_list("pk", "contact", "day")
    for pk, contact, day in mails:
        if contact is None:
            continue
        lately = [before for before in got.get(contact, []) if before > day - timedelta(days=budget.days)]
        if len(lately) >= budget.most:
            over.append(pk)
        else:
            lately.append(day)
        got[contact] = lately
    return over


def runs_of(rehearsal: Rehearsal, outcome: str) -> QuerySet[RehearsedRun]:
    """The runs that a figure counts, with their accounts."""
    return rehearsal.runs.filter(OUTCOMES.get(outcome, Q())).select_related("account__owner")


def acts_of(rehearsal: Rehearsal, figure: str) -> QuerySet[RehearsedAct]:
    """The actions that one of the figures ACTS counts, by day, with account, owner and contact."""
    acts = RehearsedAct.objects.filter(run__rehearsal=rehearsal).select_related("run__account", "owner", "contact")
    match figure:
        case "tasks":
            return acts.filter(makes_task=True)
        case "mails":
            return acts.filter(contact__isnull=False)
    return acts.filter(pk__in=_over_budget(acts))


def tasks_of(rehearsal: Rehearsal, *, week: date | None, owner: int | None) -> QuerySet[RehearsedAct]:
    """The tasks of the week that begins on a day, and of one CSM (0: nobody's); None for all of either."""
    acts = acts_of(rehearsal, "tasks")
    if week is not None:
        acts = acts.filter(day__gte=week, day__lt=week + timedelta(days=7))
    return acts if owner is None else acts.filter(owner=owner or None)


@dataclass(frozen=True, slots=True)
class OwnersTasks:
    """The tasks that one CSM, or nobody, would have got: how many in each week, and the minutes that these need."""

    owner: User | None
    counts: tuple[int, ...]
    minutes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TasksByWeek:
    """The tasks of each CSM, the one with the most first, in each of the weeks, which are told by their Mondays."""

    weeks: tuple[date, ...]
    owners: tuple[OwnersTasks, ...]


def tasks_by_week(rehearsal: Rehearsal) -> TasksByWeek:
    """The tasks by week and CSM; two queries."""
    acts = RehearsedAct.objects.filter(run__rehearsal=rehearsal, makes_task=True)
    grouped = acts.annotate(week=TruncWeek("day")).order_by().values_list("owner", "week", "step")
    needed = {step.id: step.action.minutes for step in load(rehearsal.definition).steps if isinstance(step, Act)}
    counts: dict[int | None, Counter[date]] = defaultdict(Counter)
    minutes: dict[int | None, Counter[date]] = defaultdict(Counter)
    for owner, week, step, count in grouped.annotate(Count("pk")):
        counts[owner][week] += count
        minutes[owner][week] += count * needed[step]
    people = User.objects.in_bulk([owner for owner in counts if owner is not None])
    first = rehearsal.first_day - timedelta(days=rehearsal.first_day.weekday())
    weeks = [first + timedelta(days=7 * n) for n in range((rehearsal.last_day - first).days // 7 + 1)]
    return TasksByWeek(
        tuple(weeks),
        tuple(
            OwnersTasks(
                people.get(owner) if owner is not None else None,
                tuple(counts[owner][week] for week in weeks),
                tuple(minutes[owner][week] for week in weeks),
            )
            for owner in sorted(counts, key=lambda owner: -counts[owner].total())
        ),
    )
