from __future__ import annotations

from datetime import date, datetime
from typing import TypedDict, Unpack

from django.db import transaction

from accounts.models import Account, Contact, Touchpoint, User
from accounts.services.ledger import record


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
