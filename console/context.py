"""What every staff page needs for its frame."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from accounts.models import User, Workspace
from common.drawing import kept
from console.actions import ACTIONS, GO
from notifications.queries import unread_of

FRAME = "_staff_frame"


def staff_frame(request: HttpRequest) -> dict[str, Any]:
    """The navigation, the registry of actions and the workspace, for the templates of people signed in.

    A page is drawn of many templates, each of which asks: the answer is kept with the request.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    frame: dict[str, Any] | None = vars(request).get(FRAME)
    if frame is None:
        frame = vars(request)[FRAME] = _frame(request, user)
    return frame


def _frame(request: HttpRequest, user: User) -> dict[str, Any]:
    match = request.resolver_match
    section = _section(f"{match.namespace}:{match.url_name}" if match else "")
    reader = get_language() or "", get_script_prefix(), user.hotkeys_enabled
    workspace = Workspace.current()
    return {
        **_navigation(section, *reader),
        "command_sheets": _sheets(*reader),
        "search_url": reverse("console:search"),
        "hotkeys_on": user.hotkeys_enabled,
        "workspace": workspace.name,
        "notifications_url": reverse("console:notifications"),
        "unread_notifications": lambda: unread_of(user),
        "currency": workspace.currency,
    }


@kept
def _sheets(language: str, prefix: str, hotkeys_on: bool) -> SafeString:
    """The palette, the ``?`` sheet and the empty toasts."""
    context = {"every_action": _in_words(), "search_url": reverse("console:search"), "hotkeys_on": hotkeys_on}
    return render_to_string("components/command_sheets.html", context)


@kept
def _navigation(section: str, language: str, prefix: str, hotkeys_on: bool) -> dict[str, SafeString]:
    """The links of the sidebar, and the bar and drawer that stand for it on a phone."""
    links = [
        {**action, "is_current": _section(action["url_name"]) == section}
        for action in _in_words()
        if action["scope"] == GO
    ]
    return {
        name: render_to_string(f"components/{name}.html", {"navigation": links})
        for name in ("navigation_links", "bottom_bar")
    }


def _in_words() -> list[dict[str, Any]]:
    """Every action, in the reader's language."""
    return [
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


def _section(url_name: str) -> str:
    """The page that an address belongs to: ``console:account_task`` and ``console:accounts`` are the same section."""
    return url_name.partition(":")[2].partition("_")[0].removesuffix("s")
