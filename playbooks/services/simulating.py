"""Days of history played by a definition without writing anything, by the ``decide`` of live runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.attributes import Attribute, Catalogue, Scope
from accounts.calendar import Calendar
from accounts.conditions import matching_ids, parse
from accounts.conditions.explain import explain_several
from accounts.conditions.parse import leaves
from accounts.models import Event
from common.sql import rows
from playbooks.decide import Found, Position, decide
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
from playbooks.looking import asked, found
from playbooks.models import Run
from playbooks.recipients import zones_of_readers
from playbooks.record import Observer
from playbooks.services.waking import awaited

NOON = time(12)
"""When the account is looked at on each day."""


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
                        run.position = run.position._replace(due_at=at)

    def _go_on(self, day: date, at: datetime, *, until: datetime) -> None:
        """Take the turns that are due before ``until``, with what was so ``at`` noon."""
        while due := [run for run in self.live.values() if run.position.due_at < until]:
            by_step: dict[str, list[Simulated]] = defaultdict(list)
            for run in due:
                by_step[run.position.step].append(run)
            for step, group in by_step.items():
                seen = self._look(step, group, at)
                for run in group:
                    self._decide(run, seen.get(run.account_id, Found(is_live=False)), day)

    def _look(self, step: str, runs: Sequence[Simulated], at: datetime) -> Mapping[int, Found]:
        account_ids = [run.account_id for run in runs]
        begun_by = {run.account_id: run.contact_id for run in runs if run.contact_id is not None}
        asking = asked(self.definition, step)
        explained = explain_several(asking, account_ids, now=at, catalogue=self.catalogue, seen_from=self.now)
        zones: Mapping[int, Mapping[str, ZoneInfo]] = {}
        if roles := self.definition.readers_ahead(step):
            zones = zones_of_readers(roles, account_ids, begun_by, otherwise=self.calendar.zone)
        observer = Observer(at)
        return {
            account_id: found(named, observer, zones.get(account_id, {})) for account_id, named in explained.items()
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
