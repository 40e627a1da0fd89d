"""What an action is. A module of this package declares all of one, so that a new one touches nothing else.

A new action is a frozen dataclass with ``@register`` that has

- ``kind``: its key in definitions and in the records of runs, for ever;
- ``label``, ``hint``, ``icon``: how the editor offers it (an icon of ``assets/icons.mjs``);
- ``form``: its fields (``playbooks.definition.fields`` and ``references``), which are the editor's form, the validation
  and the documentation; the dataclass has an attribute for each;
- ``check`` when more can be wrong with it than a field or a ``Reference`` can tell by itself;
- ``perform``: its effect, as rows only. What reaches outside is a row of the outbox with ``moment.key``, which names
  run and step, so that it happens once. It returns facts (JSON) that the run's record keeps;
- ``words``: what it does, in one line; ``shown`` when there is more to tell;
- ``told``: what it did, from the facts. Facts are kept for ever, so it also reads those of earlier releases;
- ``writes_to_contact`` and ``reader_role`` when it writes to somebody at the customer; ``doer`` when it is work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

from django.utils.functional import Promise

from accounts.calendar import Calendar
from accounts.models import Account, Contact, Event, User
from playbooks.covers import Choice
from playbooks.definition.fields import Field
from playbooks.definition.references import Reference, Source
from playbooks.models import Assignment, Run, Task
from playbooks.recipients import recipient_of
from playbooks.rules import Rule


class CreateTask(Protocol):
    """``playbooks.services.tasks.write_task``, as far as actions use it."""

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
        handed: Sequence[dict[str, Any]],
        run: Run | None,
        dedupe_key: str | None,
        now: datetime,
    ) -> Task: ...


class ChoosePerson(Protocol):
    """``playbooks.services.choosing.choose_person``."""

    def __call__(self, *, rule: Rule, account: Account, now: datetime) -> User | None: ...


class Assign(Protocol):
    """``playbooks.services.assigning.assign_by_rule``, as far as actions use it."""

    def __call__(
        self, *, rule: Rule, account: Account, now: datetime, reason: str
    ) -> tuple[Assignment | None, Choice | None]: ...


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
    choose_person: ChoosePerson
    assign: Assign


@dataclass(frozen=True, slots=True)
class Shown:
    """An action in words: a line, notes under it, what the CSM reads (Markdown), and what ``title`` links to.

    ``page`` is the key of a row and the source that it is from.
    """

    title: str
    notes: tuple[str, ...] = ()
    guidance: str = ""
    page: tuple[Source, str] | None = None


class Names:
    """The names of all that some actions refer to by key, read with one query for each source."""

    def __init__(self, actions: Iterable[Action] = ()) -> None:
        wanted: dict[Source, set[str]] = defaultdict(set)
        for action in actions:
            for source, key in action.refers():
                wanted[source].add(key)
        self._known = {source: source.names(keys) for source, keys in wanted.items()}

    def of(self, source: Source, key: str) -> str:
        """The name; the key itself for what was not read or is gone."""
        return self._known.get(source, {}).get(key, key)

    def page(self, source: Source, key: str) -> tuple[Source, str] | None:
        """Where to read more about it; None for what is gone."""
        return (source, key) if source.page and key in self._known.get(source, {}) else None


class Action(ABC):
    """One configured action of one step."""

    __slots__ = ()

    kind: ClassVar[str]
    label: ClassVar[str | Promise]
    hint: ClassVar[str | Promise]
    icon: ClassVar[str]
    form: ClassVar[tuple[Field, ...]]
    writes_to_contact: ClassVar[bool] = False
    """Whether it writes to somebody at the customer, which quiet hours put off and the contact budget counts."""

    @property
    def doer(self) -> Rule | None:
        """By which rule somebody gets the work that it makes, which a rehearsal counts; None when it makes none."""
        return None

    @property
    def minutes(self) -> int:
        """How long the work that it makes is taken to need."""
        return 0

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """The action with the checked values of its form."""
        return cls(**values)

    def refers(self) -> Iterator[tuple[Source, str]]:
        """What it names by key."""
        for field in self.form:
            if isinstance(field, Reference) and field.is_key(said := getattr(self, field.name)):
                yield field.source, said

    def check(self) -> None:
        """Raise Problem when something that it names does not exist."""
        for field in self.form:
            if isinstance(field, Reference):
                field.check(getattr(self, field.name))

    @abstractmethod
    def perform(self, moment: Moment) -> dict[str, Any]:
        """Do it, by writing rows only, and return what the run's record should keep."""

    @property
    def reader_role(self) -> str:
        """The role of whom it writes to at the customer; empty for whoever fits best."""
        return ""

    def recipient(self, account: Account, event: Event | None) -> Contact | None:
        """Whom it would write to at the customer; None when nobody can be reached."""
        return recipient_of(account, event, role=self.reader_role)

    @abstractmethod
    def words(self, names: Names) -> str:
        """What it does, in one line."""

    def shown(self, names: Names) -> Shown:
        """What it does, in full."""
        return Shown(self.words(names))

    @classmethod
    @abstractmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        """What it did, or why it did nothing, in a sentence, from what ``perform`` returned."""


REGISTRY: dict[str, type[Action]] = {}

Declared = TypeVar("Declared", bound=type[Action])


def register(action: Declared) -> Declared:
    """Make an action known under its kind; raises ValueError for a kind that is taken."""
    if action.kind in REGISTRY:
        raise ValueError(f"action {action.kind} is declared twice")
    REGISTRY[action.kind] = action
    return action
