"""Writes what happened to the customers, day by day, so that the engines see at each moment what was known then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from zoneinfo import ZoneInfo

from accounts.models import Account, Contact, Event, Offboarding, StageEntry, Touchpoint
from accounts.services.accounts import end_account
from accounts.services.ledger import record_many
from accounts.services.stages import enter_stage
from demo.agenda import Agenda
from demo.company import DAYS, Company, Customer, Exchange, Person, StageMove, moment
from demo.contracts import ContractWriter
from demo.invoices import InvoiceWriter
from demo.ratings import RatingWriter
from demo.setup import SetUp
from demo.support import TicketWriter
from demo.voices import SurveyWriter
from usage.services import add_active_users, add_daily_usage

MORNING = 8 * 60 + 30
EVENING = 19 * 60
OPENS = time(8)
WORKING_HOURS = timedelta(hours=10)
WEEKS_SEEN_CLOSELY = 12
"""For longer ago, active users are noted every second week, which is enough for a window of four."""


class Writer:
    """Puts a company into the database as time passes; ``accounts`` and ``contacts`` are those known so far, by key."""

    def __init__(self, company: Company, rows: SetUp) -> None:
        self.company = company
        self.rows = rows
        self.accounts: dict[str, Account] = {}
        self.contacts: dict[str, Contact] = {}
        customers = company.customers
        self._joins = Agenda((moment(customer.joined_on, MORNING), customer) for customer in customers)
        self._moves: Agenda[tuple[Customer, StageMove]] = Agenda(
            (move.at, (customer, move)) for customer in customers for move in customer.stages
        )
        self._exchanges: Agenda[tuple[Customer, Exchange]] = Agenda(
            (exchange.at, (customer, exchange)) for customer in customers for exchange in customer.exchanges
        )
        self._leavers: Agenda[Person] = Agenda(
            (person.left_at, person) for customer in customers for person in customer.people if person.left_at
        )
        self._ends = Agenda(
            (moment(customer.end.on, EVENING), customer) for customer in customers if customer.end is not None
        )
        self._returns = Agenda(
            (moment(customer.returned_on, MORNING), customer) for customer in customers if customer.returned_on
        )
        self._weeks = Agenda((moment(last_day, EVENING), week) for week, last_day in _weeks(company))
        self._contracts = ContractWriter(company, rows, self.accounts)
        self._invoices = InvoiceWriter(company, self.accounts)
        self._tickets = TicketWriter(company, self.accounts, self.contacts)
        self._ratings = RatingWriter(company, rows, self.accounts)
        self._surveys = SurveyWriter(company, rows, self.accounts, self.contacts)
        self._used_until = company.first_day

    def write(self, *, now: datetime) -> None:
        """Write everything that happened since the last call, up to ``now``."""
        self._write_joins(now)
        self._write_returns(now)
        self._contracts.write(now=now)
        self._invoices.write(now=now)
        self._write_moves(now)
        self._tickets.write(now=now)
        self._write_exchanges(now)
        self._ratings.write(now=now)
        self._surveys.write(now=now)
        self._write_leavers(now)
        self._write_ends(now)

    def write_usage(self, *, now: datetime, today: date) -> None:
        """Add the use of each day up to ``today``; of the company's last day only what has happened by ``now``."""
        until = today + timedelta(days=1)
        add_daily_usage(self._usage(self._used_until, until, now), now=now)
        self._used_until = until
        add_active_users(
            (self.accounts[customer.key].pk, f"{customer.key}-u{number}", at.date())
            for at, week in self._weeks.take(now)
            for customer in self.company.customers
            if customer.key in self.accounts
            for number in range(customer.users[week])
        )

    def _usage(self, first: date, until: date, now: datetime) -> Iterator[tuple[int, int, date, int]]:
        days = [first + timedelta(days=number) for number in range((until - first).days)]
        indexes = [(day, (day - self.company.first_day).days) for day in days]
        for customer in self.company.customers:
            account = self.accounts.get(customer.key)
            if account is None:
                continue
            part = self._part_of_today(customer, now)
            for feature, counts in customer.usage.items():
                feature_id = self.rows.features[feature].pk
                for day, index in indexes:
                    count = counts[index] if day < self.company.today else int(counts[index] * part)
                    if count:
                        yield account.pk, feature_id, day, count

    def _part_of_today(self, customer: Customer, now: datetime) -> float:
        """The part of the customer's own working hours that lies behind it at ``now``."""
        begins = datetime.combine(self.company.today, OPENS, tzinfo=ZoneInfo(customer.time_zone))
        return min(1.0, max(0.0, (now - begins) / WORKING_HOURS))

    def _write_joins(self, now: datetime) -> None:
        joined = self._joins.take(now)
        accounts = Account.objects.bulk_create(
            Account(
                external_id=customer.key,
                name=customer.name,
                domains=[customer.domain],
                owner=self.rows.users.get(customer.owner),
                touch_model=customer.touch_model,
                plan=self.rows.plans[customer.lines[0].plan],
                seats=customer.lines[0].seats,
                industry=customer.industry,
                country=customer.country,
                language=customer.language,
                time_zone=customer.time_zone,
                tags=customer.tags,
                custom=customer.custom,
                customer_since=customer.joined_on,
                stage=self.rows.stages[_moves(customer, now)[-1].stage],
                stage_entered_at=_moves(customer, now)[-1].at,
            )
            for _at, customer in joined
        )
        self.accounts.update((account.external_id or "", account) for account in accounts)
        self._write_families()
        self._write_stays([(customer, _moves(customer, now)) for _at, customer in joined])
        contacts = Contact.objects.bulk_create(
            Contact(
                account=self.accounts[customer.key],
                external_id=person.key,
                name=person.name,
                email=person.email,
                title=person.title,
                role=person.role,
                language=person.language,
                time_zone=person.time_zone,
            )
            for _at, customer in joined
            for person in customer.people
        )
        self.contacts.update((contact.external_id or "", contact) for contact in contacts)
        record_many(
            [
                Event(account=self.accounts[customer.key], kind="account.created", happened_at=at)
                for at, customer in joined
            ]
        )

    def _write_families(self) -> None:
        """Put the accounts that belong to a larger customer below it, as soon as both are known."""
        by_name = {account.name: account for account in self.accounts.values()}
        placed = []
        for customer in self.company.customers:
            account = self.accounts.get(customer.key)
            if account is not None and account.parent_id is None and customer.parent in by_name:
                account.parent = by_name[customer.parent]
                placed.append(account)
        Account.objects.bulk_update(placed, ["parent"])

    def _write_stays(self, journeys: list[tuple[Customer, list[StageMove]]]) -> None:
        """Write the stays in stages that are told at once, because they are older than the first look."""
        StageEntry.objects.bulk_create(
            StageEntry(
                account=self.accounts[customer.key],
                stage=self.rows.stages[move.stage],
                entered_at=move.at,
                left_at=following.at if following else None,
                reason=move.reason,
            )
            for customer, moves in journeys
            for move, following in zip_longest(moves, moves[1:])
        )
        record_many(
            [
                Event(
                    account=self.accounts[customer.key],
                    kind="stage.entered",
                    happened_at=move.at,
                    data={"stage": move.stage, "from": before.stage if before else None, "reason": move.reason},
                )
                for customer, moves in journeys
                for before, move in zip([None, *moves], moves, strict=False)
            ]
        )

    def _write_moves(self, now: datetime) -> None:
        for at, (customer, move) in self._moves.take(now):
            account = self.accounts[customer.key]
            if account.stage_entered_at is not None and at <= account.stage_entered_at:
                continue
            enter_stage(
                account=account,
                stage=self.rows.stages[move.stage],
                by=self.rows.users.get(customer.owner),
                now=at,
                reason=move.reason,
            )

    def _write_exchanges(self, now: datetime) -> None:
        happened = self._exchanges.take(now)
        touchpoints = Touchpoint.objects.bulk_create(
            Touchpoint(
                account=self.accounts[customer.key],
                contact=self.contacts[exchange.person],
                user=self.rows.users.get(customer.owner),
                kind=exchange.kind,
                direction=exchange.direction,
                sentiment=exchange.sentiment,
                minutes=exchange.minutes,
                summary=exchange.summary,
                next_step=exchange.next_step,
                next_step_on=exchange.next_step_on,
                happened_at=at,
            )
            for at, (customer, exchange) in happened
        )
        record_many(
            [
                Event(
                    account=touchpoint.account,
                    kind="touchpoint.logged",
                    happened_at=touchpoint.happened_at,
                    user=touchpoint.user,
                    contact=touchpoint.contact,
                    data={
                        "touchpoint": touchpoint.pk,
                        "kind": touchpoint.kind,
                        "summary": touchpoint.summary,
                        "sentiment": touchpoint.sentiment,
                    },
                )
                for touchpoint in touchpoints
            ]
        )

    def _write_leavers(self, now: datetime) -> None:
        for at, person in self._leavers.take(now):
            Contact.objects.filter(pk=self.contacts[person.key].pk).update(left_at=at, updated_at=at)

    def _write_ends(self, now: datetime) -> None:
        for at, customer in self._ends.take(now):
            if customer.end is None:
                continue
            end_account(
                offboarding=Offboarding(
                    account=self.accounts[customer.key],
                    ended_on=customer.end.on,
                    kind=customer.end.kind,
                    category=customer.end.category,
                    competitor=customer.end.competitor,
                    feedback=customer.end.feedback,
                ),
                by=self.rows.users.get(customer.owner),
                now=at,
            )

    def _write_returns(self, now: datetime) -> None:
        for at, customer in self._returns.take(now):
            Account.objects.filter(pk=self.accounts[customer.key].pk).update(ended_at=None, updated_at=at)


def _moves(customer: Customer, now: datetime) -> list[StageMove]:
    """The customer's stages up to ``now``, the first one always."""
    return [move for number, move in enumerate(customer.stages) if number == 0 or move.at <= now]


def _weeks(company: Company) -> Iterator[tuple[int, date]]:
    for week in range(DAYS // 7):
        closely = week >= DAYS // 7 - WEEKS_SEEN_CLOSELY
        if closely or week % 2 == 1:
            yield week, company.first_day + timedelta(days=7 * week + 6)
