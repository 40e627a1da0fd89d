"""How soon a score follows: events come in over HTTP, and the account's row is watched until it has counted them."""

from __future__ import annotations

import base64
import http.client
import json
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.db import connection

from bench.base import FEATURES
from bench.health.sides import forget
from bench.web import most_memory, serve, work
from cs_platform.celery import app
from health.models import Sweep
from health.services import sweep_anew
from usage.services import create_write_key

EVENTS_A_MINUTE = 10_000
BATCH = 10
SENDERS = 4
LOOK_EVERY = 0.1
PATIENCE = 120

_WATCHED = """
    SELECT h.account_id, a.external_id, h.values[1] FROM health_healthscore h
    JOIN accounts_account a ON a.id = h.account_id JOIN health_profile p ON p.id = h.profile_id
    WHERE p.name <> 'beta' AND h.values[1] IS NOT NULL ORDER BY random() LIMIT %s
"""
"""Accounts whose first part is the use of the first feature."""

_FOLLOWED = """
    SELECT h.account_id FROM health_healthscore h JOIN unnest(%s::bigint[], %s::float8[]) AS watched (id, wanted)
        ON h.account_id = watched.id WHERE h.values[1] >= watched.wanted
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Seconds from an event's acceptance to the score that counts it, the worker's peak memory, the first sweep."""

    p50: float
    p99: float
    worker_mb: float
    sweep_seconds: float


@dataclass(slots=True)
class _Watch:
    """Which accounts wait for their score to follow, since when, and how long the others took."""

    wanted: dict[int, float]
    accepted: dict[int, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    sending: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Look at the rows of those that wait, until nothing is sent and none waits."""
        deadline = None
        while self.sending or self.accepted:
            if not self.sending:
                deadline = deadline or time.monotonic() + PATIENCE
                if time.monotonic() > deadline:
                    raise AssertionError(f"{len(self.accepted)} scores did not follow within {PATIENCE} s")
            with self.lock:
                waiting = list(self.accepted)
            with connection.cursor() as cursor:
                cursor.execute(_FOLLOWED, [waiting, [self.wanted[pk] for pk in waiting]])
                followed = [pk for (pk,) in cursor.fetchall()]
            seen = time.perf_counter()
            with self.lock:
                self.took += [seen - self.accepted.pop(pk) for pk in followed]
            time.sleep(LOOK_EVERY)


def freshness(*, accounts: int, seconds: int) -> Fresh:
    """Let events come in for so many seconds while web, two workers and beat run, and a sweep each minute.

    One event of each batch is about an account that is watched, and that no other event uses the first feature of.
    """
    Sweep.objects.all().delete()
    forget()
    _record, key = create_write_key(name="bench")
    with serve() as port, work() as worker:
        swept = _sweep()
        batches = seconds * EVENTS_A_MINUTE // 60 // BATCH
        with connection.cursor() as cursor:
            cursor.execute(_WATCHED, [batches])
            found = cursor.fetchall()
        if len(found) < batches:
            raise AssertionError(f"{batches} accounts are needed to watch a score of each, and {len(found)} have one")
        watch = _Watch(wanted={pk: count + 1 for pk, _external_id, count in found})
        watched = [(pk, external_id) for pk, external_id, _count in found]
        with ThreadPoolExecutor(1) as looker:
            looking = looker.submit(watch.look)
            try:
                _send_all(port, key, watch, watched, accounts, seconds)
            finally:
                watch.sending = False
            looking.result()
        return Fresh(
            p50=statistics.median(watch.took),
            p99=statistics.quantiles(watch.took, n=100)[-1],
            worker_mb=most_memory(worker),
            sweep_seconds=swept,
        )


def _sweep() -> float:
    """Have the workers compute everybody for the first time; returns the seconds from the start to the last score."""
    deadline = time.monotonic() + PATIENCE * 2
    while not app.control.ping(timeout=1):
        if time.monotonic() > deadline:
            raise AssertionError("the worker does not answer")
    started = time.perf_counter()
    _ring_for_sweep()
    while Sweep.objects.filter(finished_at=None).exists():
        if time.monotonic() > deadline:
            raise AssertionError("the workers did not finish the first sweep")
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - started


def _ring_for_sweep() -> None:
    sweep_anew(now=datetime.now(UTC))
    app.send_task("health.recompute_all")


def _send_all(port: int, key: str, watch: _Watch, watched: list[tuple[int, str]], accounts: int, seconds: int) -> None:
    """Send the batches evenly over the time, however long each takes to be answered."""
    headers = {
        "Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}",
        "Content-Type": "application/json",
    }
    chance = random.Random(1)
    begun, every = time.perf_counter(), seconds / len(watched)
    a_minute = len(watched) * 60 // seconds

    def send(body: bytes, pk: int) -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("POST", "/v1/batch", body, headers)
        answer = client.getresponse()
        said = answer.read()
        client.close()
        if answer.status != 200:
            raise RuntimeError(f"a batch was answered with {answer.status}: {said[:300]!r}")
        with watch.lock:
            watch.accepted[pk] = time.perf_counter()

    with ThreadPoolExecutor(SENDERS) as senders:
        sent = []
        for number, (pk, external_id) in enumerate(watched):
            time.sleep(max(0.0, begun + number * every - time.perf_counter()))
            if number % a_minute == a_minute // 4:
                _ring_for_sweep()
            sent.append(senders.submit(send, _batch(chance, external_id, accounts), pk))
        for one in sent:
            one.result()


def _batch(chance: random.Random, watched: str, accounts: int) -> bytes:
    at = datetime.now(UTC).isoformat()
    others = [(f"acc-{chance.randint(1, accounts)}", chance.randint(2, FEATURES)) for _ in range(BATCH - 1)]
    calls = [_call(account, feature, at) for account, feature in [(watched, 1), *others]]
    return json.dumps({"batch": calls, "sentAt": at}).encode()


def _call(account: str, feature: int, at: str) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": str(uuid4()),
        "userId": f"{account}-1",
        "event": f"Feature {feature}",
        "timestamp": at,
        "context": {"groupId": account},
        "properties": {"screen": "inbox"},
    }
