"""A definition as the engine sees it: who enters, and the steps in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeAlias

from playbooks.actions import Action
from playbooks.definition.quiet import QuietHours

END = ""
"""The place after the last step."""
LIVE, LOST = "live", "lost"
"""Whom a playbook is for: customers, or those who are none any more."""
ENDINGS = ("recovered", "exited", "finished")
"""Where a way may lead beside later steps."""
LATE_BY_DAYS = 7
"""So long after its day an entry by date still lets an account enter, as when the playbook was switched on since."""


@dataclass(frozen=True, slots=True)
class ConditionEntry:
    """An account enters when ``condition`` becomes true of it."""

    condition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An account enters when such an event happens to it and the event's data is as ``data`` says.

    Each key of ``data`` holds the value that the event must have, a list of values of which it must have one, or
    an object with ``at_least``, ``at_most`` or both, between which the event's number must lie.
    """

    event: str
    data: dict[str, Any]

    def is_met_by(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Whether an event of this kind with this data is meant."""
        return kind == self.event and all(
            key in data and _is_as_wanted(data[key], wanted) for key, wanted in self.data.items()
        )


@dataclass(frozen=True, slots=True)
class DateEntry:
    """An account enters ``days`` after the date in ``attribute``; before it, when ``days`` is below 0."""

    attribute: str
    days: int

    def condition(self, today: date) -> dict[str, Any]:
        """The condition that holds on the day and for LATE_BY_DAYS after it."""
        last = today - timedelta(days=self.days)
        return {
            "all": [
                _leaf(self.attribute, "after", last - timedelta(days=LATE_BY_DAYS + 1)),
                _leaf(self.attribute, "before", last + timedelta(days=1)),
            ]
        }


@dataclass(frozen=True, slots=True)
class ManualEntry:
    """An account enters when a person or a program says so."""


Entry: TypeAlias = ConditionEntry | EventEntry | DateEntry | ManualEntry


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass: one of the three is given."""

    id: str
    hours: int = 0
    days: int = 0
    business_days: int = 0


@dataclass(frozen=True, slots=True)
class WaitForDate:
    """Wait until the morning of ``day``, or of the day that is ``days`` after the date in ``attribute``.

    A date that moves meanwhile moves the end of the wait; one that has passed, or that is not known, ends it.
    """

    id: str
    day: date | None = None
    attribute: str = ""
    days: int = 0

    def has_come(self, mornings_of: date) -> dict[str, Any]:
        """The condition that holds once the day is ``mornings_of`` or lies before it; needs ``attribute``."""
        return _leaf(self.attribute, "before", mornings_of - timedelta(days=self.days - 1))


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Wait until ``condition`` holds; when it does not within the time given, go where ``otherwise`` says."""

    id: str
    condition: dict[str, Any]
    otherwise: str
    hours: int = 0
    days: int = 0
    business_days: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """Look again: go on while ``condition`` holds, else go where ``otherwise`` says: an ending or a later step."""

    id: str
    condition: dict[str, Any]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a branch: to an ending or a later step."""

    when: dict[str, Any]
    to: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Go the first of ``ways`` whose condition holds, and to the next step when none does."""

    id: str
    ways: tuple[Way, ...]

    def look(self, place: int) -> str:
        """The name under which what the condition of a way found is kept."""
        return f"{self.id}/{place}"


@dataclass(frozen=True, slots=True)
class Go:
    """Go on at a later step, or end."""

    id: str
    to: str


@dataclass(frozen=True, slots=True)
class Act:
    """Do something."""

    id: str
    action: Action


@dataclass(frozen=True, slots=True)
class Stop:
    """The run is finished here."""

    id: str


Step: TypeAlias = Wait | WaitForDate | WaitUntil | Check | Branch | Go | Act | Stop


@dataclass(frozen=True)
class Definition:
    """What a playbook does. ``reentry_after_days``: None for once only, 0 for each time.

    ``priority`` is None for a playbook that runs beside all others; of those that have one an account is in one at a
    time, and the highest goes first.
    """

    entry: Entry
    audience: dict[str, Any]
    customers: str
    goal: dict[str, Any] | None
    exit: dict[str, Any] | None
    quiet_hours: QuietHours | None
    reentry_after_days: int | None
    priority: int | None
    steps: tuple[Step, ...] = field(repr=False)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {step.id: place for place, step in enumerate(self.steps)}

    @property
    def first(self) -> str:
        """The id of the first step."""
        return self.steps[0].id

    def step(self, step_id: str) -> Step | None:
        """The step with this id; None at the end."""
        return None if step_id == END else self.steps[self._places[step_id]]

    def after(self, step_id: str) -> str:
        """The id of the step that comes after, or END."""
        following = self._places[step_id] + 1
        return self.steps[following].id if following < len(self.steps) else END

    def has_step(self, step_id: str) -> bool:
        return step_id in self._places

    def ways_from(self, step: Step) -> tuple[str, ...]:
        """Every place that a run may go to from ``step``: ids of steps, END, endings."""
        match step:
            case Check() | WaitUntil():
                return (self.after(step.id), step.otherwise)
            case Branch():
                return (self.after(step.id), *(way.to for way in step.ways))
            case Go():
                return (step.to,)
            case Stop():
                return ()
        return (self.after(step.id),)

    def looks_ahead(self, step_id: str) -> dict[str, dict[str, Any]]:
        """What a turn from ``step_id`` may look at, up to the next wait, action or end: conditions by their name."""
        looks: dict[str, dict[str, Any]] = {}
        ahead, seen = [step_id], set()
        while ahead:
            here = ahead.pop()
            if here in seen or not self.has_step(here):
                continue
            seen.add(here)
            step = self.steps[self._places[here]]
            looks |= dict(_looks(step))
            if isinstance(step, Check | Branch | Go):
                ahead += self.ways_from(step)
        return looks

    def readers_ahead(self, step_id: str) -> dict[str, str]:
        """The actions that a turn from ``step_id`` may come to and whose reader's quiet hours then matter.

        Their ids, with the role of the contact that each writes to; none without quiet hours.
        """
        if self.quiet_hours is None:
            return {}
        roles: dict[str, str] = {}
        ahead, seen = [step_id], set()
        while ahead:
            here = ahead.pop()
            if here in seen or not self.has_step(here):
                continue
            seen.add(here)
            step = self.steps[self._places[here]]
            if isinstance(step, Act) and step.action.writes_to_contact:
                roles[here] = step.action.reader_role
            if isinstance(step, Check | Branch | Go | WaitForDate | WaitUntil):
                ahead += self.ways_from(step)
        return roles

    @property
    def standing(self) -> dict[str, Any]:
        """The condition that an account is a customer, or in a playbook for lost ones is none any more."""
        return {"attribute": "is_live", "operator": "is", "value": self.customers == LIVE}

    def who_enters(self, today: date) -> dict[str, Any]:
        """The condition on accounts that may enter: live or lost, in the audience, and as the entry asks ``today``."""
        match self.entry:
            case ConditionEntry(condition=condition):
                asked = condition
            case DateEntry():
                asked = self.entry.condition(today)
            case _:
                asked = {"all": []}
        return {"all": [self.standing, self.audience, asked]}


def _looks(step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    match step:
        case Check() | WaitUntil():
            yield step.id, step.condition
        case Branch():
            yield from ((step.look(place), way.when) for place, way in enumerate(step.ways))
        case WaitForDate() if step.attribute:
            yield step.id, {"attribute": step.attribute, "operator": "is_known"}


def _is_as_wanted(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return found in wanted
    if isinstance(wanted, Mapping):
        return (
            isinstance(found, int | float)
            and wanted.get("at_least", found) <= found
            and found <= wanted.get("at_most", found)
        )
    return bool(found == wanted)


def _leaf(attribute: str, operator: str, day: date) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": day.isoformat()}
