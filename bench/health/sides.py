"""The two ways to compute everybody in PostgreSQL, on as many connections as there are workers, and what they keep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

from django.db import connection, transaction

from accounts.models import Workspace
from common.partitions import ensure_months
from health.services import compute_chunk, sweep_anew
from health.services.sweeps import CHUNK

Row = Sequence[Any]

KEPT = """
    SELECT s.account_id, s.profile_id, s.score, s.values, s.points, s.heard, s.stale, s.band,
        s.values = d.values AND s.points = d.points AND s.heard = d.heard AND s.score IS NOT DISTINCT FROM d.score
    FROM health_healthscore s JOIN health_healthday d USING (account_id) ORDER BY account_id
"""


def forget() -> None:
    """Have a company that no score was ever computed of."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE health_healthscore, health_healthday, accounts_touched")


def workers_for(accounts: int) -> int:
    """Two connections, unless there is just one chunk."""
    return 2 if accounts > CHUNK else 1


def prepare(now: datetime) -> None:
    """What both sides find ready: a sweep to begin, the day's partition, tables without the dead rows of the last."""
    sweep_anew(now=now)
    with transaction.atomic():
        ensure_months("health_healthday", now.date(), now.date() + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM health_healthscore, health_healthday")


def timed_by(workers: int, work: Callable[[int], None]) -> float:
    """The seconds that so many workers take together, each on a connection of its own that is open already."""
    together = Barrier(workers + 1)

    def job(worker: int) -> None:
        connection.ensure_connection()
        together.wait()
        work(worker)
        connection.close()

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(job, worker) for worker in range(workers)]
        together.wait()
        started = time.perf_counter()
        for one in jobs:
            one.result()
        return time.perf_counter() - started


def sweep(now: datetime, workers: int) -> float:
    """Compute everybody as the workers do: chunks of the sweep until none is left; returns the seconds."""

    def chunks(worker: int) -> None:
        while compute_chunk(now=now):
            pass

    prepare(now)
    return timed_by(workers, chunks)


def sweep_alone(now: datetime) -> float:
    """Compute everybody on one connection; returns the CPU seconds of its server process and of this one."""
    prepare(now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    def spent() -> float:
        on_cpu = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        return on_cpu / 1e9 + time.process_time()

    before = spent()
    while compute_chunk(now=now):
        pass
    return spent() - before


def sweep_by_hand(statement: str, now: datetime, accounts: int, workers: int) -> float:
    """Compute everybody by the hand-written statement, each worker its share; returns the seconds."""
    share = accounts // workers + 1
    given: dict[str, Any] = {"now": now, "today": Workspace.current().day(now), "minute": int(now.timestamp() // 60)}

    def execute(worker: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, {**given, "first": worker * share + 1, "last": (worker + 1) * share})

    prepare(now)
    return timed_by(workers, execute)


def kept_by(side: Callable[[], object]) -> list[Row]:
    """What a side keeps of a company that has no scores yet."""
    forget()
    side()
    with connection.cursor() as cursor:
        cursor.execute(KEPT)
        found: list[Row] = cursor.fetchall()
    return found


def must_agree(mine: Sequence[Row], other: Sequence[Row], *, accounts: int, by: str) -> None:
    """Raise unless every account has the same row on both sides, numbers to 1e-9."""
    if not len(mine) == len(other) == accounts:
        raise AssertionError(f"{accounts} accounts, {len(mine)} scores of ours, {len(other)} by {by}")
    for ours, theirs in zip(mine, other, strict=True):
        if not all(_same(a, b) for a, b in zip(_flat(ours), _flat(theirs), strict=True)):
            raise AssertionError(f"ours {ours}, by {by} {theirs}")


def _flat(row: Row) -> Iterable[Any]:
    for cell in row:
        if isinstance(cell, list):
            yield from cell
        else:
            yield cell


def _same(mine: Any, other: Any) -> bool:
    if isinstance(mine, float) and isinstance(other, float):
        return math.isclose(mine, other, rel_tol=0, abs_tol=1e-9) or (math.isnan(mine) and math.isnan(other))
    return bool(mine == other)
