"""Rehearsals: what a definition would have done, day by day over history, by the ``decide`` of live runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DataError, transaction
from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Catalogue, Scope
from accounts.calendar import Calendar
from accounts.conditions import matching_ids, parse
from accounts.conditions.explain import explain_several
from accounts.conditions.parse import leaves
from accounts.models import Account, Event, User, Workspace
from common.doorbell import ring
from common.errors import Conflict, DomainError, NotAllowed
from common.sql import rows
from playbooks.decide import Found, Position, decide
from playbooks.definition.parse import load
from playbooks.definition.parse import parse as parse_definition
from playbooks.definition.steps import (
    Act,
    Branch,
    Check,
    ConditionEntry,
    DateEntry,
    Definition,
    EventEntry,
    WaitForDate,
    WaitUntil,
)
from playbooks.models import Playbook, Rehearsal, RehearsedAct, RehearsedRun, Run
from playbooks.recipients import recipients_of, zones_of_readers
from playbooks.record import Observer
from playbooks.services.waking import awaited
from usage.models import Feature
from usage.services import roll_past

DAYS = 90
NOON = time(12)
"""When the account is looked at on each day."""
STUCK = timedelta(minutes=10)
AT_ONCE = 5_000
UNUSABLE = (DomainError, DataError)


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
        raise Conflict(_("There is nothing to rehearse: write a draft first."))
    parse_definition(definition)
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


def rehearse_next(*, now: datetime) -> bool:
    """Work off the rehearsal that waits longest, or that a worker left; returns whether there was one.

    Its rows are written at its end, in one transaction: one that is killed over is begun anew.
    """
    with transaction.atomic():
        waiting = Rehearsal.objects.select_for_update(skip_locked=True).filter(finished_at=None)
        rehearsal = waiting.exclude(worked_at__gt=now - STUCK).order_by("asked_at", "pk").first()
        if rehearsal is None:
            return False
        Rehearsal.objects.filter(pk=rehearsal.pk).update(worked_at=now, days_done=0)
    try:
        _rehearse(rehearsal, now)
    except UNUSABLE as error:
        Rehearsal.objects.filter(pk=rehearsal.pk, finished_at=None).update(problem=str(error), finished_at=now)
    return True


def _rehearse(rehearsal: Rehearsal, now: datetime) -> None:
    simulation = Simulation(load(rehearsal.definition), now=now)
    features = features_in(simulation.attributes)
    with Workspace.read_once(), roll_past(first=rehearsal.first_day, last=rehearsal.last_day, features=features):
        for done in range(rehearsal.days):
            simulation.take_day(rehearsal.first_day + timedelta(days=done))
            Rehearsal.objects.filter(pk=rehearsal.pk).update(days_done=done + 1)
    with transaction.atomic():
        kept = Rehearsal.objects.select_for_update().filter(pk=rehearsal.pk, finished_at=None).first()
        if kept is not None:
            _keep(kept, simulation)
            kept.judged_by_today = [one.key for one in simulation.attributes if not one.knows_past]
            kept.finished_at = now
            kept.save(update_fields=["judged_by_today", "finished_at"])


def features_in(attributes: Collection[Attribute]) -> list[int]:
    """The ids of the features whose usage these attributes tell; all when one tells of all together."""
    ids = dict(Feature.objects.values_list("key", "pk"))
    of_usage = [one.key.split(".")[1] for one in attributes if one.key.startswith("usage.")]
    return [ids[key] for key in of_usage] if all(key in ids for key in of_usage) else list(ids.values())


@dataclass
class Simulated:
    """One run of a simulation. ``acts`` has the day and the step of each action."""

    account_id: int
    entered_on: date
    is_from_start: bool
    position: Position
    contact_id: int | None = None
    state: Run.State = Run.State.WAITING
    ended_on: date | None = None
    acts: list[tuple[date, Act]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entering:
    """When an account enters, and the contact of the event that makes it."""

    at: datetime
    contact_id: int | None = None


class Simulation:
    """Days of one definition over all accounts, without writing anything.

    Accounts are looked at as they were at noon, with the usage of the whole day, and take their turns of that day when
    these are due, in the order in which the engine takes them. Other playbooks are left out of account. What is not
    kept of the past is taken as it is ``now``.
    """

    def __init__(self, definition: Definition, *, now: datetime) -> None:
        self.definition, self.now = definition, now
        self.calendar, self.catalogue = Calendar.current(), Catalogue()
        self.ended: list[Simulated] = []
        self.live: dict[int, Simulated] = {}
        self._inside: set[int] = set()
        self._may_return: dict[int, datetime | None] = {}
        self._first_day: date | None = None

    @property
    def runs(self) -> list[Simulated]:
        """Every run, ended or not."""
        return [*self.ended, *self.live.values()]

    @property
    def attributes(self) -> list[Attribute]:
        """What the definition looks at."""
        conditions = [self.definition.who_enters(self.calendar.day(self.now)), *_conditions(self.definition)]
        nodes = [parse(condition, catalogue=self.catalogue) for condition in conditions]
        return list(dict.fromkeys(leaf.attribute for node in nodes for leaf in leaves(node)))

    def take_day(self, day: date) -> None:
        """Let accounts enter on ``day``, and let runs go on."""
        at = datetime.combine(day, NOON, tzinfo=self.calendar.zone)
        self._first_day = self._first_day or day
        self._go_on(day, at, until=at)
        self._enter(day, at)
        self._wake(at)
        self._go_on(day, at, until=self._midnight(day + timedelta(days=1)))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.calendar.zone)

    def _enter(self, day: date, at: datetime) -> None:
        matching = {row[0] for row in rows(self._matching(self.definition.who_enters(day), at))}
        match entry := self.definition.entry:
            case ConditionEntry() | DateEntry():
                self._inside &= matching
                wanted: dict[int, Entering] = dict.fromkeys(sorted(matching - self._inside), Entering(at))
            case EventEntry():
                wanted = {account: told for account, told in self._told(entry, day) if account in matching}
            case _:
                wanted = {}
        for account_id, entering in wanted.items():
            if account_id in self.live or not self._may_enter(account_id, entering.at):
                continue
            self._inside.add(account_id)
            is_from_start = day == self._first_day and isinstance(entry, ConditionEntry)
            position = Position(self.definition.first, entering.at)
            self.live[account_id] = Simulated(account_id, day, is_from_start, position, entering.contact_id)

    def _told(self, entry: EventEntry, day: date) -> Iterator[tuple[int, Entering]]:
        begins, ends = self._midnight(day), self._midnight(day + timedelta(days=1))
        events = Event.objects.filter(kind=entry.event, happened_at__gte=begins, happened_at__lt=ends)
        told = events.order_by("-happened_at", "-id").values_list("account_id", "happened_at", "contact_id", "data")
        for account_id, at, contact_id, data in told:
            if entry.is_met_by(entry.event, data):
                yield account_id, Entering(at, contact_id)

    def _may_enter(self, account_id: int, at: datetime) -> bool:
        if account_id not in self._may_return:
            return True
        again = self._may_return[account_id]
        return again is not None and again <= at

    def _matching(self, condition: dict[str, Any], at: datetime, scope: Scope | None = None) -> Any:
        return matching_ids(condition, now=at, scope=scope, catalogue=self.catalogue, seen_from=self.now)

    def _wake(self, at: datetime) -> None:
        """Make those due whose awaited condition holds by now."""
        waiting: dict[str, list[Simulated]] = defaultdict(list)
        for run in self.live.values():
            if run.position.since is not None and run.position.due_at > at:
                waiting[run.position.step].append(run)
        for step_id, runs in waiting.items():
            step = self.definition.step(step_id)
            condition = awaited(step, at, self.calendar) if step is not None else None
            if condition is not None:
                scope = Scope.ids([run.account_id for run in runs])
                holds = {row[0] for row in rows(self._matching(condition, at, scope))}
                for run in runs:
                    if run.account_id in holds:
                        run.position = replace(run.position, due_at=at)

    def _go_on(self, day: date, at: datetime, *, until: datetime) -> None:
        """Take the turns that are due before ``until``, with what was so ``at`` noon."""
        while due := [run for run in self.live.values() if run.position.due_at < until]:
            by_step: dict[str, list[Simulated]] = defaultdict(list)
            for run in due:
                by_step[run.position.step].append(run)
            for step, group in by_step.items():
                found = self._look(step, group, at)
                for run in group:
                    self._decide(run, found.get(run.account_id, Found(is_live=False)), day)

    def _look(self, step: str, runs: Sequence[Simulated], at: datetime) -> Mapping[int, Found]:
        account_ids = [run.account_id for run in runs]
        begun_by = {run.account_id: run.contact_id for run in runs if run.contact_id is not None}
        asked: dict[str, Any] = {f"step {name}": one for name, one in self.definition.looks_ahead(step).items()}
        asked["live"] = {"attribute": "is_live", "operator": "is", "value": True}
        asked |= {"goal": self.definition.goal} if self.definition.goal is not None else {}
        asked |= {"exit": self.definition.exit} if self.definition.exit is not None else {}
        explained = explain_several(asked, account_ids, now=at, catalogue=self.catalogue, seen_from=self.now)
        zones: Mapping[int, Mapping[str, ZoneInfo]] = {}
        if roles := self.definition.readers_ahead(step):
            zones = zones_of_readers(roles, account_ids, begun_by, otherwise=self.calendar.zone)
        observe = Observer(at).observe
        return {
            account_id: Found(
                is_live=named["live"].holds,
                goal=observe(named["goal"]) if "goal" in named else None,
                exit=observe(named["exit"]) if "exit" in named else None,
                looks={
                    name.removeprefix("step "): observe(one) for name, one in named.items() if name.startswith("step ")
                },
                zones=zones.get(account_id, {}),
            )
            for account_id, named in explained.items()
        }

    def _decide(self, run: Simulated, found: Found, day: date) -> None:
        moment = run.position.due_at
        decision = decide(self.definition, run.position, found, moment, self.calendar)
        run.position, run.state = decision.position, decision.state
        if decision.act is not None:
            run.acts.append((day, decision.act))
        if decision.state != Run.State.WAITING:
            run.ended_on = day
            self.ended.append(self.live.pop(run.account_id))
            after = self.definition.reentry_after_days
            self._may_return[run.account_id] = None if after is None else moment + timedelta(days=after)


def _conditions(definition: Definition) -> Iterator[dict[str, Any]]:
    yield from (one for one in (definition.goal, definition.exit) if one is not None)
    for step in definition.steps:
        match step:
            case Check() | WaitUntil():
                yield step.condition
            case Branch():
                yield from (way.when for way in step.ways)
            case WaitForDate() if step.attribute:
                yield {"attribute": step.attribute, "operator": "is_known"}


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
    owners = dict(Account.objects.filter(pk__in={run.account_id for run in runs}).values_list("pk", "owner"))
    readers = _readers(runs)
    RehearsedAct.objects.bulk_create(
        (
            RehearsedAct(
                run=row,
                step=act.id,
                kind=act.action.kind,
                day=day,
                makes_task=act.action.makes_task,
                owner_id=owners.get(run.account_id) if act.action.makes_task else None,
                contact_id=readers.get((act.id, run.account_id)) if act.action.writes_to_contact else None,
            )
            for row, run in zip(written, runs, strict=True)
            for day, act in run.acts
        ),
        batch_size=AT_ONCE,
    )


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
