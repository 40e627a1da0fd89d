"""The contact budget: who is written to takes a place first, and what finds none is held back and listed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Contact, User
from accounts.services.settings import keep_change
from common.errors import DomainError
from outbox.models import ContactBudget, ContactSend, HeldBack, Kind
from outbox.models.budget import LABEL_LENGTH
from outbox.queries import free_at

MOST = 1000
LONGEST_PERIOD = 366
SETTING = "contact_budget"
"""Its name among the settings whose changes are kept."""


@transaction.atomic
def reserve(
    *,
    contact: Contact,
    kind: Kind,
    key: str,
    label: str,
    useful_until: datetime,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> ContactSend | HeldBack:
    """Take a place in the contact's budget for the message called ``key``, in the transaction that owes the message.

    A ``ContactSend`` means: send it. A ``HeldBack`` means: there is no place before ``HeldBack.until``. Is that no
    later than ``useful_until``, it waits, and whoever sends this ``kind`` asks again with the same key (what is
    needed for that is kept in ``details``); otherwise it is dropped. Pass ``now`` as ``useful_until`` for what cannot
    wait. The same key takes one place, however often it asks.

    The contact's row is locked until the transaction ends: of two that ask at once for the last place one gets it.
    """
    Contact.objects.select_for_update(no_key=True).only("pk").get(pk=contact.pk)
    taken = ContactSend.objects.filter(key=key).first()
    if taken is not None:
        return taken
    budget = ContactBudget.current()
    until = free_at(contact, budget, now)
    label = label[:LABEL_LENGTH]
    if until <= now <= useful_until:
        HeldBack.objects.filter(key=key).update(outcome=HeldBack.Outcome.SENT, settled_at=now)
        return ContactSend.objects.create(contact=contact, kind=kind, key=key, label=label, counted_at=now)
    waits = until <= useful_until
    again = {
        "most": budget.most,
        "days": budget.days,
        "until": until,
        "useful_until": useful_until,
        "outcome": HeldBack.Outcome.WAITING if waits else HeldBack.Outcome.TOO_LATE,
        "settled_at": None if waits else now,
    }
    first = {"contact": contact, "kind": kind, "label": label, "details": details or {}, "held_at": now}
    return HeldBack.objects.update_or_create(key=key, defaults=again, create_defaults={**first, **again})[0]


def drop(*, held: HeldBack, outcome: HeldBack.Outcome, now: datetime) -> bool:
    """Give up a message that waits for a place; returns whether it still waited."""
    waiting = HeldBack.objects.filter(pk=held.pk, outcome=HeldBack.Outcome.WAITING)
    return bool(waiting.update(outcome=outcome, settled_at=now))


@transaction.atomic
def set_budget(*, most: int | None, days: int, now: datetime, by: User | None = None) -> ContactBudget:
    """Let a contact be written to ``most`` times in ``days`` days (None: without limit).

    What waits is looked at again at once, and the change is kept with who made it.
    Raises DomainError for numbers out of bounds.
    """
    fields = {}
    if most is not None and not 1 <= most <= MOST:
        fields["most"] = _("Enter a number from 1 to %(most)s, or nothing for no limit.") % {"most": MOST}
    if not 1 <= days <= LONGEST_PERIOD:
        fields["days"] = _("Enter a number of days from 1 to %(most)s.") % {"most": LONGEST_PERIOD}
    if fields:
        raise DomainError(" ".join(fields.values()), code="bad_budget", fields=fields)
    ContactBudget.current()  # made, if there is none to lock yet
    budget = ContactBudget.objects.select_for_update().get()
    before = {"most": budget.most, "days": budget.days}
    budget.most, budget.days = most, days
    budget.save()
    keep_change(setting=SETTING, before=before, after={"most": most, "days": days}, by=by, now=now)
    HeldBack.objects.filter(outcome=HeldBack.Outcome.WAITING, until__gt=now).update(until=now)
    return budget
