"""Long lists a page at a time, newest first: as quick at the end as at the beginning, and stable while rows come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

M = TypeVar("M", bound=Model)

SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The rows of one page, and the query strings of the newer and the older one, empty where there is none."""

    rows: list[M]
    newer: str
    older: str


def page_of(rows: QuerySet[M], *, by: str, query: QueryDict, size: int = SIZE) -> Page[M]:
    """The page that ``query`` asks for by ``after`` (older than) or ``before`` (newer than) a place; else the newest.

    ``by`` names the instant that the rows are ordered by, then by id. A place that cannot be read is the newest page.
    """
    descending = (f"-{by}", "-pk")
    if (place := _place(query, "before")) is not None:
        found = list(rows.filter(_beyond(by, "gt", place)).order_by(by, "pk")[: size + 1])
        shown, more = found[:size][::-1], len(found) > size
        return Page(shown, _link(query, "before", shown[0], by) if more else "", _older(query, shown, by))
    place = _place(query, "after")
    narrowed = rows if place is None else rows.filter(_beyond(by, "lt", place))
    found = list(narrowed.order_by(*descending)[: size + 1])
    shown = found[:size]
    newer = _link(query, "before", shown[0], by) if place is not None and shown else ""
    return Page(shown, newer, _older(query, shown, by) if len(found) > size else "")


def _beyond(by: str, side: str, place: tuple[datetime, int]) -> Q:
    when, pk = place
    return Q(**{f"{by}__{side}": when}) | Q(**{by: when, f"pk__{side}": pk})


def _older(query: QueryDict, shown: list[M], by: str) -> str:
    return _link(query, "after", shown[-1], by) if shown else ""


def _link(query: QueryDict, name: str, row: Model, by: str) -> str:
    return linked(query, {"after": None, "before": None, name: f"{getattr(row, by).isoformat()}_{row.pk}"})


def linked(query: QueryDict, changes: Mapping[str, Any]) -> str:
    """The query string with some parameters set to another value, or taken out by None."""
    changed = query.copy()
    for name, given in changes.items():
        changed.pop(name, None)
        if given is not None:
            changed[name] = str(given)
    return f"?{changed.urlencode()}"


def _place(query: QueryDict, name: str) -> tuple[datetime, int] | None:
    moment, _mark, pk = query.get(name, "").rpartition("_")
    try:
        when = parse_datetime(moment)
    except ValueError:
        return None
    if when is None or when.tzinfo is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    return when, int(pk)
