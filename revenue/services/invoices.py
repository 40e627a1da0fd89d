"""What happens to invoices, whoever tells it: files, the REST API, a billing system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Event, Workspace
from accounts.services.ledger import record_many, touch
from common import clock
from common.cells import EARLIEST, LATEST
from common.errors import Conflict, DomainError
from common.importers import NEWS
from revenue.models import Invoice

MOMENTS = {"paid_on": "invoice.paid", "voided_on": "invoice.voided"}
"""The fields of an invoice whose first being said is an event, with its kind. To be late is no event: time makes it."""


def currency_problem(currency: str) -> str:
    """Why an amount in this currency cannot be taken; empty for the workspace's own."""
    own = Workspace.current().currency
    if currency == own:
        return ""
    return _("The amount is in %(given)s and the workspace counts in %(currency)s; convert it first.") % {
        "given": currency,
        "currency": own,
    }


def events_of(invoice: Invoice, before: Mapping[str, Any], *, today: date, zone: ZoneInfo) -> Iterator[Event]:
    """What happened to an invoice up to ``today``, given what its changed fields said before; empty for a new one."""
    data = {
        "invoice": invoice.pk,
        "number": str(invoice),
        "amount": str(invoice.amount),
        "currency": invoice.currency,
        "days_late": max(0, (invoice.paid_on - invoice.due_on).days) if invoice.paid_on else 0,
    }
    for name, kind in MOMENTS.items():
        day: date | None = getattr(invoice, name)
        is_news = not before or (name in before and before[name] is None)
        if day is not None and day <= today and is_news:
            happened_at = clock.start_of_day(day, zone)
            yield Event(account_id=invoice.account_id, kind=kind, happened_at=happened_at, data=data)


def tell(changed: Iterable[tuple[Invoice, Mapping[str, Any]]], *, now: datetime) -> None:
    """Write the events of new and changed invoices, each with what its changed fields said before, and touch.

    What was paid more than two days ago is history: no playbook starts from it.
    """
    workspace = Workspace.current()
    pairs = list(changed)
    today = workspace.day(now)
    events = [
        event for invoice, before in pairs for event in events_of(invoice, before, today=today, zone=workspace.zone)
    ]
    record_many(events, news_since=now - NEWS)
    accounts = {invoice.account_id for invoice, _before in pairs}
    accounts |= {before["account_id"] for _invoice, before in pairs if "account_id" in before}
    touch(accounts - {event.account_id for event in events})


@transaction.atomic
def save_invoice(*, invoice: Invoice, now: datetime) -> Invoice:
    """Keep a new or changed invoice and what that means for its account.

    Raises DomainError for another currency than the workspace's, an implausible day or a due date before the issue,
    and Conflict when the source has another invoice with that id.
    """
    if problem := currency_problem(invoice.currency):
        raise DomainError(problem, code="other_currency", fields={"currency": problem})
    for name in ("issued_on", "due_on", *MOMENTS):
        day: date | None = getattr(invoice, name)
        if day is not None and not EARLIEST <= day.year < LATEST:
            message = _("Give a day between the years %(first)d and %(last)d.") % {"first": EARLIEST, "last": LATEST}
            raise DomainError(message, code="out_of_range", fields={name: message})
    if invoice.due_on < invoice.issued_on:
        message = _("This is before the invoice was issued; correct one.")
        raise DomainError(message, code="due_before_issue", fields={"due_on": message})
    held = Invoice.objects.select_for_update().filter(pk=invoice.pk).first() if invoice.pk else None
    before = {name: getattr(held, name) for name in ("account_id", *MOMENTS)} if held else {}
    try:
        with transaction.atomic():
            invoice.save()
    except IntegrityError as error:
        if "once_a_source" not in str(error):
            raise
        message = _("There is an invoice “%(id)s” of %(source)s.") % {
            "id": invoice.external_id,
            "source": invoice.source,
        }
        raise Conflict(message, code="external_id_taken", fields={"external_id": message}) from error
    tell([(invoice, before)], now=now)
    return invoice
