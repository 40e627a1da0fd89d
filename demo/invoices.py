"""Writes invoices as they are issued, paid and voided."""

from __future__ import annotations

from datetime import date, datetime

from accounts.models import Account
from demo.agenda import Agenda
from demo.catalogue import CURRENCY
from demo.company import Bill, Company, Customer, moment
from revenue.models import Invoice
from revenue.services import tell

SOURCE = "billing"
ISSUED = 7 * 60
SETTLED = 18 * 60


class InvoiceWriter:
    """Keeps the invoices as the billing system would tell them."""

    def __init__(self, company: Company, accounts: dict[str, Account]) -> None:
        self._accounts = accounts
        bills = [(customer, bill) for customer in company.customers for bill in customer.bills]
        self._issues: Agenda[tuple[Customer, Bill]] = Agenda(
            (moment(bill.issued_on, ISSUED), (c, bill)) for c, bill in bills
        )
        self._settled: Agenda[tuple[str, date, str]] = Agenda(
            (moment(day, SETTLED), (bill.key, day, name))
            for _customer, bill in bills
            for name, day in (("paid_on", bill.paid_on), ("voided_on", bill.voided_on))
            if day is not None
        )

    def write(self, *, now: datetime) -> None:
        """Write what was issued and settled up to ``now``."""
        Invoice.objects.bulk_create(self._invoice(customer, bill) for _at, (customer, bill) in self._issues.take(now))
        settled = self._settled.take(now)
        keys = {key for _at, (key, _day, _name) in settled}
        invoices = {invoice.external_id: invoice for invoice in Invoice.objects.filter(external_id__in=keys)}
        for at, (key, day, name) in settled:
            setattr(invoices[key], name, day)
            invoices[key].updated_at = at
        Invoice.objects.bulk_update(invoices.values(), ["paid_on", "voided_on", "updated_at"], batch_size=500)
        tell([(invoices[key], {name: None}) for _at, (key, _day, name) in settled], now=now)

    def _invoice(self, customer: Customer, bill: Bill) -> Invoice:
        return Invoice(
            account=self._accounts[customer.key],
            source=SOURCE,
            external_id=bill.key,
            number=bill.number,
            amount=bill.amount,
            currency=CURRENCY,
            issued_on=bill.issued_on,
            due_on=bill.due_on,
        )
