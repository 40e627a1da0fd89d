"""A definition as the engine sees it: who enters, and the steps in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from playbooks.actions import Action

END = ""
"""The place after the last step."""


@dataclass(frozen=True, slots=True)
class ConditionEntry:
    """An account enters when ``condition`` becomes true of it."""

    condition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An account enters when such an event happens to it; every pair in ``data`` must be in the event's data."""

    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ManualEntry:
    """An account enters when a person says so."""


Entry: TypeAlias = ConditionEntry | EventEntry | ManualEntry


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass: one of the three is given."""

    id: str
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
class Act:
    """Do something."""

    id: str
    action: Action


@dataclass(frozen=True, slots=True)
class Stop:
    """The run is finished here."""

    id: str


Step: TypeAlias = Wait | Check | Act | Stop


@dataclass(frozen=True)
class Definition:
    """What a playbook does. ``reentry_after_days``: None for once only, 0 for each time."""

    entry: Entry
    audience: dict[str, Any]
    exit: dict[str, Any] | None
    reentry_after_days: int | None
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

    def checks_ahead(self, step_id: str) -> Iterator[Check]:
        """The checks that a run at ``step_id`` may meet before it next waits, acts or ends."""
        ahead, seen = [step_id], set()
        while ahead:
            step = self.step(ahead.pop())
            if isinstance(step, Check) and step.id not in seen:
                seen.add(step.id)
                yield step
                ahead += [place for place in (self.after(step.id), step.otherwise) if self.has_step(place)]

    @property
    def who_enters(self) -> dict[str, Any]:
        """The condition on customers that may enter: live, in the audience, and what the entry asks for."""
        asked = self.entry.condition if isinstance(self.entry, ConditionEntry) else {"all": []}
        return {"all": [{"attribute": "is_live", "operator": "is", "value": True}, self.audience, asked]}
