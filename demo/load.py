"""Loading the demo company: the clock is walked through its year, and the real engines see every day of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from django.core.management import call_command
from django.db import transaction

from accounts.attributes import Scope
from accounts.models import Account, Contact, CustomField, EventInbox, Leave, User, Workspace
from accounts.services.ledger import take_touched
from accounts.services.staff import save_leave
from common.sql import SQL, execute
from demo import colleagues
from demo.catalogue import COMPANY
from demo.company import DAYS, Company, moment
from demo.formula import REVISED_DAYS_AGO, has_second_version, next_draft, second_version
from demo.generator import ACCOUNTS, SEED, make_company
from demo.holdouts import hold_out
from demo.judgements import JudgementWriter
from demo.plays import WORKSHOP, WORKSHOP_BOOKED
from demo.setup import SetUp, set_up
from demo.stories import CSM, STORIES
from demo.writer import Writer
from health.services import compute_health, expire_overrides, tell_drops
from notifications.services import consume_events as tell_people
from notifications.services.notify import CONSUMER as NOTIFICATIONS
from outbox.models import Message
from playbooks.models import Playbook
from playbooks.services import (
    advance_due,
    consume_events,
    enter_by_hand,
    evaluate_entries,
    measure_holdouts,
    publish,
    refresh_priorities,
)
from playbooks.services.claiming import MOST_ATTEMPTS
from surveys.services import invite
from usage.services import turn_windows

UNFINISHED = f"{COMPANY} (loading)"
"""The workspace's name while the company is being loaded: what an interrupted load left is known by it."""

CLOSELY = 49
LONG_AGO = 186
"""The last so many days are walked day by day, those before week by week, and long ago two weeks at a time."""

OFFICE_CLOSES = 20 * 60
BATCH = 1000
NEWS = timedelta(days=4)
ADMIN = "admin@demo.example"
ANALYZED_AFTER = (0, 4, 9)
"""After the first step (0) and these months the planner is told how the tables have grown."""

Say = Callable[[str], None]


class Stopwatch:
    """Says what was done with the seconds since the start."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        self._say(f"  {time.monotonic() - self._started:5.1f} s  {text}")


def is_loaded() -> bool:
    """Whether the database already has accounts, other than those that an interrupted load left behind."""
    return Workspace.current().name != UNFINISHED and Account.objects.exists()


def load(*, now: datetime, say: Say, seed: int = SEED, accounts: int = ACCOUNTS) -> Company:
    """Fill an empty database with the demo company as it stands at ``now``; returns what it was made from.

    What an interrupted load left is removed first. Call it only when ``is_loaded`` says no.
    """
    tell = Stopwatch(say)
    if Workspace.current().name == UNFINISHED:
        call_command("flush", interactive=False, verbosity=0)
        tell("removed what an interrupted load had left")
    Workspace.objects.filter(pk=Workspace.current().pk).update(name=UNFINISHED)
    with transaction.atomic():
        # The days of the company are those of its own time zone, which the set-up writes.
        rows = set_up(now=now - timedelta(days=DAYS))
    company = make_company(today=Workspace.current().day(now), seed=seed, accounts=accounts)
    tell(f"made up {len(company.customers)} customers and their year")
    _walk(company, rows, now, tell)
    with transaction.atomic():
        Workspace.objects.filter(pk=Workspace.current().pk).update(name=COMPANY)
        colleagues.note_next_steps(now=now)
        _finish(rows, now)
    execute(SQL("ANALYZE"))
    tell("two customers are about to get a survey by mail")
    return company


def steps(company: Company, now: datetime) -> Iterator[tuple[datetime, date]]:
    """The instants at which the engines look, ever closer to each other, with their local days; the last is ``now``."""
    for days_ago in range(DAYS - 6, 0, -1):
        apart = 1 if days_ago <= CLOSELY else 7 if days_ago <= LONG_AGO else 14
        if (days_ago - CLOSELY) % apart == 0:
            day = company.today - timedelta(days=days_ago)
            yield moment(day, OFFICE_CLOSES), day
    yield now, company.today


def _walk(company: Company, rows: SetUp, now: datetime, tell: Stopwatch) -> None:
    writer = Writer(company, rows)
    judgements = JudgementWriter(company)
    month = 0
    revised_on = company.today - timedelta(days=REVISED_DAYS_AGO)
    for at, day in steps(company, now):
        with transaction.atomic():
            turn_windows(now=at)
            writer.write(now=at)
            if day >= revised_on and not has_second_version():
                second_version(author=rows.users[ADMIN], now=at)
            writer.write_usage(now=at, today=day)
            hold_out(author=rows.users[ADMIN], today=day, latest=company.today, now=at)
            _run_engines(at)
            judgements.write(now=at)
            colleagues.work(company, now=at)
        if day.month != month:
            if month in ANALYZED_AFTER:
                execute(SQL("ANALYZE"))
            month = day.month
            tell(f"{day:%B %Y}")


def _run_engines(now: datetime) -> None:
    """What the workers do all day, once: health of everybody, entries, events, and the runs that are due."""
    expire_overrides(now=now)
    compute_health(scope=Scope.everything(), now=now)
    while take_touched(limit=100 * BATCH):
        pass
    while tell_drops(now=now, everywhere=True):
        pass
    evaluate_entries(now=now)
    measure_holdouts(now=now)
    while consume_events(now=now, limit=BATCH):
        pass
    while advance_due(now=now, limit=BATCH):
        pass


def _finish(rows: SetUp, now: datetime) -> None:
    """Set what no history tells: when people were last seen, today's priorities, and two mails that wait."""
    execute(
        SQL(
            "UPDATE accounts_contact c SET last_seen_at = coalesce(c.left_at,"
            " least(%s, a.last_event_at + make_interval(hours => 9) - make_interval(days => mod(c.id, 6)::int)))"
            " FROM usage_accountactivity a WHERE a.account_id = c.account_id AND c.role <> 'billing'",
            (now,),
        )
    )
    _leave_one_stuck(now)
    _plan_leave(rows, now)
    for contact in _to_be_asked():
        invite(survey=rows.surveys["nps"], contact=contact, occasion="demo", now=now)
    next_draft(author=rows.users[ADMIN], now=now)
    _run_engines(now)
    refresh_priorities(now=now)
    _tell_of_the_last_days(now)


def _tell_of_the_last_days(now: datetime) -> None:
    """Let people be told of what is new; of the year before nobody is."""
    old = EventInbox.objects.filter(consumer=NOTIFICATIONS, event__happened_at__lt=now - NEWS)
    old.delete()
    while tell_people(now=now, limit=BATCH):
        pass
    # They would all arrive now, days late.
    Message.objects.filter(dedupe_key__startswith="notification:").delete()


def _leave_one_stuck(now: datetime) -> None:
    """A run that cannot go on: while it waited, the custom field that it looks at was deleted."""
    began = now - timedelta(days=6)
    booked = CustomField.objects.create(key=WORKSHOP_BOOKED, label="Workshop booked", type=CustomField.Type.BOOLEAN)
    playbook = Playbook.objects.create(key=WORKSHOP.key, name=WORKSHOP.name, description=WORKSHOP.description)
    publish(playbook=playbook, definition=WORKSHOP.definition, author=None, note="", now=began)
    account = Account.objects.get(name=STORIES["happy-expander"])
    enter_by_hand(playbook=playbook, account_ids=[account.pk], by=User.objects.get(email=CSM), now=began)
    advance_due(now=began, limit=BATCH)
    booked.delete()
    tried_at = began + timedelta(days=5)
    for attempt in range(MOST_ATTEMPTS):
        advance_due(now=tried_at + timedelta(minutes=2**attempt), limit=BATCH)


def _plan_leave(rows: SetUp, now: datetime) -> None:
    """One CSM is away since yesterday and covered for."""
    today = Workspace.current().day(now)
    away, cover = rows.users["tomas@demo.example"], rows.users["wei@demo.example"]
    days = {"starts_on": today - timedelta(days=1), "ends_on": today + timedelta(days=5)}
    save_leave(leave=Leave(user=away, cover=cover, **days), by=away)


def _to_be_asked() -> list[Contact]:
    """Two people of the demo CSM's book: one who reads English, one who does not."""
    book = Contact.objects.reachable().filter(
        account__owner__email=CSM, account__ended_at=None, role=Contact.Role.DECISION_MAKER
    )
    found = [book.filter(language="en").first(), book.exclude(language="en").first()]
    return [contact for contact in found if contact is not None]
