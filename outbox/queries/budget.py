"""How much of a contact's budget is left."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Contact
from outbox.models import ContactBudget, ContactSend


def free_at(contact: Contact, budget: ContactBudget, now: datetime) -> datetime:
    """When the contact may be written to next: ``now``, or when enough of what was sent is as old as the period."""
    if budget.most is None:
        return now
    sends = ContactSend.objects.filter(contact=contact, counted_at__gt=now - budget.period).order_by("-counted_at")
    # The place of the message that is `most` messages back is the first to come free.
    taken = sends.values_list("counted_at", flat=True)[budget.most - 1 : budget.most]
    return taken[0] + budget.period if taken else now
