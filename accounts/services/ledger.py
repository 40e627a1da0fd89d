"""The ledger of events: written in the transaction of the change, consumed once by each consumer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account, Contact, Event, EventInbox, Touched, User


def record(
    *,
    account: Account,
    kind: str,
    happened_at: datetime,
    user: User | None = None,
    contact: Contact | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Write one event, hand it to every consumer, and say that the account was touched."""
    event = Event(account=account, kind=kind, happened_at=happened_at, user=user, contact=contact, data=data or {})
    return record_many([event])[0]


def record_many(events: Sequence[Event], *, news_since: datetime | None = None, touches: bool = True) -> list[Event]:
    """Write events in one statement a table, hand them to every consumer, and say which accounts were touched.

    Those that happened before ``news_since`` are history that is only now told: they stand on the timeline and in
    reports, but no consumer hears of them, so that a file of old tickets starts no playbook.
    ``touches`` is false for what was itself computed from touched accounts: computing it again would never end.
    """
    with transaction.atomic():
        written = Event.objects.bulk_create(events)
        EventInbox.objects.bulk_create(
            EventInbox(consumer=consumer, event=event)
            for consumer in settings.LEDGER_CONSUMERS
            for event in written
            if news_since is None or event.happened_at >= news_since
        )
        if touches:
            touch({event.account_id for event in written})
    return written


def touch(account_ids: Iterable[int]) -> None:
    """Say that facts about these accounts changed, so that what is computed from them is computed again."""
    Touched.objects.bulk_create(Touched(account_id=account_id) for account_id in sorted(account_ids))


def take_events(*, consumer: str, limit: int) -> list[Event]:
    """Take up to ``limit`` events that ``consumer`` has not dealt with, oldest first.

    Call it inside the transaction that writes their effect: when that rolls back they are offered again, and
    meanwhile no other worker gets them.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("events are taken in the transaction of their effect")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM accounts_eventinbox WHERE id IN (
                SELECT id FROM accounts_eventinbox WHERE consumer = %s
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ) RETURNING event_id
            """,
            [consumer, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(Event.objects.filter(pk__in=ids).order_by("id").select_related("account"))


def take_touched(*, limit: int) -> list[int]:
    """Take notices of touched accounts, and return the ids of those accounts, each once.

    Call it inside the transaction that computes them anew, before anything is read.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("notices are taken in the transaction of their effect")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM accounts_touched WHERE id IN (
                    SELECT id FROM accounts_touched ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                ) RETURNING account_id
            ) SELECT DISTINCT account_id FROM taken ORDER BY account_id
            """,
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]
