"""Declared fields: what an object of a definition may say. One declaration is the editor's form and the validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from common.errors import DomainError
from common.text import storable

REQUIRED = object()


class DefinitionError(DomainError):
    """A definition that cannot be used; ``fields`` names the place, such as ``steps[1].days``."""

    code = "definition_invalid"


class Problem(Exception):
    """One field is wrong; the message says what it may be. Whoever knows the place turns it into a DefinitionError."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Field(Protocol):
    """One thing that an object may say."""

    @property
    def name(self) -> str: ...

    @property
    def default(self) -> Any: ...

    def read(self, given: Any) -> Any:
        """The checked value; raises Problem."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most ``most`` characters; one that is required is not empty."""

    name: str
    label: str | Promise
    most: int = 300
    default: Any = REQUIRED
    help: str | Promise = ""

    def read(self, given: Any) -> str:
        if not isinstance(given, str) or len(given) > self.most or not storable(given):
            raise Problem(self.name, _("Give a text of at most %(most)s characters.") % {"most": self.most})
        if self.default is REQUIRED and not given.strip():
            raise Problem(self.name, _("Give a text of 1 to %(most)s characters.") % {"most": self.most})
        return given


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from ``low`` to ``high``."""

    name: str
    label: str | Promise
    low: int
    high: int
    default: Any = REQUIRED
    help: str | Promise = ""

    def read(self, given: Any) -> int | None:
        if given is None and self.default is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int) or not self.low <= given <= self.high:
            raise Problem(
                self.name,
                _("Give a whole number from %(low)s to %(high)s.") % {"low": self.low, "high": self.high},
            )
        return given


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values, which are all texts or all whole numbers, each with its name."""

    name: str
    label: str | Promise
    choices: Sequence[tuple[Any, str | Promise]]
    default: Any = REQUIRED
    help: str | Promise = ""

    def read(self, given: Any) -> Any:
        known = [value for value, _name in self.choices]
        if isinstance(given, bool) or given not in known:
            raise Problem(self.name, _("Use one of: %(known)s.") % {"known": ", ".join(map(str, known))})
        return given

    def named(self, value: Any) -> str:
        """The name of a value."""
        return str(dict(self.choices).get(value, value))


@dataclass(frozen=True, slots=True)
class Truth:
    """Yes or no."""

    name: str
    label: str | Promise
    default: Any = REQUIRED
    help: str | Promise = ""

    def read(self, given: Any) -> bool:
        if not isinstance(given, bool):
            raise Problem(self.name, _("Give true or false."))
        return given


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, written YYYY-MM-DD."""

    name: str
    label: str | Promise
    default: Any = REQUIRED

    def read(self, given: Any) -> date | None:
        if given is None and self.default is None:
            return None
        try:
            return date.fromisoformat(given)
        except (TypeError, ValueError):
            raise Problem(self.name, _("Give a date as YYYY-MM-DD.")) from None


@dataclass(frozen=True, slots=True)
class Items:
    """A list of 1 to ``most`` objects, each of the same ``form``."""

    name: str
    label: str | Promise
    form: Sequence[Field]
    most: int
    default: Any = REQUIRED

    def read(self, given: Any) -> list[dict[str, Any]]:
        if not isinstance(given, list) or not 1 <= len(given) <= self.most:
            raise Problem(self.name, _("Give a list of 1 to %(most)s.") % {"most": self.most})
        return [self._item(place, one) for place, one in enumerate(given)]

    def _item(self, place: int, given: Any) -> dict[str, Any]:
        where = f"{self.name}[{place}]"
        if not isinstance(given, Mapping):
            raise Problem(where, _("Give an object."))
        try:
            return read_object(given, self.form)
        except Problem as problem:
            raise Problem(f"{where}.{problem.field}", problem.message) from None


@dataclass(frozen=True, slots=True)
class Object:
    """A JSON object, such as a condition; what is in it is checked by whoever knows what it means."""

    name: str
    label: str | Promise
    default: Any = REQUIRED

    def read(self, given: Any) -> dict[str, Any] | None:
        if given is None and self.default is None:
            return None
        if not isinstance(given, dict):
            raise Problem(self.name, _("Give an object."))
        return given


@dataclass(frozen=True, slots=True)
class Condition(Object):
    """A condition on accounts, as ``accounts.conditions`` reads it."""


@dataclass(frozen=True, slots=True)
class EventData(Object):
    """What the data of an event must be."""


@dataclass(frozen=True, slots=True)
class EventKind(Text):
    """The kind of an event."""


@dataclass(frozen=True, slots=True)
class DateOf(Text):
    """The key of an attribute that is a date."""


@dataclass(frozen=True, slots=True)
class Target(Text):
    """Where a way leads: the id of a later step, or an ending."""


def read_object(raw: Mapping[str, Any], form: Sequence[Field], *, besides: Iterable[str] = ()) -> dict[str, Any]:
    """The checked values of ``form`` in ``raw``; raises Problem for what is missing, wrong or not in the form."""
    known = [field.name for field in form]
    for key in raw:
        if key not in known and key not in besides:
            raise Problem(
                str(key)[:40],
                _("“%(key)s” is not known here; use %(known)s.")
                % {"key": str(key)[:40], "known": ", ".join([*besides, *known])},
            )
    values = {}
    for field in form:
        if field.name in raw:
            values[field.name] = field.read(raw[field.name])
        elif field.default is REQUIRED:
            raise Problem(field.name, _("“%(name)s” is missing.") % {"name": field.name})
        else:
            values[field.name] = field.default
    return values
