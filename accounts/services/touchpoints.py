from __future__ import annotations

from datetime import date, datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Contact, Touchpoint, User
from accounts.services.ledger import record
from common.errors import Conflict, NotAllowed


class TouchpointDetails(TypedDict, total=False):
    """What else may be known of a touchpoint."""

    contact: Contact | None
    direction: str
    sentiment: str
    minutes: int | None
    body: str
    next_step: str
    next_step_on: date | None
    external_id: str | None


@transaction.atomic
def log_touchpoint(
    *,
    account: Account,
    user: User | None,
    kind: str,
    summary: str,
    happened_at: datetime,
    **details: Unpack[TouchpointDetails],
) -> Touchpoint:
    """Keep an exchange with a customer, and show it on the account's timeline."""
    touchpoint = Touchpoint.objects.create(
        account=account, user=user, kind=kind, summary=summary, happened_at=happened_at, **details
    )
    record(
        account=account,
        kind="touchpoint.logged",
        happened_at=happened_at,
        user=user,
        contact=touchpoint.contact,
        data={
            "touchpoint": touchpoint.pk,
            "kind": kind,
            "summary": summary,
            "sentiment": touchpoint.sentiment,
        },
    )
    return touchpoint


@transaction.atomic
def withdraw_touchpoint(*, touchpoint: Touchpoint, by: User, now: datetime) -> None:
    """Take back a touchpoint that was logged by mistake; the ledger keeps that it was, and who took it back.

    Raises NotAllowed for somebody else's, save for admins, and Conflict when it was taken back already.
    """
    if touchpoint.user_id != by.pk and not by.is_admin:
        raise NotAllowed(_("Only the person who logged this, or an admin, can take it back."))
    if not Touchpoint.objects.filter(pk=touchpoint.pk).delete()[0]:
        raise Conflict(_("This was taken back already."), code="touchpoint_withdrawn")
    record(
        account=touchpoint.account,
        kind="touchpoint.withdrawn",
        happened_at=now,
        user=by,
        data={"touchpoint": touchpoint.pk, "kind": touchpoint.kind, "summary": touchpoint.summary},
    )
