"""Messages to contacts that are withdrawn before they are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import Event
from accounts.services.ledger import record_many
from outbox.models import ContactSend, HeldBack, Message, Withdrawal


@transaction.atomic
def withdraw(*, messages: Mapping[int, Withdrawal], now: datetime) -> int:
    """Owe these messages, by their ids, no longer; returns how many were withdrawn.

    What has gone, or a worker has, is passed by. The places in the budget are given back, and the account's timeline
    tells why nothing came.
    """
    waiting = Message.objects.unsent(now).filter(pk__in=messages, place__isnull=False)
    found = list(
        waiting.select_for_update(of=("self",), skip_locked=True).select_related("place__contact").defer("payload")
    )
    events: list[Event] = []
    places: list[int] = []
    keys: dict[Withdrawal, list[str]] = defaultdict(list)
    for message in found:
        place, because = message.place, messages[message.pk]
        assert place is not None
        places.append(place.pk)
        keys[because].append(place.key)
        message.status, message.withdrawn_because = Message.Status.WITHDRAWN, because
        message.payload, message.leased_until, message.place = {}, None, None
        events.append(
            Event(
                account_id=place.contact.account_id,
                kind="message.withdrawn",
                happened_at=now,
                contact=place.contact,
                data={"message": message.pk, "kind": place.kind, "label": place.label, "because": because},
            )
        )
    if not found:
        return 0
    Message.objects.bulk_update(found, ["status", "withdrawn_because", "payload", "leased_until", "place"])
    ContactSend.objects.filter(pk__in=places).delete()
    for because, of in keys.items():  # what had been held back first has not come either
        HeldBack.objects.filter(key__in=of).update(outcome=HeldBack.Outcome(because), settled_at=now)
    record_many(events, touches=False)
    return len(found)
