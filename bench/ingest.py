"""Taking usage: events a second over HTTP, from the SDK's batch to stored, counted and rolled-up rows."""

from __future__ import annotations

import base64
import http.client
import json
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from bench import Result, measure
from bench.base import FEATURES, NOW, make_base, size_of
from bench.web import serve
from usage.models import DailyUsage, TrackedEvent
from usage.services import create_write_key

BATCH = 100
BATCHES = 400
CONNECTIONS = 6
USERS_AN_ACCOUNT = 8

FLOOR_TABLE = """
CREATE TABLE bench_event (
    message_id text PRIMARY KEY, kind text, user_id text, name text, group_id text, occurred_at timestamptz,
    received_at timestamptz, properties jsonb
)
"""


def run(scale: float) -> Result:
    """Several clients send batches of calls at once; the floor is a view that inserts them and does nothing else.

    Half of the calls name their account, and for the other half it is the one that their user joined.
    """
    accounts, batches = size_of(scale), max(20, int(BATCHES * scale))
    make_base(accounts)
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLE)
        cursor.execute(
            """
            INSERT INTO usage_groupjoin (user_id, joined_at, group_id, recorded_at)
            SELECT external_id || '-' || u, %(at)s, external_id, %(at)s
            FROM accounts_account, generate_series(1, %(u)s) u
            """,
            {"at": NOW - timedelta(days=300), "u": USERS_AN_ACCOUNT},
        )
        cursor.execute("VACUUM ANALYZE")
    _record, key = create_write_key(name="bench")
    chance, numbers = random.Random(1), count()

    def fresh() -> list[bytes]:
        at = datetime.now(UTC).isoformat()
        return [_batch(chance, numbers, accounts, at) for _ in range(batches)]

    with serve() as ours, serve("bench.insert_view") as floor:
        result = measure(
            name="ingest",
            unit="events/s",
            ours=_rate(ours, key, fresh),
            floor=_rate(floor, key, fresh),
            floor_is="a view that inserts the same batches in one statement; more is better, so ours is below it",
            scale=scale,
        )
    _check((result.rounds + 1) * batches * BATCH)
    return result


def _batch(chance: random.Random, numbers: count[int], accounts: int, at: str) -> bytes:
    """A body as the SDKs send it, whose message ids nobody has seen."""
    calls: list[dict[str, Any]] = []
    for number in range(BATCH):
        account = f"acc-{chance.randint(1, accounts)}"
        context = {"library": {"name": "bench", "version": "1"}, **({"groupId": account} if number % 2 else {})}
        calls.append(
            {
                "type": "track",
                "messageId": str(UUID(int=chance.getrandbits(96) << 32 | next(numbers))),
                "userId": f"{account}-{chance.randint(1, USERS_AN_ACCOUNT)}",
                "anonymousId": None,
                "event": f"Feature {chance.randint(1, FEATURES)}",
                "timestamp": at,
                "context": context,
                "properties": {"screen": "inbox", "items": number, "plan": "pro"},
            }
        )
    return json.dumps({"batch": calls, "sentAt": at}).encode()


def _rate(port: int, key: str, fresh: Callable[[], Sequence[bytes]]) -> Callable[[], float]:
    """A round that sends batches made before the clock starts; gives the events a second."""
    headers = {
        "Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}",
        "Content-Type": "application/json",
    }

    def send(body: bytes) -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("POST", "/v1/batch", body, headers)
        answer = client.getresponse()
        said = answer.read()
        client.close()
        if answer.status != 200:
            raise RuntimeError(f"a batch was answered with {answer.status}: {said[:300]!r}")

    def once() -> float:
        bodies = fresh()
        with ThreadPoolExecutor(CONNECTIONS) as clients:
            started = time.perf_counter()
            list(clients.map(send, bodies))
            return len(bodies) * BATCH / (time.perf_counter() - started)

    return once


def _check(sent: int) -> None:
    """Raise unless both sides stored every event, and ours counted each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_event")
        (inserted,) = cursor.fetchone()
    counted = DailyUsage.objects.aggregate(total=Sum("count"))["total"]
    if {inserted, TrackedEvent.objects.count(), counted} != {sent}:
        raise AssertionError(
            f"{sent} events were sent, {inserted} inserted, {TrackedEvent.objects.count()} stored, {counted} counted"
        )
