"""A rehearsal as its page shows it: figures side by side with what is live, and the tasks of each week as a plot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.models import User
from console.plots import short_day
from playbooks.actions import Names
from playbooks.definition.parse import load
from playbooks.definition.steps import Act
from playbooks.models import Playbook, Rehearsal, RehearsedAct
from playbooks.queries.capacity import staff_loads
from playbooks.queries.rehearsal import Figures, TasksByWeek, figures_of

MOST_SERIES = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the draft and of what is live; ``outcome`` is the list that it opens."""

    label: str
    shown: int
    live: int | None
    outcome: str
    note: str = ""


def figure_rows(shown: Figures, live: Figures | None) -> list[Row]:
    """The figures in the order in which one asks for them."""

    def row(label: str, name: str, *, note: str = "") -> Row:
        return Row(label, getattr(shown, name), getattr(live, name) if live else None, name, note)

    start = _("of them on the first day, since it was true of them already: %(count)s") % {"count": shown.from_start}
    return [
        row(_("Accounts that would have entered"), "entered", note=start if shown.from_start else ""),
        row(_("recovered in the wait"), "recovered"),
        row(_("reached the goal"), "reached"),
        row(_("left otherwise"), "exited"),
        row(_("fired: something was done"), "fired"),
        row(_("still in it on the last day"), "waiting"),
        row(_("Tasks made"), "tasks"),
        row(_("Mails to contacts"), "mails"),
        row(_("of them over the contact budget"), "over_budget"),
    ]


def latest(playbook: Playbook) -> tuple[Rehearsal | None, Rehearsal | None]:
    """The last rehearsal of the draft as it is now, and of the version that is live."""
    version = playbook.live_version
    drafts = playbook.rehearsals.filter(draft_number=playbook.draft_number) if playbook.draft else None
    lives = playbook.rehearsals.filter(version_number=version.number) if version else None
    return drafts.first() if drafts is not None else None, lives.first() if lives is not None else None


def figures(rehearsal: Rehearsal | None) -> Figures | None:
    """Its figures once it is complete."""
    return figures_of(rehearsal) if rehearsal is not None and rehearsal.is_complete else None


@dataclass(frozen=True, slots=True)
class Cell:
    """The tasks of one week, which begins on ``week``."""

    week: date
    count: int

    @property
    def label(self) -> str:
        return short_day(self.week)


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """The tasks of one CSM by week beside the hours that they have for work with customers; ``key`` is 0 for nobody.

    ``most_hours`` is what the tasks of the busiest week need, ``left`` the hours that are left this week.
    """

    key: int
    name: str
    total: int
    cells: tuple[Cell, ...]
    most_hours: float
    weekly_hours: int | None
    left: float | None

    @property
    def is_too_much(self) -> bool:
        return self.weekly_hours is not None and self.most_hours > self.weekly_hours


def owner_rows(found: TasksByWeek, *, now: datetime) -> list[OwnerRow]:
    """Every CSM who would have got tasks; one query."""
    loads = staff_loads(now)
    return [
        OwnerRow(
            key=one.owner.pk if one.owner else 0,
            name=_name(one.owner),
            total=sum(one.counts),
            cells=tuple(Cell(week, count) for week, count in zip(found.weeks, one.counts, strict=True)),
            most_hours=round(max(one.minutes) / 60, 1),
            weekly_hours=one.owner.weekly_hours if one.owner else None,
            left=round(loads[one.owner.pk].left / 60, 1) if one.owner else None,
        )
        for one in found.owners
    ]


def week_cells(found: TasksByWeek) -> list[Cell]:
    """The tasks of all in each week."""
    return [Cell(week, sum(one.counts[place] for one in found.owners)) for place, week in enumerate(found.weeks)]


def weeks_chart(found: TasksByWeek) -> dict[str, Any]:
    """Tasks by week, stacked by CSM, the busiest first."""
    return {
        "type": "bar",
        "stacked": True,
        "labels": [short_day(week) for week in found.weeks],
        "axis": _("Week of"),
        "series": list(_series(found)),
    }


def _series(found: TasksByWeek) -> list[dict[str, Any]]:
    shown = [{"label": _name(one.owner), "data": list(one.counts)} for one in found.owners[:MOST_SERIES]]
    if rest := [one.counts for one in found.owners[MOST_SERIES:]]:
        shown.append({"label": _("All others"), "data": [sum(some) for some in zip(*rest, strict=True)]})
    return shown


def _name(owner: User | None) -> str:
    return owner.name if owner is not None else _("Nobody's")


def busiest_week(found: TasksByWeek) -> tuple[int, str]:
    """The most tasks that one CSM would have got in a week, and who."""
    return max((max(one.counts), _name(one.owner)) for one in found.owners)


@dataclass(frozen=True, slots=True)
class Made:
    """One task or mail that would have been made, in words."""

    act: RehearsedAct
    words: str


def made(rehearsal: Rehearsal, acts: Iterable[RehearsedAct]) -> list[Made]:
    """What each of them would have done."""
    actions = {step.id: step.action for step in load(rehearsal.definition).steps if isinstance(step, Act)}
    names = Names(actions.values())
    return [Made(act, actions[act.step].words(names)) for act in acts]


def unkept(rehearsal: Rehearsal) -> list[str]:
    """The labels of the attributes that were judged by today's value."""
    catalogue = Catalogue()
    return [str(catalogue[key].label) if key in catalogue else key for key in rehearsal.judged_by_today]
