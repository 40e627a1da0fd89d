"""A rehearsal as its page shows it: figures side by side with what is live, and the tasks of each week as a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.models import User
from console.plots import short_day
from playbooks.models import Playbook, Rehearsal
from playbooks.queries.rehearsal import Figures, TasksByWeek, figures_of, tasks_by_week

MOST_SERIES = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the draft and of what is live; ``outcome`` is the list that it opens, empty for none."""

    label: str
    shown: int
    live: int | None
    outcome: str = ""
    note: str = ""


def figure_rows(shown: Figures, live: Figures | None) -> list[Row]:
    """The figures in the order in which one asks for them."""

    def row(label: str, name: str, *, opens: bool = True, note: str = "") -> Row:
        return Row(label, getattr(shown, name), getattr(live, name) if live else None, name if opens else "", note)

    start = _("of them on the first day, since it was true of them already: %(count)s") % {"count": shown.from_start}
    return [
        row(_("Accounts that would have entered"), "entered", note=start if shown.from_start else ""),
        row(_("recovered in the wait"), "recovered"),
        row(_("reached the goal"), "reached"),
        row(_("left otherwise"), "exited"),
        row(_("fired: something was done"), "fired"),
        row(_("still in it on the last day"), "waiting"),
        row(_("Tasks made"), "tasks", opens=False),
        row(_("Mails to contacts"), "mails", opens=False),
        row(_("of them over the contact budget"), "over_budget", opens=False),
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


def weeks_chart(rehearsal: Rehearsal) -> dict[str, Any] | None:
    """Tasks by week, stacked by CSM, the busiest first; None when there are none."""
    found = tasks_by_week(rehearsal)
    if not found.owners:
        return None
    return {
        "type": "bar",
        "stacked": True,
        "labels": [short_day(week.first_day) for week in found.weeks],
        "axis": _("Week of"),
        "series": list(_series(found)),
    }


def _series(found: TasksByWeek) -> list[dict[str, Any]]:
    named = [_name(owner) for owner in found.owners]
    each = [[week.by_owner[place] for week in found.weeks] for place in range(len(found.owners))]
    shown = [{"label": name, "data": data} for name, data in zip(named, each, strict=True)][:MOST_SERIES]
    if rest := each[MOST_SERIES:]:
        shown.append({"label": _("All others"), "data": [sum(some) for some in zip(*rest, strict=True)]})
    return shown


def _name(owner: User | None) -> str:
    return owner.name if owner is not None else _("Nobody's")


def busiest_week(rehearsal: Rehearsal) -> tuple[int, str] | None:
    """The most tasks that one CSM would have got in a week, and who."""
    found = tasks_by_week(rehearsal)
    most = [(week.by_owner[place], _name(owner)) for week in found.weeks for place, owner in enumerate(found.owners)]
    return max(most, default=None)


def unkept(rehearsal: Rehearsal) -> list[str]:
    """The labels of the attributes that were judged by today's value."""
    catalogue = Catalogue()
    return [str(catalogue[key].label) if key in catalogue else key for key in rehearsal.judged_by_today]
