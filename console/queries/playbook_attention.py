"""Runs that stand still until somebody helps, those with the same trouble together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from accounts.models import User
from playbooks.models import Playbook, Run, RunQuerySet

MOST_GROUPS = 50
SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """``count`` runs of a playbook at one step with one error; ``runs`` are some of them, the latest first."""

    playbook: Playbook
    step: str
    error: str
    count: int
    since: datetime
    sample: int
    runs: list[Run]


def parked_runs(user: User) -> RunQuerySet:
    """The parked runs of the accounts that ``user`` may see."""
    return Run.objects.visible_to(user).filter(state=Run.State.PARKED)


def alike(user: User, run: Run) -> RunQuerySet:
    """The parked runs with the same trouble as ``run``."""
    return parked_runs(user).filter(playbook=run.playbook, step=run.step, error=run.error)


def troubles(user: User) -> list[Trouble]:
    """The trouble that most runs have first; at most MOST_GROUPS, with three queries."""
    grouped = parked_runs(user).order_by().values("playbook", "step", "error")
    counted = grouped.annotate(count=Count("pk"), since=Min("due_at"), sample=Max("pk")).order_by("-count", "-sample")
    found = list(counted[:MOST_GROUPS])
    playbooks = Playbook.objects.in_bulk({one["playbook"] for one in found})
    some: dict[tuple[int, str, str], list[Run]] = {}
    latest = parked_runs(user).filter(playbook__in=playbooks).select_related("account").order_by("-pk")
    for run in latest[: MOST_GROUPS * SAMPLE * 4]:
        kept = some.setdefault((run.playbook_id, run.step, run.error), [])
        if len(kept) < SAMPLE:
            kept.append(run)
    return [
        Trouble(
            playbooks[one["playbook"]],
            one["step"],
            one["error"],
            one["count"],
            one["since"],
            one["sample"],
            some.get((one["playbook"], one["step"], one["error"]), []),
        )
        for one in found
    ]
