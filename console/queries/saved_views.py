"""The views that a list offers, and where the one that is shown stands among them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.http import QueryDict

from accounts.models import User
from common.sql import SQL, rows, value

PASSING = frozenset({"view", "from", "column"})
"""What says where one is in a list, not what is listed."""


def kept_query(query: QueryDict) -> str:
    """What of an address a view keeps, always written the same way."""
    return urlencode(
        sorted((name, value) for name, values in query.lists() for value in values if value and name not in PASSING)
    )


@dataclass(frozen=True, slots=True)
class OfferedView:
    """One view in the bar above a list."""

    id: int
    name: str
    query: str
    is_own: bool
    is_default: bool

    @property
    def url(self) -> str:
        """The query string that shows it."""
        return address_of(self.id, self.query)


@dataclass(frozen=True, slots=True)
class ViewsBar:
    """The views of a page; ``current`` is the one that is looked at, ``query`` what is shown now.

    ``default_url`` is where a bare address leads; empty where the person chose none.
    """

    page: str
    offered: list[OfferedView]
    current: OfferedView | None
    is_changed: bool
    query: str
    plain_url: str
    default_url: str

    @property
    def is_own(self) -> bool:
        """Whether the current view is the reader's own."""
        return self.current is not None and self.current.is_own

    @property
    def reset_url(self) -> str:
        """The current view as it was saved, or the plain list."""
        return self.current.url if self.current else self.plain_url


def address_of(pk: int, query: str) -> str:
    """The query string that shows a view."""
    return f"?{urlencode([('view', pk), *parse_qsl(query)])}"


OFFERED = SQL("""
SELECT id, name, query, user_id = {user}, is_default
FROM console_savedview
WHERE page = {page} AND deleted_at IS NULL AND (user_id = {user} OR is_shared)
ORDER BY user_id <> {user}, position, name, id
""")
"""A person's own views, then those that others share."""


def views_bar(page: str, query: QueryDict, *, user: User) -> ViewsBar:
    """The bar of a page for its address, one's own views first, in one query."""
    offered = [OfferedView(*row) for row in rows(OFFERED.format(user=value(user.pk), page=value(page)))]
    wanted = query.get("view", "")
    current = next((view for view in offered if str(view.id) == wanted), None)
    shown = kept_query(query)
    return ViewsBar(
        page=page,
        offered=offered,
        current=current,
        is_changed=shown != (current.query if current else ""),
        query=shown,
        plain_url="?view=",
        default_url=next((view.url for view in offered if view.is_default and view.is_own), ""),
    )
