"""How late turns are while a hundred runs a second fall due, with two workers and beat as they run in production."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Heartbeat
from bench.base import make_base, size_of
from bench.runner import Result, limited
from bench.runs import make_runs
from bench.web import work

DUE_A_SECOND = 100
SECONDS = 60
LIMIT = 5
PATIENCE = 120
LOOK_EVERY = 0.1

FALL_DUE = """
    UPDATE playbooks_run r SET due_at = soon.due_at FROM bench_due soon WHERE soon.id = r.id
"""
CHOOSE = """
    CREATE TABLE bench_due AS
    SELECT id, %(first)s::timestamptz + (row_number() OVER (ORDER BY due_at)) * %(apart)s::interval AS due_at
    FROM (SELECT id, due_at FROM playbooks_run ORDER BY due_at LIMIT %(count)s) soonest
"""
TAKEN = """
    DELETE FROM bench_due d USING playbooks_run r WHERE r.id = d.id AND (r.step <> 'again' OR r.state <> 'waiting')
    RETURNING extract(epoch FROM clock_timestamp() - d.due_at)::float8
"""


def run(scale: float) -> Result:
    """Among the runs of ``claim_due``, one falls due every 10 ms; each is late until its turn is committed.

    Rows are looked at ten times a second, which the figure holds.
    """
    accounts = size_of(scale)
    make_base(5 * accounts)
    runs, apart = 100 * accounts, timedelta(seconds=1 / DUE_A_SECOND)
    make_runs(runs, now=datetime.now(UTC) + timedelta(days=1), apart=apart)
    count = min(runs, SECONDS * DUE_A_SECOND)
    with work():
        _until_beat()
        given: dict[str, Any] = {"first": datetime.now(UTC) + timedelta(seconds=3), "apart": apart, "count": count}
        with connection.cursor() as cursor:
            cursor.execute(CHOOSE, given)
            cursor.execute(FALL_DUE)
        late = _watch(count)
    return limited(
        name="lateness_p99_s",
        unit="s",
        ours=statistics.quantiles(late, n=100)[-1],
        limit=LIMIT,
        floor_is=f"from due to committed, while {DUE_A_SECOND} a second fall due for {count // DUE_A_SECOND} s among "
        f"{runs:,} runs; the median is {statistics.median(late):.2f} s",
        scale=scale,
    )


def _until_beat() -> None:
    """Wait for the first message that beat has sent and a worker has taken."""
    deadline = time.monotonic() + PATIENCE
    while not Heartbeat.objects.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("no worker took what beat sent")
        time.sleep(LOOK_EVERY)


def _watch(count: int) -> list[float]:
    """How late each of so many runs was, in seconds."""
    late: list[float] = []
    deadline = time.monotonic() + SECONDS + PATIENCE
    with connection.cursor() as cursor:
        while len(late) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{count - len(late)} runs that are due were not taken")
            time.sleep(LOOK_EVERY)
            cursor.execute(TAKEN)
            late += [seconds for (seconds,) in cursor.fetchall()]
    return late
