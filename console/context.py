"""What every staff page needs for its frame."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from accounts.models import User, Workspace
from console.actions import ACTIONS, GO
from notifications.queries import unread_of

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
    section = _section(f"{match.namespace}:{match.url_name}" if match else "")
    actions, sheets = _drawn(get_language() or "", get_script_prefix(), user.hotkeys_enabled)
    workspace = Workspace.current()
    return {
        "navigation": [
            {**action, "is_current": _section(action["url_name"]) == section}
            for action in actions
            if action["scope"] == GO
        ],
        "command_sheets": sheets,
        "search_url": reverse("console:search"),
        "hotkeys_on": user.hotkeys_enabled,
        "workspace": workspace.name,
        "notifications_url": reverse("console:notifications"),
        "unread_notifications": lambda: unread_of(user),
        "currency": workspace.currency,
    }


def _draw(language: str, prefix: str, hotkeys_on: bool) -> tuple[list[dict[str, Any]], SafeString]:
    """Every action in words, and the markup of palette, ``?`` sheet and empty toasts, which no page changes."""
    actions = [
        {
            "key": action.key,
            "label": str(action.label),
            "hotkey": action.hotkey,
            "icon": action.icon,
            "scope": action.scope,
            "scope_label": str(action.scope_label),
            "url_name": action.url_name,
            "url": reverse(action.url_name) if action.url_name else "",
        }
        for action in ACTIONS
    ]
    context = {"every_action": actions, "search_url": reverse("console:search"), "hotkeys_on": hotkeys_on}
    return actions, render_to_string("components/command_sheets.html", context)


_draw_once = lru_cache(maxsize=64)(_draw)


def _drawn(language: str, prefix: str, hotkeys_on: bool) -> tuple[list[dict[str, Any]], SafeString]:
    draw = _draw if settings.DEBUG else _draw_once
    return draw(language, prefix, hotkeys_on)


def _section(url_name: str) -> str:
    """The page that an address belongs to: ``console:account_task`` and ``console:accounts`` are the same section."""
    return url_name.partition(":")[2].partition("_")[0].removesuffix("s")
