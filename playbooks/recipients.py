"""Who at the customer is written to: one rule for all actions, and for the quiet hours of whom they write to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

from django.db.models import Case, IntegerField, Q, Value, When

from accounts.models import Account, Contact, Event

FIRST_ASKED = (Contact.Role.CHAMPION, Contact.Role.DECISION_MAKER, Contact.Role.USER, Contact.Role.BILLING)


def recipient_of(account: Account, event: Event | None, *, role: str = "") -> Contact | None:
    """Whom to write to; None when nobody can be reached.

    With a ``role`` the first who has it. Else the contact of the ``event`` that began the run, and without one the
    champion, the decision maker, a user, whoever can be reached first.
    """
    asked = {account.pk: event.contact_id} if event is not None and event.contact_id is not None else {}
    return recipients_of([account.pk], asked, role=role).get(account.pk)


def recipients_of(account_ids: Collection[int], asked: Mapping[int, int], *, role: str = "") -> dict[int, Contact]:
    """Whom to write to at each account, in one query; those where nobody can be reached are left out.

    ``asked`` is the contact of the event that began the account's run.
    """
    reachable = Contact.objects.reachable().filter(account__in=account_ids).select_related("account")
    if role:
        reachable = reachable.filter(role=role)
    elif asked:
        reachable = reachable.filter(~Q(account__in=asked) | Q(pk__in=asked.values()))
    first = Case(
        *(When(role=known, then=Value(place)) for place, known in enumerate(FIRST_ASKED)),
        default=Value(len(FIRST_ASKED)),
        output_field=IntegerField(),
    )
    chosen = reachable.order_by("account_id", first, "pk").distinct("account_id")
    return {contact.account_id: contact for contact in chosen}


def zones_of_readers(
    roles: Mapping[str, str], account_ids: Collection[int], asked: Mapping[int, int], *, otherwise: ZoneInfo
) -> dict[int, dict[str, ZoneInfo]]:
    """By account and step the zone of the contact that the step would write to, with a query for each step.

    ``roles`` has the role that each step asks for by the step's id, ``asked`` is as in ``recipients_of``.
    """
    zones: dict[int, dict[str, ZoneInfo]] = defaultdict(dict)
    for step, role in roles.items():
        for account_id, contact in recipients_of(account_ids, asked, role=role).items():
            zones[account_id][step] = zone_of(contact, otherwise)
    return zones


def zone_of(contact: Contact, otherwise: ZoneInfo) -> ZoneInfo:
    """The zone that a contact is in: their own, else the account's, else another."""
    named = contact.time_zone or contact.account.time_zone
    return ZoneInfo(named) if named else otherwise
