from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Event, Ticket
from accounts.services.ledger import record_many, touch
from common.cells import Choice, Flag, Instant, Number, Refusal, Text
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import Values, upsert


class TicketImporter(Importer):
    """Requests for support by the help desk's name and its id for them."""

    name = "tickets"
    identity = ("source", "external_id")
    fields = (
        Field("source", Text(40), required=True),
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("contact", reference="contact"),
        Field("subject", Text(300)),
        Field("priority", Choice(Ticket.Priority.values, empty=Ticket.Priority.MEDIUM)),
        Field("opened_at", Instant(), required=True),
        Field("first_answered_at", Instant()),
        Field("solved_at", Instant()),
        Field("reopened_count", Number(0, 30_000, empty=0)),
        Field("is_escalated", Flag(empty=False)),
        Field("satisfaction", Number(1, 5)),
    )

    def check(self, values: Mapping[str, Any], occasion: Occasion) -> None:
        for name in ("first_answered_at", "solved_at"):
            if values.get(name) and values[name] < values["opened_at"]:
                raise Refusal("ends_before_start", _("This is before the ticket was opened; correct one."), field=name)

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        written = upsert(Ticket, key=self.identity, rows=(_columns(row.values) for row in rows), also=("heard_at",))
        events = [
            *(event for ticket in written.created for event in _story(ticket, {}, occasion)),
            *(event for ticket, before in written.updated for event in _story(ticket, before, occasion)),
        ]
        record_many(events, news_since=occasion.news_since)
        touch({ticket.account_id for ticket, _before in written.updated} - {event.account_id for event in events})
        return Outcome(len(written.created), len(written.updated), len(written.unchanged))


def _columns(values: Mapping[str, Any]) -> Values:
    return {f"{name}_id" if name in ("account", "contact") else name: value for name, value in values.items()}


def _story(ticket: Ticket, before: Values, occasion: Occasion) -> Iterator[Event]:
    """What happened to a ticket, given what its changed fields said before; a new one has no before."""
    data = {"ticket": ticket.pk, "subject": ticket.subject, "priority": ticket.priority}
    is_new = not before
    if is_new:
        yield Event(account_id=ticket.account_id, kind="ticket.opened", happened_at=ticket.opened_at, data=data)
    reopened = ticket.reopened_count > before.get("reopened_count", ticket.reopened_count)
    if reopened or (before.get("solved_at") and ticket.solved_at is None):
        yield Event(account_id=ticket.account_id, kind="ticket.reopened", happened_at=occasion.now, data=data)
    newly_solved = is_new or ("solved_at" in before and (reopened or before["solved_at"] is None))
    if ticket.solved_at and newly_solved:
        yield Event(account_id=ticket.account_id, kind="ticket.solved", happened_at=ticket.solved_at, data=data)
