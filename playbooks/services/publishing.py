"""Switching playbooks on and off, and helping single runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Max, QuerySet, When
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Event, User
from accounts.services.ledger import record_many
from common.doorbell import ring
from common.errors import Conflict, NotAllowed
from common.sql import SQL, execute
from playbooks.definition.parse import parse
from playbooks.models import Playbook, PlaybookVersion, Run, RunStep
from playbooks.services.spreading import FEW, SPREAD

RESERVED_KEYS = frozenset({"attention", "emails", "new", "runs"})
LONGEST_KEY = 58

SPREAD_OVERDUE = SQL("""
UPDATE playbooks_run r SET due_at = {now} + {apart} * o.place FROM (
    SELECT id, row_number() OVER (ORDER BY due_at, id) - 1 AS place FROM playbooks_run
    WHERE playbook_id = {playbook} AND held AND state = 'waiting' AND due_at <= {now}
) o WHERE r.id = o.id
""")


@transaction.atomic
def create_playbook(
    *, name: str, description: str, definition: dict[str, Any], by: User | None, now: datetime
) -> Playbook:
    """Make a playbook whose draft is ``definition``; its key is made of the name.

    Raises DefinitionError that names the step and the remedy, and NotAllowed for anybody but an admin.
    """
    _must_be_admin(by)
    parse(definition)
    return Playbook.objects.create(
        key=_free_key(name),
        name=name,
        description=description,
        draft=definition,
        draft_number=1,
        draft_by=by,
        draft_at=now,
    )


def describe_playbook(*, playbook: Playbook, name: str, description: str, by: User | None) -> Playbook:
    """Call the playbook otherwise, at once and for all versions; its key stays."""
    _must_be_admin(by)
    Playbook.objects.filter(pk=playbook.pk).update(name=name, description=description)
    playbook.refresh_from_db()
    return playbook


def _free_key(name: str) -> str:
    wanted = slugify(name)[:LONGEST_KEY].strip("-") or "playbook"
    taken = {*RESERVED_KEYS, *Playbook.objects.filter(key__startswith=wanted).values_list("key", flat=True)}
    return next(key for key in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)


@transaction.atomic
def save_draft(
    *, playbook: Playbook, definition: dict[str, Any], number: int, by: User | None, now: datetime
) -> Playbook:
    """Keep ``definition`` as what is being worked on; ``number`` is the draft's number as the author saw it.

    Raises DefinitionError that names the step and the remedy, NotAllowed for anybody but an admin, and Conflict when
    somebody else has saved in the meantime.
    """
    _must_be_admin(by)
    parse(definition)
    _change_draft(playbook, number, draft=definition, draft_by=by, draft_at=now)
    return playbook


@transaction.atomic
def discard_draft(*, playbook: Playbook, number: int, by: User | None) -> Playbook:
    """Drop what is being worked on; raises as ``save_draft`` does."""
    _must_be_admin(by)
    _change_draft(playbook, number, draft=None, draft_by=None, draft_at=None)
    return playbook


def _change_draft(playbook: Playbook, number: int, **values: Any) -> None:
    changed = Playbook.objects.filter(pk=playbook.pk, draft_number=number).update(draft_number=number + 1, **values)
    playbook.refresh_from_db()
    if not changed:
        raise Conflict(
            _("%(name)s changed this draft in the meantime; load the page again and repeat your change.")
            % {"name": playbook.draft_by or _("Somebody")},
            code="draft_changed",
        )


@transaction.atomic
def publish(
    *, playbook: Playbook, definition: dict[str, Any], author: User | None, note: str, now: datetime
) -> PlaybookVersion:
    """Make ``definition`` the live version of the playbook and switch it on; runs at work finish on theirs.

    A paused playbook goes on as ``resume`` lets it, without a burst.

    Raises DefinitionError that names the step and the remedy, and NotAllowed for anybody but an admin.
    """
    _must_be_admin(author)
    parse(definition)
    locked = Playbook.objects.select_for_update(no_key=True).get(pk=playbook.pk)
    last = locked.versions.aggregate(last=Max("number"))["last"] or 0
    version = PlaybookVersion.objects.create(
        playbook=locked, number=last + 1, definition=definition, author=author, note=note, published_at=now
    )
    Playbook.objects.filter(pk=playbook.pk).update(
        status=Playbook.Status.LIVE,
        live_version=version,
        problem="",
        draft=None,
        draft_by=None,
        draft_at=None,
        draft_number=F("draft_number") + 1,
    )
    if locked.status == Playbook.Status.PAUSED:
        _let_go_on(locked, now)
    playbook.refresh_from_db()
    ring("playbooks.evaluate_entries")
    return version


@transaction.atomic
def pause(*, playbook: Playbook, by: User | None) -> Playbook:
    """Let nobody enter, and let the runs at work stand still; raises Conflict when the playbook is not on."""
    _must_be_admin(by)
    _switch(playbook, Playbook.Status.LIVE, Playbook.Status.PAUSED, _("“%(playbook)s” is not switched on."))
    Run.objects.filter(playbook=playbook, state=Run.State.WAITING).update(held=True)
    return playbook


@transaction.atomic
def resume(*, playbook: Playbook, by: User | None, now: datetime) -> Playbook:
    """Switch a paused playbook on again, without a burst; raises Conflict when it is not paused.

    Its runs go on. When more than ``spreading.FEW`` became due meanwhile, their next steps are spread over SPREAD, in
    the order in which they were due; so are the accounts that would have entered meanwhile.
    """
    _must_be_admin(by)
    _switch(playbook, Playbook.Status.PAUSED, Playbook.Status.LIVE, _("“%(playbook)s” is not paused."))
    _let_go_on(playbook, now)
    playbook.refresh_from_db()
    return playbook


def _let_go_on(playbook: Playbook, now: datetime) -> None:
    """Free the runs of a playbook that was paused; what was due in the pause, and who enters now, is spread."""
    Playbook.objects.filter(pk=playbook.pk).update(is_catching_up=True)
    overdue = Run.objects.filter(playbook=playbook, held=True, state=Run.State.WAITING, due_at__lte=now)
    count = overdue.count()
    if count > FEW:
        execute(SPREAD_OVERDUE.format(**_named(playbook, now, count)))
    Run.objects.filter(playbook=playbook, held=True).update(held=False)


def _named(playbook: Playbook, now: datetime, count: int) -> dict[str, SQL]:
    return {
        "playbook": SQL("%s::bigint", (playbook.pk,)),
        "now": SQL("%s::timestamptz", (now,)),
        "apart": SQL("%s::interval", (SPREAD / count,)),
    }


@transaction.atomic
def retry_run(*, run: Run, by: User, now: datetime) -> Run:
    """Let a parked run try its step again now; raises Conflict when it is not parked."""
    changed = retry_runs(runs=Run.objects.filter(pk=run.pk), by=by, now=now)
    run.refresh_from_db()
    if not changed:
        raise Conflict(_("This run does not need attention any more."), code="run_changed")
    return run


@transaction.atomic
def retry_runs(*, runs: QuerySet[Run], by: User, now: datetime) -> int:
    """Let those of ``runs`` that are parked try their step again now, or when a pause is over; returns how many do."""
    _must_be_admin(by)
    parked = runs.filter(state=Run.State.PARKED)
    # Locked, so that no pause ends in between.
    playbooks = Playbook.objects.filter(pk__in=parked.values("playbook")).select_for_update(no_key=True).order_by("pk")
    paused = [playbook.pk for playbook in playbooks if playbook.status == Playbook.Status.PAUSED]
    count: int = parked.update(
        state=Run.State.WAITING,
        attempts=0,
        retry_at=None,
        error="",
        due_at=now,
        held=Case(When(playbook__in=paused, then=True), default=False),
    )
    if count:
        ring("playbooks.tick")
    return count


def stop_run(*, run: Run, by: User, now: datetime) -> Run:
    """Take the account out of the playbook; its open tasks stay. Raises Conflict when the run has ended."""
    if not end_by_hand(Run.objects.filter(pk=run.pk), by=by, now=now):
        raise Conflict(_("This run has ended already."), code="run_changed")
    run.refresh_from_db()
    return run


@transaction.atomic
def end_by_hand(runs: QuerySet[Run], *, by: User, now: datetime) -> list[Run]:
    """End those of ``runs`` that are live, because a person says so; returns them. Raises NotAllowed for viewers."""
    if not by.can_edit:
        raise NotAllowed(_("You can look at playbooks but not change them; ask an admin for another role."))
    locked = Run.objects.live().select_for_update(no_key=True, of=("self",)).select_related("account", "playbook")
    ended = list(locked.filter(pk__in=runs.values("pk")).order_by("pk"))
    Run.objects.filter(pk__in=[run.pk for run in ended]).update(state=Run.State.EXITED, ended_at=now, retry_at=None)
    taken = RunStep.objects.filter(run__in=ended).order_by().values_list("run_id").annotate(Count("position"))
    positions: dict[int, int] = dict(taken)
    RunStep.objects.bulk_create(
        RunStep(
            run=run,
            position=positions.get(run.pk, 0),
            step=run.step,
            kind="exit",
            decision=RunStep.Decision.EXITED,
            facts={"reason": "by_hand", "by": by.name},
            taken_at=now,
        )
        for run in ended
    )
    record_many(
        [
            Event(
                account=run.account,
                kind="playbook.exited",
                happened_at=now,
                user=by,
                data={"playbook": run.playbook.key, "name": run.playbook.name, "run": run.pk},
            )
            for run in ended
        ]
    )
    return ended


def _switch(playbook: Playbook, before: str, after: str, refusal: str) -> None:
    changed = Playbook.objects.filter(pk=playbook.pk, status=before).update(status=after)
    playbook.refresh_from_db()
    if not changed:
        raise Conflict(refusal % {"playbook": playbook}, code="playbook_changed")


def _must_be_admin(user: User | None) -> None:
    if user is not None and not user.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
