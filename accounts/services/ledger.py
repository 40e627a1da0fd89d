"""The ledger of events: written in the transaction of the change, consumed once by each consumer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Account, Contact, Event, Touched, User
from common.sql import SQL, from_json, rows

LISTENERS: dict[str, Collection[str] | None] = {}
"""Who reads the ledger, by name, with the kinds of events that it wants; None wants all."""

WRITTEN = ("account_id", "kind", "happened_at", "user_id", "contact_id", "data")
WRITE = SQL("""
WITH written AS (
    INSERT INTO accounts_event (account_id, kind, happened_at, user_id, contact_id, data)
    SELECT (e->>0)::bigint, e->>1, (e->>2)::timestamptz, (e->>3)::bigint, (e->>4)::bigint, e->5
    FROM jsonb_array_elements({events}) WITH ORDINALITY AS given (e, place) ORDER BY place
    RETURNING id, account_id, kind, happened_at, recorded_at
), handed AS (
    INSERT INTO accounts_eventinbox (consumer, event_id)
    SELECT name, id FROM written JOIN jsonb_each({listeners}) AS listener (name, kinds)
        ON kinds = 'null' OR kinds ? kind
    WHERE happened_at >= coalesce({news_since}, '-infinity') ORDER BY id, name
), touched AS (
    INSERT INTO accounts_touched (account_id) SELECT DISTINCT account_id FROM written WHERE {touches} ORDER BY 1
)
SELECT id, recorded_at FROM written ORDER BY id
""")


def listen(consumer: str, *, kinds: Collection[str] | None = None) -> None:
    """Hand every event from now on to ``consumer``, or only those of these kinds; raises ValueError for a name taken.

    Called when the apps are loaded.
    """
    if consumer in LISTENERS:
        raise ValueError(f"{consumer} listens to the ledger already")
    LISTENERS[consumer] = kinds


def record(
    *,
    account: Account,
    kind: str,
    happened_at: datetime,
    user: User | None = None,
    contact: Contact | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Write one event, hand it to those who listen, and say that the account was touched."""
    event = Event(account=account, kind=kind, happened_at=happened_at, user=user, contact=contact, data=data or {})
    return record_many([event])[0]


def record_many(events: Sequence[Event], *, news_since: datetime | None = None, touches: bool = True) -> list[Event]:
    """Write events, hand them to those who listen, and say which accounts were touched, all in one statement.

    Those that happened before ``news_since`` are history that is only now told: they stand on the timeline and in
    reports, but no consumer hears of them, so that a file of old tickets starts no playbook.
    ``touches`` is false for what was itself computed from touched accounts: computing it again would never end.
    """
    if not events:
        return []
    written = rows(
        WRITE.format(
            events=from_json([[getattr(event, name) for name in WRITTEN] for event in events]),
            listeners=from_json({name: None if kinds is None else sorted(kinds) for name, kinds in LISTENERS.items()}),
            news_since=SQL("%s::timestamptz", (news_since,)),
            touches=SQL("%s::boolean", (touches,)),
        )
    )
    for event, (pk, recorded_at) in zip(events, written, strict=True):
        event.pk, event.recorded_at = pk, recorded_at
        event._state.adding, event._state.db = False, connection.alias  # as bulk_create leaves them
    return list(events)


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
