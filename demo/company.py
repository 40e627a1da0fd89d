"""What the generator makes: customers and what happened to them, as plain values without a database."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from demo.catalogue import TIME_ZONE

DAYS = 365
"""How many whole days of history a company has before the day it is looked at, ``today``."""
WITH_TODAY = DAYS + 1
"""How many counts of daily use a customer has: the last is for all of today, of which a load takes a part."""

_ZONE = ZoneInfo(TIME_ZONE)


def moment(day: date, minute_of_day: int) -> datetime:
    """The instant at that minute of a local day of the demo company."""
    return datetime.combine(day, time(minute_of_day // 60, minute_of_day % 60), tzinfo=_ZONE).astimezone(UTC)


def years_later(day: date, years: int) -> date:
    """The same date in another year; the 29th of February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@dataclass(frozen=True, slots=True)
class Person:
    """One contact of a customer."""

    key: str
    name: str
    email: str
    title: str
    role: str
    language: str
    time_zone: str
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a contract, from its start until it ended or was replaced."""

    key: str
    plan: str
    seats: int
    mrr: Decimal
    term_months: int
    started_on: date
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """One monthly invoice: issued, due, and paid or voided where that has happened."""

    key: str
    number: str
    amount: Decimal
    issued_on: date
    due_on: date
    paid_on: date | None = None
    voided_on: date | None = None


@dataclass(frozen=True, slots=True)
class StageMove:
    """One entry into a lifecycle stage."""

    at: datetime
    stage: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One ticket: opened, answered, perhaps solved, perhaps opened again and solved once more."""

    key: str
    subject: str
    priority: str
    person: str
    opened_at: datetime
    answered_at: datetime | None = None
    solved_at: datetime | None = None
    reopened_at: datetime | None = None
    solved_again_at: datetime | None = None
    is_escalated: bool = False
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One touchpoint between the account's CSM and a contact."""

    at: datetime
    kind: str
    direction: str
    sentiment: str
    summary: str
    person: str
    minutes: int | None = None
    next_step: str = ""
    next_step_on: date | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """One time that the CSM said, from 1 to 5, how the customer is doing, and why."""

    at: datetime
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One survey invitation, and the answer where there is one."""

    survey: str
    person: str
    invited_at: datetime
    occasion: str
    answered_at: datetime | None = None
    score: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a customer: the day, and why."""

    on: date
    kind: str
    category: str
    competitor: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Customer:
    """One account and its whole history. ``usage`` has ``WITH_TODAY`` counts a feature, ``users`` one for each week.

    ``joined_on`` is when it became a customer; nothing of it is visible before. ``returned_on`` is when it came back
    after ``end``. ``parent`` is the name of the customer that it is a part of.
    """

    key: str
    name: str
    domain: str
    industry: str
    country: str
    language: str
    time_zone: str
    touch_model: str
    owner: str
    joined_on: date
    tags: list[str]
    custom: dict[str, object]
    people: list[Person]
    lines: list[Line]
    bills: list[Bill]
    stages: list[StageMove]
    requests: list[Request]
    exchanges: list[Exchange]
    opinions: list[Opinion]
    asked: list[Asked]
    usage: dict[str, list[int]]
    users: list[int]
    parent: str = ""
    end: End | None = None
    returned_on: date | None = None
    leaves_tasks_open: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    """The demo company's customers and all that happens to them up to the evening of ``today``."""

    seed: int
    today: date
    customers: list[Customer] = field(default_factory=list)

    @property
    def first_day(self) -> date:
        """The first day of the history."""
        return self.today - timedelta(days=DAYS)

    def digest(self) -> str:
        """A fingerprint of everything in it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()
