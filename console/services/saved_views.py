"""What people do with the views that they save."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.errors import Conflict, DomainError
from console.models import SavedView

MOST = 50


@transaction.atomic
def save_view(*, user: User, page: str, name: str, query: str, is_shared: bool, now: datetime) -> SavedView:
    """Keep a query string under a name, after the others; raises DomainError for a name that is taken."""
    mine = SavedView.objects.of(user).filter(page=page)
    if mine.count() >= MOST:
        raise DomainError(_("You have %(most)s views already; delete one first.") % {"most": MOST}, code="too_many")
    last = mine.order_by("-position").first()
    view = SavedView(
        user=user,
        page=page,
        name=name,
        query=query,
        is_shared=is_shared,
        position=last.position + 1 if last else 1,
        created_at=now,
    )
    return _kept(view)


@transaction.atomic
def change_view(*, view: SavedView, name: str, is_shared: bool, is_default: bool, position: int) -> SavedView:
    """Rename, share or move a view, or let the page open with it; raises DomainError for a name that is taken."""
    if is_default:
        SavedView.objects.of(view.user).filter(page=view.page, is_default=True).exclude(pk=view.pk).update(
            is_default=False
        )
    view.name, view.is_shared, view.is_default, view.position = name, is_shared, is_default, position
    return _kept(view)


def overwrite_view(*, view: SavedView, query: str) -> str:
    """Let the view be what is shown now; returns what it was."""
    before = view.query
    view.query = query
    view.save(update_fields=["query"])
    return before


def delete_view(*, view: SavedView, now: datetime) -> SavedView:
    """Take the view away, from everybody with whom it was shared too; ``restore_view`` brings it back."""
    view.deleted_at, view.is_default = now, False
    view.save(update_fields=["deleted_at", "is_default"])
    return view


def restore_view(*, view: SavedView) -> SavedView:
    """Bring a deleted view back; raises DomainError when its name is taken by now."""
    view.deleted_at = None
    return _kept(view)


def _kept(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        if "console_view_one_default" in str(error):
            raise Conflict(_("Another view was made the first one just now.")) from None
        message = _("You have a view of this name already.")
        raise DomainError(message, code="name_taken", fields={"name": message}) from None
    return view
