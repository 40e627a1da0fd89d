"""Who at the customer is written to: one rule for all actions, and for the quiet hours of whom they write to."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Value, When

from accounts.models import Account, Contact, Event

FIRST_ASKED = (Contact.Role.CHAMPION, Contact.Role.DECISION_MAKER, Contact.Role.USER, Contact.Role.BILLING)


def recipient_of(account: Account, event: Event | None, *, role: str = "") -> Contact | None:
    """Whom to write to; None when nobody can be reached.

    With a ``role`` the first who has it. Else the contact of the ``event`` that began the run, and without one the
    champion, the decision maker, a user, whoever can be reached first.
    """
    reachable = account.contacts.reachable()
    if role:
        return reachable.filter(role=role).order_by("id").first()
    if event is not None and event.contact_id is not None:
        return reachable.filter(pk=event.contact_id).first()
    rank = Case(
        *(When(role=role, then=Value(place)) for place, role in enumerate(FIRST_ASKED)),
        default=Value(len(FIRST_ASKED)),
        output_field=IntegerField(),
    )
    return reachable.order_by(rank, "id").first()
