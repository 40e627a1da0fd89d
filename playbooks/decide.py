"""What a run does next: a pure function of its definition, its state, what was found, and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from accounts.calendar import Calendar
from playbooks.definition.steps import (
    END,
    ENDINGS,
    LIVE,
    Act,
    Branch,
    Check,
    Definition,
    Go,
    Step,
    Stop,
    Wait,
    WaitForDate,
    WaitUntil,
)
from playbooks.models import Run, RunStep

NOTHING: Mapping[str, Any] = MappingProxyType({})

Observation = dict[str, Any]
"""What a condition found, as ``playbooks.record.Observer`` makes it: ``at``, ``holds``, ``findings``."""


class Position(NamedTuple):
    """Where a run stands: the step to do (END after the last) and when. A wait is counted from ``due_at``.

    ``since`` is set while it stands in a wait for a date or for a condition: the instant that this wait began at.
    """

    step: str
    due_at: datetime
    since: datetime | None = None


class Found(NamedTuple):
    """What was found for a turn.

    Whether the account is still a customer, what the goal and the exit condition found, what the steps look at by the
    names of ``Definition.looks_ahead``, and by step the zone of the contact whom it would write to (else the
    workspace's). A run that is held out goes every step and does nothing.
    """

    is_live: bool = True
    goal: Observation | None = None
    exit: Observation | None = None
    looks: Mapping[str, Observation] = NOTHING
    zones: Mapping[str, ZoneInfo] = NOTHING
    is_held_out: bool = False


class Taken(NamedTuple):
    """One step that was taken, as the run's record keeps it."""

    step: str
    kind: str
    decision: RunStep.Decision
    facts: dict[str, Any]


class Decision(NamedTuple):
    """What to write: the run's state, where it stands then, the steps taken, and the action that the last one is."""

    state: Run.State
    position: Position
    taken: tuple[Taken, ...]
    act: Act | None = None


FINISH = Taken(END, "end", RunStep.Decision.FINISHED, {})
STATES = {
    "recovered": (Run.State.RECOVERED, RunStep.Decision.RECOVERED),
    "exited": (Run.State.EXITED, RunStep.Decision.EXITED),
    "finished": (Run.State.FINISHED, RunStep.Decision.FINISHED),
}


def decide(definition: Definition, position: Position, found: Found, now: datetime, calendar: Calendar) -> Decision:
    """One turn of a run: its steps up to and with the next wait, action or end.

    Nothing is taken before ``position.due_at``. Before every step the account is looked at: one that has ended (in a
    playbook for lost customers: that is back), that has reached the goal, or for which the exit condition holds,
    leaves. A turn stops at a step whose condition was not looked at, which is due at once.
    """
    if now < position.due_at:
        return Decision(Run.State.WAITING, position, ())
    if found.is_live != (definition.customers == LIVE):
        return _leave(position, {"reason": "account_ended" if definition.customers == LIVE else "account_back"})
    if found.goal is not None and found.goal["holds"]:
        reached = Taken(position.step, "goal", RunStep.Decision.REACHED, {"seen": found.goal})
        return Decision(Run.State.REACHED, position, (reached,))
    if found.exit is not None and found.exit["holds"]:
        return _leave(position, {"seen": found.exit})
    return _Turn(definition, position, found, now, calendar).go()


def _leave(position: Position, facts: dict[str, Any]) -> Decision:
    return Decision(Run.State.EXITED, position, (Taken(position.step, "exit", RunStep.Decision.EXITED, facts),))


@dataclass
class _Turn:
    """A turn under way: ``here`` is the place reached, which the rest of the turn counts from ``position.due_at``."""

    definition: Definition
    position: Position
    found: Found
    now: datetime
    calendar: Calendar
    taken: list[Taken] = field(default_factory=list)

    def go(self) -> Decision:
        here: str | Decision = self.position.step
        while not isinstance(here, Decision):
            here = self._step(here)
        return here

    @property
    def due_at(self) -> datetime:
        return self.position.due_at

    def _step(self, here: str) -> str | Decision:
        """Take one step: the place that the turn goes on at, or where it stops."""
        step = self.definition.step(here)
        if step is None:
            self.taken.append(FINISH)
            return self._end(Run.State.FINISHED, END)
        return _TAKE[type(step)](self, step)

    def _stop(self, step: Stop) -> Decision:
        self._take(step.id, "stop", RunStep.Decision.FINISHED)
        return self._end(Run.State.FINISHED, step.id)

    def _wait(self, step: Wait) -> Decision:
        until = self.calendar.add(self.due_at, hours=step.hours, days=step.days, business_days=step.business_days)
        self._take(step.id, "wait", RunStep.Decision.WAITING, until=until.isoformat())
        return self._stand(Position(self.definition.after(step.id), until))

    def _go(self, step: Go) -> str | Decision:
        if step.to not in ENDINGS:
            return step.to
        return self._to(step.to, Taken(step.id, "go", _decision_of(step.to), {}))

    def _check(self, step: Check) -> str | Decision:
        seen = self.found.looks.get(step.id)
        if seen is None:
            return self._pause(step.id)
        if seen["holds"]:
            self._take(step.id, "check", RunStep.Decision.STILL, seen=seen)
            return self.definition.after(step.id)
        return self._to(step.otherwise, Taken(step.id, "check", _decision_of(step.otherwise), {"seen": seen}))

    def _branch(self, step: Branch) -> str | Decision:
        for place, way in enumerate(step.ways):
            seen = self.found.looks.get(step.look(place))
            if seen is None:
                return self._pause(step.id)
            if seen["holds"]:
                return self._to(way.to, Taken(step.id, "branch", _decision_of(way.to), {"seen": seen, "way": place}))
        self._take(step.id, "branch", RunStep.Decision.PASSED)
        return self.definition.after(step.id)

    def _wait_for_date(self, step: WaitForDate) -> str | Decision:
        day, seen = step.day, None
        if step.attribute:
            seen = self.found.looks.get(step.id)
            if seen is None:
                return self._pause(step.id)
            day = _day_in(seen, self.calendar.zone)
            day = None if day is None else day + timedelta(days=step.days)
        until = None if day is None else self.calendar.morning(day)
        facts = {"until": None if until is None else until.isoformat()} | ({} if seen is None else {"seen": seen})
        if until is None or until <= self.due_at:
            self._take(step.id, "wait_for_date", RunStep.Decision.PASSED, **facts)
            return self.definition.after(step.id)
        self._take(step.id, "wait_for_date", RunStep.Decision.WAITING, **facts)
        return self._stand(Position(step.id, until, self._began(step.id)))

    def _wait_until(self, step: WaitUntil) -> str | Decision:
        seen = self.found.looks.get(step.id)
        if seen is None:
            return self._pause(step.id)
        if seen["holds"]:
            self._take(step.id, "wait_until", RunStep.Decision.PASSED, seen=seen)
            return self.definition.after(step.id)
        began = self._began(step.id)
        until = self.calendar.add(began, hours=step.hours, days=step.days, business_days=step.business_days)
        if until <= self.due_at:
            return self._to(step.otherwise, Taken(step.id, "wait_until", RunStep.Decision.EXPIRED, {"seen": seen}))
        if not self._stands_in(step.id):
            self._take(step.id, "wait_until", RunStep.Decision.WAITING, seen=seen, until=until.isoformat())
        return self._stand(Position(step.id, until, began))

    def _act(self, step: Act) -> str | Decision:
        if self.found.is_held_out:
            self._take(step.id, step.action.kind, RunStep.Decision.WATCHED)
            return self.definition.after(step.id)
        quiet = self.definition.quiet_hours
        if quiet is not None and step.action.writes_to_contact:
            until = quiet.until(self.now, self.found.zones.get(step.id, self.calendar.zone))
            if until is not None:
                self._take(
                    step.id, step.action.kind, RunStep.Decision.WAITING, until=until.isoformat(), reason="quiet_hours"
                )
                return self._stand(Position(step.id, until))
        self._take(step.id, step.action.kind, RunStep.Decision.ACTED)
        after = self.definition.after(step.id)
        if after != END:
            return Decision(Run.State.WAITING, Position(after, self.due_at), tuple(self.taken), step)
        self.taken.append(FINISH)
        return Decision(Run.State.FINISHED, Position(END, self.due_at), tuple(self.taken), step)

    def _stands_in(self, step_id: str) -> bool:
        return self.position.step == step_id and self.position.since is not None

    def _began(self, step_id: str) -> datetime:
        """When the wait at ``step_id`` began: earlier when the run stands in it, now when it has just come there."""
        since = self.position.since if self.position.step == step_id else None
        return since or self.due_at

    def _to(self, place: str, taken: Taken) -> str | Decision:
        self.taken.append(taken)
        return self._end(STATES[place][0], taken.step) if place in ENDINGS else place

    def _pause(self, here: str) -> Decision:
        since = self.position.since if here == self.position.step else None
        return self._stand(Position(here, self.due_at, since))

    def _stand(self, position: Position) -> Decision:
        return Decision(Run.State.WAITING, position, tuple(self.taken))

    def _end(self, state: Run.State, here: str) -> Decision:
        return Decision(state, Position(here, self.due_at), tuple(self.taken))

    def _take(self, step: str, kind: str, decision: RunStep.Decision, **facts: Any) -> None:
        self.taken.append(Taken(step, kind, decision, facts))


_TAKE: dict[type[Step], Callable[[_Turn, Any], str | Decision]] = {
    Wait: _Turn._wait,
    WaitForDate: _Turn._wait_for_date,
    WaitUntil: _Turn._wait_until,
    Check: _Turn._check,
    Branch: _Turn._branch,
    Go: _Turn._go,
    Act: _Turn._act,
    Stop: _Turn._stop,
}


def _decision_of(place: str) -> RunStep.Decision:
    return STATES[place][1] if place in ENDINGS else RunStep.Decision.TURNED


def _day_in(seen: Observation, zone: ZoneInfo) -> date | None:
    """The day that a look at a date found; None when it is not known."""
    found = seen["findings"][0]["found"] if seen["findings"] else None
    if not isinstance(found, str):
        return None
    return datetime.fromisoformat(found).astimezone(zone).date() if "T" in found else date.fromisoformat(found)
