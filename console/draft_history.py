"""Taking back changes of a draft: what it was before is kept with the session of whoever changed it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Conflict
from console.staff import StaffRequest
from playbooks.models import Playbook
from playbooks.services import discard_draft, save_draft

KEPT = "playbook_history"
MOST = 20


def keep_draft(
    request: StaffRequest, playbook: Playbook, definition: dict[str, Any], *, number: int, now: datetime
) -> None:
    """Save the draft, and remember what it was before; raises as ``save_draft`` does."""
    before = playbook.draft
    save_draft(playbook=playbook, definition=definition, number=number, by=request.user, now=now)
    history = _history(request, playbook)
    _remember(request, playbook, [*history[1 - MOST :], [playbook.draft_number, before]])


def may_undo(request: StaffRequest, playbook: Playbook) -> bool:
    """Whether the last change of the draft was this person's, in this session."""
    history = _history(request, playbook)
    return bool(history) and history[-1][0] == playbook.draft_number


def undo(request: StaffRequest, playbook: Playbook, *, now: datetime) -> None:
    """Bring back what the draft was before the last change; raises Conflict when there is nothing to take back."""
    if not may_undo(request, playbook):
        raise Conflict(_("There is nothing to take back: the draft was changed by somebody else since."))
    *history, (number, before) = _history(request, playbook)
    if before is None:
        discard_draft(playbook=playbook, number=number, by=request.user)
    else:
        save_draft(playbook=playbook, definition=before, number=number, by=request.user, now=now)
    if history:
        history[-1] = [playbook.draft_number, history[-1][1]]
    _remember(request, playbook, history)


def _history(request: StaffRequest, playbook: Playbook) -> list[list[Any]]:
    """The numbers that the draft had after each change, and what it was before; the last change is the last."""
    kept = request.session.get(KEPT, {})
    found: list[list[Any]] = kept.get("changes", []) if kept.get("playbook") == playbook.pk else []
    return found


def _remember(request: StaffRequest, playbook: Playbook, history: list[list[Any]]) -> None:
    request.session[KEPT] = {"playbook": playbook.pk, "changes": history}
