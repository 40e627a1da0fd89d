"""Pieces of SQL that carry their parameters with them, so that they can be put together in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Any, cast

import orjson
from django.db import connection
from psycopg.types.datetime import TimestamptzLoader


@dataclass(frozen=True, slots=True)
class SQL:
    """A piece of SQL with positional parameters; a literal percent sign in ``text`` is doubled."""

    text: str
    params: tuple[Any, ...] = ()

    def format(self, *parts: SQL, **named: SQL) -> SQL:
        """Put other pieces into the ``{}`` or ``{name}`` places of this one, parameters in the order of the text.

        Only a template without parameters of its own can be formatted.
        """
        if self.params:
            raise ValueError("a template takes its parameters from its parts")
        texts: list[str] = []
        params: list[Any] = []
        position = 0
        for literal, field in _places(self.text):
            texts.append(literal)
            if field is None:
                continue
            if field:
                part = named[field]
            else:
                part = parts[position]
                position += 1
            texts.append(part.text)
            params.extend(part.params)
        return SQL("".join(texts), tuple(params))

    def __bool__(self) -> bool:
        return bool(self.text)


@lru_cache(maxsize=4096)
def _places(text: str) -> tuple[tuple[str, str | None], ...]:
    """The literal pieces of a template, each with the name of the place after it; None where there is none."""
    return tuple((literal, field) for literal, field, _spec, _conversion in Formatter().parse(text))


def value(item: Any) -> SQL:
    """A single parameter."""
    return SQL("%s", (item,))


def from_json(given: Any) -> SQL:
    """A parameter of type ``jsonb``, for a statement that is about many things at once; instants as ISO 8601."""
    return SQL("%s::jsonb", (orjson.dumps(given, option=orjson.OPT_NON_STR_KEYS).decode(),))


def identifier(name: str) -> SQL:
    """A quoted name of a table or column."""
    return SQL(connection.ops.quote_name(name))


def join(separator: str, pieces: Sequence[SQL]) -> SQL:
    """The pieces in order with ``separator`` between them."""
    return SQL(separator.join(p.text for p in pieces), tuple(param for p in pieces for param in p.params))


def rows(query: SQL) -> list[tuple[Any, ...]]:
    """Run a query that answers with rows, and return them all."""
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # the driver's own, in C
        cursor.execute(query.text, query.params)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def execute(query: SQL) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return int(cursor.rowcount)
