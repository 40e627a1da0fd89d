"""Refused calls, kept with their reason, and offered again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from usage.models import RejectedEvent
from usage.services.ingest import ingest_parsed
from usage.services.parse import parse
from usage.services.strict_json import BadRequest


class Replayed(NamedTuple):
    """How many refused calls were taken this time, and how many are still refused."""

    accepted: int
    refused: int


def replay_rejected(*, code: str = "", limit: int = 1_000, now: datetime) -> Replayed:
    """Offer refused calls again, oldest first, those of one reason or of any.

    One that came without a message id gets one of its own, so that replaying it twice counts it once; without a
    time, it happened when it came. One that is refused again stays as it is.
    """
    waiting = RejectedEvent.objects.filter(replayed_at=None).order_by("pk")
    if code:
        waiting = waiting.filter(code=code)
    accepted = refused = 0
    for event in waiting[:limit]:
        with transaction.atomic():
            taken = _replay(event, now)
            if taken:
                event.replayed_at = now
                event.save(update_fields=["replayed_at"])
        accepted += taken
        refused += not taken
    return Replayed(accepted, refused)


def _replay(event: RejectedEvent, now: datetime) -> bool:
    try:
        call = json.loads(event.body)
    except ValueError:
        return False
    if isinstance(call, dict):
        call["messageId"] = call.get("messageId") or f"rejected-{event.pk}"
        if not (call.get("timestamp") or call.get("originalTimestamp")):
            call["timestamp"] = event.received_at.isoformat()
    try:
        payload = parse(json.dumps({"batch": [call]}).encode(), kind=None)
    except BadRequest:
        return False
    return not payload.refused and not ingest_parsed(payload=payload, received_at=now).refused
