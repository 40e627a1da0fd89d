"""What every staff page needs for its frame."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User, Workspace
from console.actions import ACTIONS, GO

KEPT = "_staff_frame"


def staff_frame(request: HttpRequest) -> dict[str, Any]:
    """The navigation, the registry of actions and the workspace, for the templates of people signed in.

    A page is drawn of many templates, each of which asks: the answer is kept with the request.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    kept: dict[str, Any] | None = vars(request).get(KEPT)
    if kept is None:
        kept = vars(request)[KEPT] = _frame(request, user)
    return kept


def _frame(request: HttpRequest, user: User) -> dict[str, Any]:
    match = request.resolver_match
    current = f"{match.namespace}:{match.url_name}" if match else ""
    actions = [
        {
            "key": action.key,
            "label": action.label,
            "hotkey": action.hotkey,
            "icon": action.icon,
            "scope": action.scope,
            "scope_label": action.scope_label,
            "url": reverse(action.url_name) if action.url_name else "",
            "is_current": bool(action.url_name) and _section(action.url_name) == _section(current),
        }
        for action in ACTIONS
    ]
    workspace = Workspace.current()
    return {
        "every_action": actions,
        "navigation": [action for action in actions if action["scope"] == GO],
        "search_url": reverse("console:search"),
        "hotkeys_on": user.hotkeys_enabled,
        "workspace": workspace.name,
        "currency": workspace.currency,
    }


def _section(url_name: str) -> str:
    """The page that an address belongs to: ``console:account_task`` and ``console:accounts`` are the same section."""
    return url_name.partition(":")[2].partition("_")[0].removesuffix("s")
