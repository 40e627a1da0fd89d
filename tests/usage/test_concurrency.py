"""Many deliveries at once, with the day turning under them."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.factories import NOW, AccountFactory
from tests.usage.conftest import call
from usage.models import DailyUsage, RollingUsage, TrackedEvent, UsageCalendar
from usage.services import create_write_key, ingest_batch, turn_windows
from usage.services.parse import parse
from usage.services.rollup import WINDOWS, ensure_calendar

pytestmark = pytest.mark.django_db(transaction=True)

BATCHES, CALLS, DELIVERIES = 12, 25, 3


def test_every_window_is_exact_when_batches_come_three_times_in_parallel_while_the_day_turns() -> None:
    chance = random.Random(5)
    accounts = [AccountFactory(external_id=f"acc-{n}") for n in range(4)]
    _record, key = create_write_key(name="app")
    ensure_calendar(now=NOW - timedelta(days=10))
    batches = [
        [
            call(
                event=f"E{chance.randint(0, 3)}",
                userId=f"u{chance.randint(0, 5)}",
                context={"groupId": chance.choice(accounts).external_id},
                timestamp=(NOW - timedelta(hours=chance.randint(0, 24 * 60))).isoformat(),
            )
            for _ in range(CALLS)
        ]
        for _ in range(BATCHES)
    ]

    def deliver(batch: list[dict[str, Any]]) -> int:
        try:
            payload = parse(json.dumps({"batch": batch}).encode(), kind=None)
            return ingest_batch(key=key, payload=payload, received_at=NOW).accepted
        finally:
            connections.close_all()

    def turn() -> None:
        try:
            for days in range(9, -1, -1):
                turn_windows(now=NOW - timedelta(days=days))
        finally:
            connections.close_all()

    deliveries = [chance.sample(batch, k=CALLS) for batch in batches * DELIVERIES]
    chance.shuffle(deliveries)
    with ThreadPoolExecutor(5) as pool:
        turned = pool.submit(turn)
        accepted = sum(pool.map(deliver, deliveries))
        turned.result()

    assert accepted == TrackedEvent.objects.count() == BATCHES * CALLS
    assert UsageCalendar.objects.get().as_of == NOW.date()
    days = list(DailyUsage.objects.values_list("account_id", "feature_id", "day", "count"))
    assert sum(count for *_, count in days) == BATCHES * CALLS
    for kept in RollingUsage.objects.all():
        for column, ends, begins in WINDOWS:
            expected = sum(
                count
                for account, feature, day, count in days
                if (account, feature) == (kept.account_id, kept.feature_id) and ends <= (NOW.date() - day).days < begins
            )
            assert getattr(kept, column) == expected, (column, kept)
