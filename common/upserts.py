"""Bring many rows of one table to what they should say in three statements, leaving alone those that say it already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import AutoField, Model

from common.sql import SQL, execute
from common.sql import rows as rows_of

M = TypeVar("M", bound=Model)
Values = dict[str, Any]


@dataclass(slots=True)
class Upserted(Generic[M]):
    """What became of the rows: the new, the changed with what their changed fields said before, and the others."""

    created: list[M] = field(default_factory=list)
    updated: list[tuple[M, Values]] = field(default_factory=list)
    unchanged: list[M] = field(default_factory=list)


def upsert(
    model: type[M],
    *,
    key: Sequence[str],
    rows: Iterable[Values],
    also: Sequence[str] = (),
    merge: Callable[[M | None, Values], Values] = lambda found, values: values,
) -> Upserted[M]:
    """Write ``rows``, dicts of field attnames with the same names in each and different keys, to ``model``.

    The fields of ``key`` have a unique constraint. ``also`` names fields that the model itself keeps, such as
    ``updated_at``. ``merge`` may replace the values of a row, given what the database holds, or None where it holds
    nothing yet. Call it in a transaction.
    """
    wanted = {tuple(values[name] for name in key): values for values in rows}
    manager = model._default_manager
    lookup = {f"{name}__in": {identity[at] for identity in wanted} for at, name in enumerate(key)}
    existing = {
        tuple(getattr(found, name) for name in key): found
        for found in manager.filter(**lookup).order_by("pk").select_for_update(of=("self",))
    }
    result: Upserted[M] = Upserted()
    changed_names: set[str] = set()
    for identity, given in wanted.items():
        found = existing.get(identity)
        values = merge(found, given)
        if found is None:
            result.created.append(model(**values))
            continue
        before = {name: getattr(found, name) for name, new in values.items() if getattr(found, name) != new}
        for name in before:
            setattr(found, name, values[name])
        if before:
            result.updated.append((found, before))
            changed_names |= before.keys()
        else:
            result.unchanged.append(found)
    if result.created:
        _insert(model, result.created, key, {name for values in wanted.values() for name in values} | set(also))
    if result.updated:
        _update(model, [found for found, _before in result.updated], key, changed_names | set(also))
    return result


def _insert(model: type[M], objects: list[M], key: Sequence[str], told: set[str]) -> None:
    """Insert new rows and give the objects their ids.

    Where another writer made the same thing meanwhile, its row is brought to what this file tells.
    """
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    numbered = isinstance(model._meta.pk, AutoField)
    with _incoming(model, objects, fields, add=True) as table:
        columns = _columns(fields)
        changes = ", ".join(f"{name} = excluded.{name}" for name in map(_quote, _columns_of(model, told - set(key))))
        returned = ", ".join([*map(_quote, key), *([_quote("id")] if numbered else [])])
        found = rows_of(
            SQL(
                f"INSERT INTO {_quote(model._meta.db_table)} ({columns}) SELECT {columns} FROM {table}"
                f" ON CONFLICT ({', '.join(map(_quote, key))}) DO UPDATE SET {changes} RETURNING {returned}"
            )
        )
    if numbered:
        ids = {row[:-1]: row[-1] for row in found}
        for item in objects:
            item.pk = ids[tuple(getattr(item, name) for name in key)]
            item._state.adding = False


def _update(model: type[M], objects: list[M], key: Sequence[str], names: set[str]) -> None:
    """Write the named fields of rows that exist."""
    told = _columns_of(model, names | set(key))
    fields = [field for field in model._meta.concrete_fields if field.column in told]
    with _incoming(model, objects, fields, add=False) as table:
        changes = ", ".join(f"{name} = i.{name}" for name in map(_quote, sorted(told - set(key))))
        same = " AND ".join(f"t.{name} = i.{name}" for name in map(_quote, key))
        execute(SQL(f"UPDATE {_quote(model._meta.db_table)} t SET {changes} FROM {table} i WHERE {same}"))


@contextmanager
def _incoming(model: type[M], objects: list[M], fields: Sequence[Any], *, add: bool) -> Iterator[str]:
    """A passing table with these columns of the objects, filled by COPY, which is several times faster than VALUES.

    It is made once a transaction and emptied after use: a table for every call would keep a lock for every call.
    """
    table = _quote(f"incoming_{model._meta.db_table}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ON COMMIT DROP AS"
            f" SELECT * FROM {_quote(model._meta.db_table)} WITH NO DATA"
        )
        with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({_columns(fields)}) FROM STDIN") as copy:
            for item in objects:
                copy.write_row([field.get_db_prep_save(field.pre_save(item, add), connection) for field in fields])
        yield table
        cursor.execute(f"TRUNCATE {table}")


def _columns(fields: Sequence[Any]) -> str:
    return ", ".join(_quote(field.column) for field in fields)


def _columns_of(model: type[M], names: set[str]) -> set[str]:
    """The columns of fields named by their attnames, as a set to be sorted where the order matters."""
    return {field.column for field in model._meta.concrete_fields if field.column and field.attname in names}


def _quote(name: str) -> str:
    return str(connection.ops.quote_name(name))
