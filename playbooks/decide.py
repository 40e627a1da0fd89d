"""What a run does next: a pure function of its definition, its state, what was found, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from playbooks.definition.calendar import Calendar
from playbooks.definition.steps import END, Act, Check, Definition, Stop, Wait
from playbooks.models import Run, RunStep

Observation = dict[str, Any]
"""What a condition found, as ``playbooks.record.observation`` makes it: ``at``, ``holds``, ``findings``."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: the step to do (END after the last) and when. A wait is counted from ``due_at``."""

    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a turn: whether the account is still a customer, the exit condition, and checks by step id."""

    is_live: bool = True
    exit: Observation | None = None
    checks: Mapping[str, Observation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that was taken, as the run's record keeps it."""

    step: str
    kind: str
    decision: RunStep.Decision
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write: the run's state, where it stands then, the steps taken, and the action that the last one is."""

    state: Run.State
    position: Position
    taken: tuple[Taken, ...]
    act: Act | None = None


FINISH = Taken(END, "end", RunStep.Decision.FINISHED)
ENDINGS = {
    "recovered": (Run.State.RECOVERED, RunStep.Decision.RECOVERED),
    "exited": (Run.State.EXITED, RunStep.Decision.EXITED),
    "finished": (Run.State.FINISHED, RunStep.Decision.FINISHED),
}


def decide(definition: Definition, position: Position, found: Found, now: datetime, calendar: Calendar) -> Decision:
    """One turn of a run: its steps up to and with the next wait, action or end.

    Nothing is taken before ``position.due_at``. Before every step the account is looked at: one that has ended, or
    for which the exit condition holds, leaves. A turn stops at a check that was not looked at, which is due at once.
    """
    if now < position.due_at:
        return Decision(Run.State.WAITING, position, ())
    if not found.is_live:
        return _leave(position, {"reason": "account_ended"})
    if found.exit is not None and found.exit["holds"]:
        return _leave(position, {"seen": found.exit})
    taken: list[Taken] = []
    here = position.step
    while isinstance(step := definition.step(here), Check):
        seen = found.checks.get(here)
        if seen is None:
            return Decision(Run.State.WAITING, Position(here, position.due_at), tuple(taken))
        if seen["holds"]:
            taken.append(Taken(here, "check", RunStep.Decision.STILL, {"seen": seen}))
            here = definition.after(here)
        elif step.otherwise in ENDINGS:
            state, decision = ENDINGS[step.otherwise]
            taken.append(Taken(here, "check", decision, {"seen": seen}))
            return Decision(state, Position(here, position.due_at), tuple(taken))
        else:
            taken.append(Taken(here, "check", RunStep.Decision.TURNED, {"seen": seen}))
            here = step.otherwise
    return _go_on(definition, step, tuple(taken), position.due_at, calendar)


def _leave(position: Position, facts: dict[str, Any]) -> Decision:
    return Decision(Run.State.EXITED, position, (Taken(position.step, "exit", RunStep.Decision.EXITED, facts),))


def _go_on(
    definition: Definition,
    step: Wait | Act | Stop | None,
    before: tuple[Taken, ...],
    due_at: datetime,
    calendar: Calendar,
) -> Decision:
    match step:
        case Wait():
            until = calendar.add(due_at, hours=step.hours, days=step.days, business_days=step.business_days)
            waits = Taken(step.id, "wait", RunStep.Decision.WAITING, {"until": until.isoformat()})
            return Decision(Run.State.WAITING, Position(definition.after(step.id), until), (*before, waits))
        case Act():
            acted = (*before, Taken(step.id, step.action.kind, RunStep.Decision.ACTED))
            after = Position(definition.after(step.id), due_at)
            if after.step != END:
                return Decision(Run.State.WAITING, after, acted, step)
            return Decision(Run.State.FINISHED, after, (*acted, FINISH), step)
        case Stop():
            ended = Taken(step.id, "stop", RunStep.Decision.FINISHED)
            return Decision(Run.State.FINISHED, Position(step.id, due_at), (*before, ended))
        case None:
            return Decision(Run.State.FINISHED, Position(END, due_at), (*before, FINISH))
