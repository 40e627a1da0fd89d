"""The scores that are set by hand now, for the page that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from console.queries.paging import linked
from health.models import Override
from health.models.override import OverrideQuerySet
from health.queries.overrides import overrides_seen_by

PAGE = 100
NONE = "none"


@dataclass(frozen=True, slots=True)
class Select:
    """One way to narrow the list: the parameter, what it says unset, its choices, and the one chosen."""

    name: str
    label: str
    options: list[tuple[str, str | Promise]]
    value: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the overrides that hold, how many there are in all, and how the list can be narrowed."""

    rows: list[Override]
    total: int
    first: int
    selects: list[Select]
    is_narrowed: bool
    previous_url: str
    next_url: str

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def live_overrides(user: User, query: QueryDict, *, now: datetime) -> Listed:
    """The overrides that hold on the accounts that ``user`` may see, the first to expire on top; four queries.

    ``query`` may narrow them by ``by`` (who set it), ``csm`` (whose account, or ``none``) and ``score``.
    """
    live = overrides_seen_by(user).live(now)
    selects = [
        _select("by", _("Set by anybody"), query, _people(live, "author")),
        _select("csm", _("Any CSM"), query, [*_people(live, "account__owner"), (NONE, _("Nobody owns it"))]),
        _select("score", _("Any score"), query, live.order_by().values_list("named__key", "named__label").distinct()),
    ]
    found = live
    for select, field in zip(selects, ("author", "account__owner", "named__key"), strict=True):
        if select.value:
            found = found.filter(**{field: None if select.value == NONE else select.value})
    total = found.count()
    offset = _offset(query.get("from", ""), total)
    rows = list(found.order_by("expires_at", "pk")[offset : offset + PAGE])
    return Listed(
        rows=rows,
        total=total,
        first=offset + 1,
        selects=[select for select in selects if len(select.options) > 1 or select.value],
        is_narrowed=any(select.value for select in selects),
        previous_url=linked(query, {"from": max(offset - PAGE, 0) or None}) if offset else "",
        next_url=linked(query, {"from": offset + PAGE}) if offset + len(rows) < total else "",
    )


def _people(live: OverrideQuerySet, field: str) -> Iterable[tuple[str, str]]:
    found = live.exclude(**{field: None}).order_by(f"{field}__name").values_list(field, f"{field}__name").distinct()
    return [(str(pk), name) for pk, name in found]


def _select(name: str, label: str, query: QueryDict, options: Iterable[tuple[str, str | Promise]]) -> Select:
    offered = list(options)
    given = query.get(name, "")
    return Select(name, label, offered, given if given in dict(offered) else "")


def _offset(given: str, total: int) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 10) or int(given) >= total:
        return 0
    return int(given)
