"""The registry of attributes: what each is called, its type, and the SQL that computes it for all accounts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from accounts.models import Workspace
from common.sql import SQL, value


class Type(StrEnum):
    """The type of an attribute's value; it decides which operators a condition may use on it."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DAYS = "days"
    TEXT = "text"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TAGS = "tags"
    SEGMENT = "segment"

    @property
    def is_numeric(self) -> bool:
        return self in (Type.NUMBER, Type.MONEY, Type.PERCENT, Type.DAYS)


@dataclass(frozen=True, slots=True)
class Context:
    """When attributes are looked at: the instant, and the day that it is in the workspace.

    ``seen_from`` is set where one looks back: what is not kept of ``now`` is taken as it is then.
    """

    now: datetime
    zone: ZoneInfo
    seen_from: datetime | None = None

    @classmethod
    def at(cls, now: datetime, seen_from: datetime | None = None) -> Context:
        """The context of the workspace at ``now``, which may be long past when it is ``seen_from`` later."""
        return cls(now=now, zone=Workspace.current().zone, seen_from=seen_from)

    @property
    def present(self) -> Context:
        """The context of what is not kept."""
        return self if self.seen_from is None else Context(now=self.seen_from, zone=self.zone)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def fill(self, text: str, **named: SQL) -> SQL:
        """``text`` with ``{now}``, ``{today}`` and ``{zone}`` as parameters, and with what else is named."""
        return SQL(text).format(
            **named,
            now=SQL("%s::timestamptz", (self.now,)),
            today=SQL("%s::date", (self.today,)),
            zone=value(self.zone.key),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A relation with facts about accounts: a ``FROM`` clause and its column that names the account.

    A grouped source has many rows an account and its columns aggregate them; another one has at most one row.
    ``relation`` and ``where`` may use the names of ``Context.fill``. Where ``relation`` joins another table with a row
    an account or more, ``{alias.column}`` in its ``ON`` stands for the scope on that column: else all of it is read.
    ``past`` is the relation as it was at ``{now}`` long ago, with the same columns; empty where that is not kept.
    """

    name: str
    relation: str
    account: str = "account_id"
    grouped: bool = False
    where: str = ""
    past: str = ""


ACCOUNT = Source(name="a", relation="accounts_account", account="id")


@dataclass(frozen=True, slots=True)
class Column:
    """One expression over a source. ``expression`` and ``only`` may use the names of ``Context.fill``.

    ``only`` narrows the source's rows that matter; when every column taken says so, the rest is not read.
    With ``only``, the expression over a grouped source is one aggregate. ``past`` is the expression for long ago where
    it is another one; of the account itself nothing is kept without it. ``is_kept`` is false where the source's past
    leaves the column out.
    """

    source: Source
    expression: str
    only: str = ""
    past: str = ""
    is_kept: bool = True

    @property
    def knows_past(self) -> bool:
        """Whether it can be told as it was long ago."""
        return self.is_kept and bool(self.past if self.source == ACCOUNT else self.source.past)

    def sql(self, context: Context) -> SQL:
        """The expression with its parameters."""
        if context.seen_from is not None and self.past:
            return context.fill(self.past)
        return context.fill(self.expression)


@dataclass(frozen=True, slots=True)
class Ratio:
    """``times`` one column over another, to one decimal; each may be of a source of its own.

    No value where ``whole`` is zero or unknown. ``nothing`` stands for a part without a row.
    """

    part: Column
    whole: Column
    times: int = 1
    nothing: int | None = None


Label: TypeAlias = str | Promise
Choices: TypeAlias = Callable[[], Iterable[tuple[str, Label]]]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One typed value that is true of an account now.

    ``freshness`` tells when the source of the value was last heard (an instant). ``default`` stands for "no row":
    with ``default_when_heard`` only where the source was ever heard. ``applies`` is SQL over ``a`` (the account):
    where it is false the attribute has no value, such as the use of a feature outside the account's plan.
    """

    key: str
    label: Label = field(compare=False)  # words are not looked up to tell attributes apart
    type: Type
    column: Column | Ratio
    group: Label = field(default="", compare=False)
    help: Label = field(default="", compare=False)
    unit: Label = field(default="", compare=False)
    choices: Choices | None = None
    freshness: Column | None = None
    default: int | None = None
    default_when_heard: bool = False
    applies: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that its value is made of."""
        return (self.column.part, self.column.whole) if isinstance(self.column, Ratio) else (self.column,)

    @property
    def knows_past(self) -> bool:
        """Whether its value of long ago is known, so that a playbook can be rehearsed on it."""
        return all(column.knows_past for column in self.columns)


@dataclass(frozen=True, slots=True)
class Family:
    """Attributes that exist because of rows in the database, all under one prefix such as ``usage.``."""

    prefix: str
    load: Callable[[], Iterable[Attribute]]


_attributes: dict[str, Attribute] = {}
_families: dict[str, Family] = {}


def register(*attributes: Attribute) -> None:
    """Add attributes that always exist; raises ValueError for a key that is taken."""
    for attribute in attributes:
        if attribute.key in _attributes:
            raise ValueError(f"attribute {attribute.key} is declared twice")
        _attributes[attribute.key] = attribute


def register_family(family: Family) -> None:
    """Add a family; raises ValueError for a prefix that is taken."""
    if family.prefix in _families:
        raise ValueError(f"attribute family {family.prefix} is declared twice")
    _families[family.prefix] = family


@dataclass
class Catalogue(Mapping[str, Attribute]):
    """Every attribute by its key. A family is read from the database when a key of it is first asked for, once."""

    _loaded: dict[str, dict[str, Attribute]] = field(default_factory=dict)

    def _family(self, prefix: str) -> dict[str, Attribute]:
        if prefix not in self._loaded:
            self._loaded[prefix] = {attribute.key: attribute for attribute in _families[prefix].load()}
        return self._loaded[prefix]

    def __getitem__(self, key: str) -> Attribute:
        if key in _attributes:
            return _attributes[key]
        for prefix in _families:
            if key.startswith(prefix) and key in (family := self._family(prefix)):
                return family[key]
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        yield from _attributes
        for prefix in _families:
            yield from (key for key in self._family(prefix) if key not in _attributes)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        try:
            self[key]
        except KeyError:
            return False
        return True


def choices_of(attribute: Attribute) -> dict[str, Any]:
    """The values that a choice may have, with their labels, in order; empty when any text is allowed."""
    return dict(attribute.choices()) if attribute.choices else {}
