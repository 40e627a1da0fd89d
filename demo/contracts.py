"""Writes contracts as they start, change, renew and end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from accounts.models import Account, Event
from accounts.services.ledger import record_many, touch
from common.sql import SQL, rows
from demo.agenda import Agenda
from demo.catalogue import CURRENCY
from demo.company import Company, Customer, Line, moment
from demo.setup import SetUp
from revenue.models import Subscription

SIGNED = 8 * 60 + 45
ENDED = 8 * 60 + 40


class ContractWriter:
    """Keeps the subscription lines, and the plan and the seats that they give to the account."""

    def __init__(self, company: Company, setup: SetUp, accounts: dict[str, Account]) -> None:
        self._setup = setup
        self._accounts = accounts
        self._starts: Agenda[tuple[Customer, Line]] = Agenda(
            (moment(line.started_on, SIGNED), (customer, line))
            for customer in company.customers
            for line in customer.lines
        )
        self._ends: Agenda[tuple[Customer, Line]] = Agenda(
            (moment(line.ended_on, ENDED), (customer, line))
            for customer in company.customers
            for line in customer.lines
            if line.ended_on is not None
        )

    def write(self, *, now: datetime) -> None:
        """Write what was signed, renewed and ended up to ``now``."""
        started, ended = self._starts.take(now), self._ends.take(now)
        lines = Subscription.objects.bulk_create(self._line(customer, line) for _at, (customer, line) in started)
        events = [self._event("subscription.started", at, customer, line) for at, (customer, line) in started]
        for (at, (customer, line)), written in zip(started, lines, strict=True):
            if line is not customer.lines[0]:
                Account.objects.filter(pk=written.account_id).update(
                    plan=self._setup.plans[line.plan], seats=line.seats, updated_at=at
                )
        for at, (customer, line) in ended:
            Subscription.objects.filter(external_id=line.key).update(ended_on=line.ended_on, updated_at=at)
            events.append(self._event("subscription.ended", at, customer, line))
        record_many(events)
        touch(_renew(now))

    def _line(self, customer: Customer, line: Line) -> Subscription:
        return Subscription(
            account=self._accounts[customer.key],
            external_id=line.key,
            plan=self._setup.plans[line.plan],
            seats=line.seats,
            mrr=line.mrr,
            currency=CURRENCY,
            term_months=line.term_months,
            started_on=line.started_on,
            renews_on=_first_renewal(customer, line),
        )

    def _event(self, kind: str, at: datetime, customer: Customer, line: Line) -> Event:
        return Event(
            account=self._accounts[customer.key],
            kind=kind,
            happened_at=at,
            data={"subscription": line.key, "plan": line.plan, "seats": line.seats, "mrr": str(line.mrr)},
        )


def _first_renewal(customer: Customer, line: Line) -> date:
    """A yearly contract renews on the day of the year it was first signed, whatever was changed in between."""
    since = line.started_on if line.term_months < 12 else _life_start(customer, line)
    months = since.year * 12 + since.month - 1
    while True:
        months += line.term_months
        day = min(since.day, 28)
        found = date(months // 12, months % 12 + 1, day)
        if found > line.started_on:
            return found


def _life_start(customer: Customer, line: Line) -> date:
    """When the unbroken stretch of lines that this one belongs to began."""
    start = line.started_on
    for earlier in reversed(customer.lines[: customer.lines.index(line)]):
        if earlier.ended_on is None or start - earlier.ended_on > timedelta(days=1):
            break
        start = earlier.started_on
    return start


def _renew(now: datetime) -> list[int]:
    """Move the renewal of each live line on by whole terms until it lies ahead; returns the accounts."""
    renewed: set[int] = set()
    while True:
        moved = rows(
            SQL(
                "UPDATE revenue_subscription SET updated_at = %s,"
                " renews_on = (renews_on + make_interval(months => term_months))::date"
                " WHERE ended_on IS NULL AND renews_on <= %s RETURNING account_id",
                (now, now.date()),
            )
        )
        if not moved:
            return sorted(renewed)
        renewed.update(account_id for (account_id,) in moved)
