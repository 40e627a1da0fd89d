"""Bring many rows of one table to what they should say in three statements, leaving alone those that say it already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db.models import Model

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
    # Another writer may have made the same thing meanwhile: then its row is brought to what this file says.
    names = {name for values in wanted.values() for name in values} - set(key)
    _write(manager, result.created, key, [*names, *also])
    _write(manager, [found for found, _before in result.updated], key, [*changed_names, *also])
    return result


def _write(manager: Any, rows: list[M], key: Sequence[str], names: list[str]) -> None:
    if rows:
        fields = [manager.model._meta.get_field(name).name for name in sorted(set(names) - set(key))]
        manager.bulk_create(rows, update_conflicts=True, unique_fields=list(key), update_fields=fields)
