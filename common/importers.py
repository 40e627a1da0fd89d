"""Importers: what the rows of a file may become. Every app declares its own in its ``importers.py``.

An importer knows its fields and writes many read rows at once; it knows nothing of files. The engine that reads
files knows nothing of what rows mean. They meet here, so that neither imports the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.cells import Cell, Refusal
from common.errors import DomainError

NEWS = timedelta(days=2)
"""What happened longer ago than this is history when a file tells it: no playbook starts from it."""

Known = Mapping[str, Any]
"""Facts of one thing that a cell refers to: its ``id``, and what rules may compare with."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A kind of thing that cells name by a key: how many of them are looked up at once, and made when missing.

    ``load`` answers for the keys that exist; ``facts`` are the names that its answers have. ``create`` makes things
    for keys that do not exist, given the key and the cell as it was, and is absent where a file may not.
    """

    name: str
    facts: tuple[str, ...]
    load: Callable[[set[str]], Mapping[str, Known]]
    create: Callable[[Mapping[str, str]], None] | None = None
    key: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a row may carry. ``type`` reads a cell; a reference is given by its name instead."""

    name: str
    type: Cell | None = None
    reference: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row that could be read: its line in the file, and the values of the fields that the mapping fills."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Occasion:
    """When rows are written, and whose calendar their days are in."""

    now: datetime
    zone: ZoneInfo

    @property
    def news_since(self) -> datetime:
        """What happened before is history; see ``NEWS``."""
        return self.now - NEWS


@dataclass(slots=True)
class Outcome:
    """What became of rows: how many were new, changed or said nothing new, and which were refused, by line."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: dict[int, Refusal] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Add what became of other rows."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.refused.update(other.refused)


class Importer(ABC):
    """What one kind of file becomes. ``identity`` names the fields that tell one thing from another."""

    name: str
    fields: tuple[Field, ...]
    identity: tuple[str, ...] = ("external_id",)

    def prepare(self, names: Iterable[str]) -> tuple[Field, ...]:
        """The fields that this importer has in this workspace; raises DomainError for a name it has not."""
        known = {known.name: known for known in self.fields}
        if unknown := [name for name in names if name not in known]:
            raise DomainError(
                f"The importer {self.name} has no field {', '.join(unknown)}; it has {', '.join(known)}.",
                code="unknown_field",
            )
        return self.fields

    def declare(self, declarations: Mapping[str, Mapping[str, Any]]) -> None:
        """Make the fields that a mapping declares, where the importer has such; raises DomainError."""
        if declarations:
            raise DomainError(f"The importer {self.name} has no fields to declare.", code="cannot_declare")

    def check(self, values: Mapping[str, Any], occasion: Occasion) -> None:  # noqa: B027  # few rows need it
        """Refuse a row whose values cannot be true together; raises Refusal."""

    @abstractmethod
    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        """Write the rows, which are of different things, in a number of statements that does not depend on them."""


IMPORTERS: dict[str, Importer] = {}
REFERENCES: dict[str, Reference] = {}


def register(*importers: Importer) -> None:
    """Offer importers by their names."""
    IMPORTERS.update({importer.name: importer for importer in importers})


def register_references(*references: Reference) -> None:
    """Let mappings look things up by the names of these references."""
    REFERENCES.update({reference.name: reference for reference in references})
