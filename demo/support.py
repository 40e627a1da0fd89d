"""Writes tickets as they are opened, answered, solved, opened again and solved once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from accounts.models import Account, Contact, Event, Ticket
from accounts.services.ledger import record_many
from demo.agenda import Agenda
from demo.company import Company, Customer, Request

SOURCE = "helpdesk"


class TicketWriter:
    """Keeps the tickets as the help desk would tell them."""

    def __init__(self, company: Company, accounts: dict[str, Account], contacts: dict[str, Contact]) -> None:
        self._accounts = accounts
        self._contacts = contacts
        self._turns: Agenda[tuple[str, Customer, Request]] = Agenda(
            (at, (kind, customer, request))
            for customer in company.customers
            for request in customer.requests
            for kind, at in _turns(request)
        )

    def write(self, *, now: datetime) -> None:
        """Write every turn of every ticket up to ``now``."""
        happened = self._turns.take(now)
        opened = [(at, customer, request) for at, (kind, customer, request) in happened if kind == "opened"]
        Ticket.objects.bulk_create(
            Ticket(
                account=self._accounts[customer.key],
                contact=self._contacts[request.person],
                source=SOURCE,
                external_id=request.key,
                subject=request.subject,
                priority=request.priority,
                opened_at=at,
                is_escalated=request.is_escalated,
            )
            for at, customer, request in opened
        )
        keys = {request.key for _at, (_kind, _customer, request) in happened}
        tickets = {ticket.external_id: ticket for ticket in Ticket.objects.filter(external_id__in=keys)}
        for at, (kind, _customer, request) in happened:
            ticket = tickets[request.key]
            ticket.heard_at = at
            if kind == "answered":
                ticket.first_answered_at = at
            elif kind == "solved":
                ticket.solved_at, ticket.satisfaction = at, request.satisfaction
            elif kind == "reopened":
                ticket.solved_at, ticket.reopened_count = None, ticket.reopened_count + 1
        Ticket.objects.bulk_update(
            tickets.values(),
            ["first_answered_at", "solved_at", "satisfaction", "reopened_count", "heard_at"],
            batch_size=500,
        )
        record_many(
            [
                Event(
                    account=self._accounts[customer.key],
                    kind=f"ticket.{kind}",
                    happened_at=at,
                    contact=self._contacts[request.person],
                    data={
                        "ticket": tickets[request.key].pk,
                        "subject": request.subject,
                        "priority": request.priority,
                    },
                )
                for at, (kind, customer, request) in happened
                if kind != "answered"
            ]
        )


def _turns(request: Request) -> Iterator[tuple[str, datetime]]:
    for kind, at in (
        ("opened", request.opened_at),
        ("answered", request.answered_at),
        ("solved", request.solved_at),
        ("reopened", request.reopened_at),
        ("solved", request.solved_again_at),
    ):
        if at is not None:
            yield kind, at
