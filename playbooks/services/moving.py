"""Moving runs at work to the version that is live: deliberately, after a look at which can go and which must stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from accounts.models import User
from common.errors import Conflict, NotAllowed
from playbooks.definition.parse import load
from playbooks.definition.steps import Act, Definition
from playbooks.models import Playbook, PlaybookVersion, Run, RunStep
from playbooks.models.run import RunQuerySet

MOVED = "moved"
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """``count`` runs of an older version at one step, and whether the live version has the same kind of step there."""

    version: PlaybookVersion
    step: str
    count: int
    can_move: bool


def standings(playbook: Playbook) -> list[Standing]:
    """Where the runs of older versions stand, the oldest version first; two queries."""
    live = playbook.live_version
    if live is None:
        return []
    target = load(live.definition)
    versions = {version.pk: version for version in playbook.versions.exclude(pk=live.pk)}
    read = {pk: load(version.definition) for pk, version in versions.items()}
    counted = _behind(playbook).order_by("version", "step").values_list("version", "step").annotate(Count("pk"))
    found = [
        Standing(versions[version], step, count, _is_alike(read[version], target, step))
        for version, step, count in counted
    ]
    return sorted(found, key=lambda one: one.version.number)


def _behind(playbook: Playbook) -> RunQuerySet:
    return Run.objects.filter(playbook=playbook, state=Run.State.WAITING).exclude(version=playbook.live_version)


def _is_alike(before: Definition, after: Definition, step: str) -> bool:
    if not (before.has_step(step) and after.has_step(step)):
        return False
    was, will = before.step(step), after.step(step)
    if isinstance(was, Act) and isinstance(will, Act):
        return was.action.kind == will.action.kind
    return type(was) is type(will)


def move_runs(*, playbook: Playbook, by: User, now: datetime) -> int:
    """Let the runs of older versions go on by the live one from the same step; returns how many were moved.

    Each keeps when it is due, and its record says who moved it. Runs whose step is gone, or is another kind of step
    now, finish on their version. Raises NotAllowed for anybody but an admin, and Conflict when none can be moved.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
    movable = Q(pk__in=[])
    for one in standings(playbook):
        if one.can_move:
            movable |= Q(version=one.version, step=one.step)
    moved = 0
    while some := _move_some(_behind(playbook).filter(movable), playbook, by, now):
        moved += some
    if not moved:
        raise Conflict(_("No run can be moved: all are on this version, or their step is not in it."))
    return moved


@transaction.atomic
def _move_some(runs: RunQuerySet, playbook: Playbook, by: User, now: datetime) -> int:
    """Move up to AT_ONCE of ``runs`` of which no turn is being written; one under way is void then (see ``Claim``)."""
    free = runs.select_related("version").select_for_update(no_key=True, of=("self",), skip_locked=True)
    locked = list(free.order_by("pk")[:AT_ONCE])
    live = playbook.live_version
    if not locked or live is None:
        return 0
    last = dict(RunStep.objects.filter(run__in=locked).order_by().values_list("run").annotate(Max("position")))
    RunStep.objects.bulk_create(
        RunStep(
            run=run,
            position=last.get(run.pk, -1) + 1,
            step=run.step,
            kind=MOVED,
            decision=RunStep.Decision.MOVED,
            facts={"by": by.name, "from": run.version.number, "to": live.number},
            taken_at=now,
        )
        for run in locked
    )
    return Run.objects.filter(pk__in=[run.pk for run in locked]).update(version=live)
