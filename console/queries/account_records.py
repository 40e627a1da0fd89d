"""What others tell of an account: its contracts, tickets and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Account, Ticket
from common.templatetags.amounts import money
from console.plots import line_chart, months_until, short_month
from revenue.models import Invoice, Opportunity, Subscription
from surveys.models import Response
from surveys.scales import Category, scale_of

MONTHS = 24
MOST_TICKETS = 100
MOST_INVOICES = 60
MOST_OPPORTUNITIES = 20


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice, and for how many days its money has been late; zero when it is not."""

    invoice: Invoice
    days_overdue: int


@dataclass(frozen=True, slots=True)
class Revenue:
    """The recurring lines of an account, its MRR at the end of each month (today's last), and its invoices.

    ``overdue`` is what its overdue invoices come to.
    """

    lines: list[Subscription]
    chart: dict[str, Any] | None
    title: str
    invoices: list[InvoiceRow]
    overdue: Decimal


def revenue(account: Account, *, today: date, currency: str) -> Revenue:
    """What the account paid a month, pays, and owes."""
    bills = invoices(account, today=today)
    overdue = sum((row.invoice.amount for row in bills if row.days_overdue), Decimal(0))
    lines = list(
        account.subscriptions.select_related("plan").order_by(F("ended_on").desc(nulls_first=True), "-started_on")
    )
    paid = [line for line in lines if not line.is_trial]
    if not paid:
        return Revenue(lines, None, "", bills, overdue)
    first = min(line.started_on for line in paid)
    months = [month for month in months_until(today, MONTHS) if _month_end(month) >= first]
    amounts = [_mrr(paid, min(_month_end(month), today)) for month in months]
    chart = line_chart(
        [short_month(month) for month in months], [(_("MRR"), amounts)], axis=_("Month"), unit=currency, kind="bar"
    )
    return Revenue(lines, chart, _mrr_title(amounts, currency), bills, overdue)


def opportunities(account: Account) -> list[Opportunity]:
    """What the account may buy, the soonest expected first, and after that what was decided, the latest first."""
    undecided_first = F("closed_at").desc(nulls_first=True)
    found = account.opportunities.select_related("owner").order_by(undecided_first, "expected_on", "pk")
    return list(found[:MOST_OPPORTUNITIES])


def invoices(account: Account, *, today: date) -> list[InvoiceRow]:
    """The overdue invoices, the longest overdue first, and after them the latest of the others."""
    unpaid = Invoice.objects.unpaid().filter(due_on__lt=today)
    late = list(unpaid.filter(account=account).order_by("due_on", "id")[:MOST_INVOICES])
    others = account.invoices.exclude(pk__in=unpaid.filter(account=account).values("pk"))
    found = [*late, *others.order_by("-issued_on", "-id")[: MOST_INVOICES - len(late)]]
    return [InvoiceRow(invoice, invoice.days_overdue(today)) for invoice in found]


def _month_end(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _mrr(lines: list[Subscription], day: date) -> Decimal:
    live = (line for line in lines if line.started_on <= day and (line.ended_on is None or line.ended_on > day))
    return sum((line.mrr for line in live), Decimal(0))


def _mrr_title(amounts: list[Decimal], currency: str) -> str:
    year = amounts[-13:]
    words = {"first": money(year[0], currency), "last": money(year[-1], currency), "months": len(year) - 1}
    if year[-1] > year[0]:
        return _("MRR grew from %(first)s to %(last)s in %(months)s months") % words
    if year[-1] < year[0]:
        return _("MRR fell from %(first)s to %(last)s in %(months)s months") % words
    if len(year) > 1:
        return _("MRR is %(last)s, as %(months)s months ago") % words
    return _("MRR is %(last)s") % words


def tickets(account: Account) -> list[Ticket]:
    """The latest tickets, those that wait for an answer first."""
    return list(
        account.tickets.select_related("contact").order_by(F("solved_at").desc(nulls_first=True), "-opened_at", "-id")[
            :MOST_TICKETS
        ]
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a survey, with what its score means."""

    response: Response
    category: Category
    tone: str
    highest: int


TONES = {Category.PROMOTER: "good", Category.PASSIVE: "watch", Category.DETRACTOR: "poor"}


def read_answer(response: Response) -> Answer:
    """The response with what its score means on its survey's scale."""
    scale = scale_of(response.survey)
    category = scale.category(response.score)
    return Answer(response, category, TONES[category], scale.highest)


def answers(account: Account, *, limit: int) -> list[Answer]:
    """What people at the account answered last."""
    responses = account.responses.select_related("survey", "contact").order_by("-answered_at", "-id")[:limit]
    return [read_answer(response) for response in responses]
