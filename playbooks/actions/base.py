"""What an action is. Each lives in one module of this package, with its form, its checks, its effect and its words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

from django.utils.functional import Promise

from accounts.models import Account, Event, User
from playbooks.definition.calendar import Calendar
from playbooks.definition.fields import Field
from playbooks.models import Run, Task


class CreateTask(Protocol):
    """``playbooks.services.create_task``, as far as actions use it."""

    def __call__(
        self,
        *,
        account: Account,
        owner: User | None,
        title: str,
        guidance: str,
        severity: int,
        due_at: datetime,
        why: Sequence[dict[str, Any]],
        run: Run | None,
        dedupe_key: str | None,
        now: datetime,
    ) -> Task: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What an action knows when its time has come. ``key`` names run and step, so that an effect happens once."""

    run: Run
    account: Account
    event: Event | None
    key: str
    why: Sequence[dict[str, Any]]
    calendar: Calendar
    now: datetime
    create_task: CreateTask


class Action(ABC):
    """One configured action of one step."""

    __slots__ = ()

    kind: ClassVar[str]
    label: ClassVar[str | Promise]
    form: ClassVar[tuple[Field, ...]]
    writes_to_contact: ClassVar[bool] = False
    """Whether it writes to somebody at the customer, which quiet hours put off."""

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """The action with the checked values of its form."""
        return cls(**values)

    @abstractmethod
    def check(self) -> None:
        """Raise Problem when something that it names does not exist."""

    @abstractmethod
    def perform(self, moment: Moment) -> dict[str, Any]:
        """Do it, by writing rows only, and return what the run's record should keep."""

    @abstractmethod
    def words(self) -> str:
        """What it does, in one line."""


REGISTRY: dict[str, type[Action]] = {}

Declared = TypeVar("Declared", bound=type[Action])


def register(action: Declared) -> Declared:
    """Make an action known under its kind; raises ValueError for a kind that is taken."""
    if action.kind in REGISTRY:
        raise ValueError(f"action {action.kind} is declared twice")
    REGISTRY[action.kind] = action
    return action
