"""The views that a list offers, and where the one that is shown stands among them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.http import QueryDict

from accounts.models import User
from console.models import SavedView

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

    view: SavedView
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ViewsBar:
    """The views of a page; ``current`` is the one that is looked at, ``query`` what is shown now.

    ``default_url`` is where a bare address leads; empty where the person chose none.
    """

    page: str
    offered: list[OfferedView]
    current: SavedView | None
    is_own: bool
    is_changed: bool
    query: str
    plain_url: str
    default_url: str

    @property
    def reset_url(self) -> str:
        """The current view as it was saved, or the plain list."""
        return address_of(self.current) if self.current else self.plain_url


def address_of(view: SavedView) -> str:
    """The query string that shows the view."""
    return f"?{urlencode([('view', view.pk), *parse_qsl(view.query)])}"


def views_bar(page: str, query: QueryDict, *, user: User) -> ViewsBar:
    """The bar of a page for its address, one's own views first, in one query."""
    offered = sorted(SavedView.objects.offered_to(user).filter(page=page), key=lambda view: view.user_id != user.pk)
    wanted = query.get("view", "")
    current = next((view for view in offered if str(view.pk) == wanted), None)
    shown = kept_query(query)
    return ViewsBar(
        page=page,
        offered=[OfferedView(view, address_of(view), view is current) for view in offered],
        current=current,
        is_own=current is not None and current.user_id == user.pk,
        is_changed=shown != (current.query if current else ""),
        query=shown,
        plain_url="?view=",
        default_url=next((address_of(view) for view in offered if view.is_default and view.user_id == user.pk), ""),
    )
