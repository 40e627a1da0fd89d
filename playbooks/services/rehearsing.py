"""Rehearsals: what a definition would have done over the history that is kept, worked off in the background."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.attributes import Attribute
from accounts.models import Account, User, Workspace
from common.doorbell import ring
from common.errors import Conflict, DomainError, NotAllowed
from playbooks.definition.parse import load, parse
from playbooks.definition.steps import Act
from playbooks.models import Playbook, Rehearsal, RehearsedAct, RehearsedRun
from playbooks.recipients import recipients_of
from playbooks.rules import Rule
from playbooks.services.choosing import would_choose
from playbooks.services.simulating import Simulated, Simulation
from usage.models import Feature
from usage.services import roll_past

logger = logging.getLogger(__name__)

DAYS = 90
STUCK = timedelta(minutes=10)
AT_ONCE = 5_000
MOST_ATTEMPTS = 3
"""So many workers may die in a rehearsal before it is given up."""


def start_rehearsal(*, playbook: Playbook, is_draft: bool, by: User, now: datetime) -> Rehearsal:
    """Ask for a rehearsal of the draft or of the live version over the last DAYS days, without today.

    Raises NotAllowed for anybody but an admin, Conflict when there is no such definition, and DefinitionError when it
    cannot work.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
    version = playbook.live_version
    definition = playbook.draft if is_draft else version.definition if version is not None else None
    if definition is None:
        raise Conflict(_nothing(playbook, is_draft) % {"playbook": playbook}, code="nothing_to_rehearse")
    parse(definition)
    yesterday = Workspace.current().day(now) - timedelta(days=1)
    rehearsal = Rehearsal.objects.create(
        playbook=playbook,
        definition=definition,
        draft_number=playbook.draft_number if is_draft else None,
        version_number=None if is_draft or version is None else version.number,
        first_day=yesterday - timedelta(days=DAYS - 1),
        last_day=yesterday,
        asked_by=by,
        asked_at=now,
    )
    ring("playbooks.rehearse")
    return rehearsal


def _nothing(playbook: Playbook, is_draft: bool) -> str:
    if playbook.draft is None and playbook.live_version is None:
        return _("“%(playbook)s” has neither a draft nor a version; write a draft first.")
    if is_draft:
        return _("“%(playbook)s” has no draft; rehearse its live version, or write a draft first.")
    return _("“%(playbook)s” was not published yet; rehearse its draft.")


def rehearse_next(*, now: datetime) -> bool:
    """Work off the rehearsal that waits longest, or that a worker left; returns whether there was one.

    Its rows are written at its end, in one transaction: one that is killed over is begun anew, up to MOST_ATTEMPTS
    times. Whatever goes wrong ends it with a sentence in ``problem``.
    """
    watch = Watch(now)
    with transaction.atomic():
        waiting = Rehearsal.objects.select_for_update(skip_locked=True).filter(finished_at=None)
        rehearsal = waiting.exclude(worked_at__gt=now - STUCK).order_by("asked_at", "pk").first()
        if rehearsal is None:
            return False
        rehearsal.attempts += 1
        rehearsal.worked_at, rehearsal.days_done = now, 0
        rehearsal.save(update_fields=["attempts", "worked_at", "days_done"])
    if rehearsal.attempts > MOST_ATTEMPTS:
        words = _("A worker died in it %(times)s times; whoever runs the platform finds why in the worker's log.")
        _give_up(rehearsal, words % {"times": MOST_ATTEMPTS}, watch)
        return True
    try:
        _rehearse(rehearsal, now, watch)
    except DomainError as error:
        _give_up(rehearsal, error.message, watch)
    except Exception as error:
        logger.exception("rehearsal %s was given up", rehearsal.pk)
        words = _("It was given up over an error: %(error)s. Whoever runs the platform finds more in the worker's log.")
        _give_up(rehearsal, words % {"error": f"{type(error).__name__}: {error}"}, watch)
    return True


class Watch:
    """Tells how late it is in the middle of long work that began at a given instant."""

    def __init__(self, began_at: datetime) -> None:
        self._began_at, self._started = began_at, monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=monotonic() - self._started)


def _give_up(rehearsal: Rehearsal, problem: str, watch: Watch) -> None:
    Rehearsal.objects.filter(pk=rehearsal.pk, finished_at=None).update(problem=problem, finished_at=watch.now())


def _rehearse(rehearsal: Rehearsal, now: datetime, watch: Watch) -> None:
    simulation = Simulation(load(rehearsal.definition), now=now)
    features = features_in(simulation.attributes)
    with Workspace.read_once(), roll_past(first=rehearsal.first_day, last=rehearsal.last_day, features=features):
        for done in range(rehearsal.days):
            simulation.take_day(rehearsal.first_day + timedelta(days=done))
            Rehearsal.objects.filter(pk=rehearsal.pk).update(days_done=done + 1, worked_at=watch.now())
    with transaction.atomic():
        kept = Rehearsal.objects.select_for_update().filter(pk=rehearsal.pk, finished_at=None).first()
        if kept is not None:
            _keep(kept, simulation)
            kept.judged_by_today = [one.key for one in simulation.attributes if not one.knows_past]
            kept.finished_at = watch.now()
            kept.save(update_fields=["judged_by_today", "finished_at"])


def features_in(attributes: Collection[Attribute]) -> list[int]:
    """The ids of the features whose usage these attributes tell; all when one tells of all together."""
    ids = dict(Feature.objects.values_list("key", "pk"))
    of_usage = [one.key.split(".")[1] for one in attributes if one.key.startswith("usage.")]
    return [ids[key] for key in of_usage] if all(key in ids for key in of_usage) else list(ids.values())


def _keep(rehearsal: Rehearsal, simulation: Simulation) -> None:
    """Write the runs and what they would have done."""
    runs = sorted(simulation.runs, key=lambda run: (run.entered_on, run.account_id))
    written = RehearsedRun.objects.bulk_create(
        (
            RehearsedRun(
                rehearsal=rehearsal,
                account_id=run.account_id,
                entered_on=run.entered_on,
                is_from_start=run.is_from_start,
                state=run.state,
                ended_on=run.ended_on,
                fired_on=run.acts[0][0] if run.acts else None,
            )
            for run in runs
        ),
        batch_size=AT_ONCE,
    )
    doers, readers = _doers(runs, rehearsal.asked_at), _readers(runs)
    RehearsedAct.objects.bulk_create(
        (
            RehearsedAct(
                run=row,
                step=act.id,
                kind=act.action.kind,
                day=day,
                makes_task=act.action.doer is not None,
                owner_id=doers.get((act.id, run.account_id)),
                contact_id=readers.get((act.id, run.account_id)) if act.action.writes_to_contact else None,
            )
            for row, run in zip(written, runs, strict=True)
            for day, act in run.acts
        ),
        batch_size=AT_ONCE,
    )


def _doers(runs: Sequence[Simulated], now: datetime) -> dict[tuple[str, int], int]:
    """Whom the work of each step would go to at each account, as people, their work and their leave are ``now``."""
    accounts = Account.objects.select_related("owner").in_bulk({run.account_id for run in runs})
    work: dict[str, tuple[Rule, dict[int, Account]]] = {}
    for run in runs:
        for _day, act in run.acts:
            if (rule := act.action.doer) is not None:
                work.setdefault(act.id, (rule, {}))[1][run.account_id] = accounts[run.account_id]
    found: dict[tuple[str, int], int] = {}
    for step, (rule, at) in work.items():
        for account_id, person in would_choose(rule=rule, accounts=list(at.values()), now=now).items():
            found[step, account_id] = person.pk
    return found


def _readers(runs: Sequence[Simulated]) -> dict[tuple[str, int], int]:
    """Whom each step would write to at each account, as contacts are now."""
    letters: dict[str, tuple[Act, dict[int, int | None]]] = {}
    for run in runs:
        for _day, act in run.acts:
            if act.action.writes_to_contact:
                letters.setdefault(act.id, (act, {}))[1][run.account_id] = run.contact_id
    found: dict[tuple[str, int], int] = {}
    for step, (act, accounts) in letters.items():
        asked = {account: contact for account, contact in accounts.items() if contact is not None}
        for account, contact in recipients_of(list(accounts), asked, role=act.action.reader_role).items():
            found[step, account] = contact.pk
    return found
