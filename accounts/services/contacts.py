"""What contacts say about being written to, and what their mailboxes say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Contact, Event
from accounts.services.ledger import record


def unsubscribe(*, contact: Contact, now: datetime, data: dict[str, Any] | None = None) -> Contact:
    """Stop writing to the contact; ``data`` tells on what occasion. A second time changes nothing."""
    if Contact.objects.filter(pk=contact.pk, unsubscribed_at=None).update(unsubscribed_at=now, updated_at=now):
        contact.unsubscribed_at = now
        record(account=contact.account, kind="contact.unsubscribed", happened_at=now, contact=contact, data=data or {})
    return contact


def mark_bounced(*, contact: Contact, address: str, now: datetime, data: dict[str, Any]) -> Event | None:
    """Mark that there is no mailbox at ``address``; the event to record, or None when the contact has another one."""
    if not Contact.objects.filter(pk=contact.pk, email=address, bounced_at=None).update(bounced_at=now, updated_at=now):
        return None
    return Event(account_id=contact.account_id, kind="contact.bounced", happened_at=now, contact=contact, data=data)
