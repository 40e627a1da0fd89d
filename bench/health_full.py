"""The health of everybody: a sweep beside a hand-written statement and DuckDB, its growth, and how fresh scores are."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection

from bench.base import make_base, size_of
from bench.days import make_days
from bench.health import by_hand
from bench.health.company import define
from bench.health.duck import Duck
from bench.health.fresh import EVENTS_A_MINUTE, freshness
from bench.health.sides import forget, kept_by, must_agree, sweep, sweep_alone, sweep_by_hand, workers_for
from bench.runner import ROUNDS, Result, limited, measure

GROWTH, FRESH_SECONDS, WORKER_MB = 2.2, 60, 200
"""The limits of the figures that have one."""

BIG = 100_000

_BYTES_A_DAY = """
    SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
            WHERE inhparent = 'health_healthday'::regclass)::float8 / count(*),
        avg(pg_column_size(d.*))::float8
    FROM health_healthday d
"""


def run(scale: float) -> list[Result]:
    """Make the company in two halves, so that a sweep can be timed at both sizes, and compare all three ways.

    Each round is of a day of its own, so that each writes the history of a day, as the first sweep of a day does.
    """
    accounts = size_of(scale)
    now = datetime.now(UTC).replace(microsecond=0)
    days = (now + timedelta(days=n) for n in itertools.count())
    make_base(accounts // 2, now=now)
    make_days(first=1, now=now)
    define(now)
    half = _alone(days)
    make_base(accounts, first=accounts // 2 + 1, now=now)
    usage = make_days(first=accounts // 2 + 1, now=now)
    growth = limited(
        name="health_growth",
        unit="times",
        ours=_alone(days) / half,
        limit=GROWTH,
        floor_is=f"the CPU time at {accounts:,} accounts over that at {accounts // 2:,}, both on one connection",
        scale=scale,
        rounds=ROUNDS,
    )
    return [*_beside(accounts, usage, days, scale), growth, _history(scale), *_live(accounts, scale)]


def _alone(days: Iterator[datetime]) -> float:
    """The median CPU time of a sweep on one connection, after one that is not counted, in tables that were empty.

    The two sizes cannot take turns, so a machine that others use meanwhile would tell more of them than of us.
    """
    forget()
    return statistics.median([sweep_alone(next(days)) for _ in range(ROUNDS + 1)][1:])


def _beside(accounts: int, usage: int, days: Iterator[datetime], scale: float) -> list[Result]:
    """The sweep beside the statement and beside DuckDB; raises unless all keep the same."""
    workers, statement = workers_for(accounts), by_hand.statement()
    with TemporaryDirectory() as folder:
        duck, now = Duck(Path(folder)), next(days)
        ours = kept_by(lambda: sweep(now, workers))
        by_statement = kept_by(lambda: sweep_by_hand(statement, now, accounts, workers))
        must_agree(ours, by_statement, accounts=accounts, by="hand")
        for way in (duck.from_windows, duck.from_days):
            duck.clear()
            duck.compute(way, now)
            must_agree(ours, duck.kept(), accounts=accounts, by="DuckDB")
        full = measure(
            name="health_full",
            unit="s",
            ours=lambda: sweep(next(days), workers),
            floor=lambda: sweep_by_hand(statement, next(days), accounts, workers),
            floor_is=f"one hand-written SQL statement for the same scores and writes, on {workers} connection(s) too",
            scale=scale,
        )
        from_days = statistics.median(duck.compute(duck.from_days, next(days)) for _ in range(ROUNDS))
        beside_duck = measure(
            name="health_duckdb",
            unit="s",
            ours=lambda: sweep(next(days), workers),
            floor=lambda: duck.compute(duck.from_windows, next(days)),
            floor_is="DuckDB, from its own table of the rolling windows, for the same scores and history;"
            f" from {usage / 1e6:.1f} million rows of daily usage it takes {from_days:.2f} s",
            scale=scale,
        )
    return [full, beside_duck]


def _history(scale: float) -> Result:
    """What a day of an account takes in the history."""
    with connection.cursor() as cursor:
        cursor.execute(_BYTES_A_DAY)
        total, row = cursor.fetchone()
    return Result(
        name="health_bytes_a_day",
        unit="bytes",
        ours=total,
        floor=row,
        floor_is="the row alone, without page and index",
        ratio=total / row,
        rounds=1,
        scale=scale,
    )


def _live(accounts: int, scale: float) -> list[Result]:
    """How fresh scores are while events come in, and what a worker needs for that and for sweeps."""
    seconds = 180 if accounts >= BIG else 30
    fresh = freshness(accounts=accounts, seconds=seconds)
    rate = f"{EVENTS_A_MINUTE:,} events a minute over HTTP for {seconds} s, a sweep each minute"
    return [
        limited(
            name="health_fresh_p99_s",
            unit="s",
            ours=fresh.p99,
            limit=FRESH_SECONDS,
            floor_is=f"from an event's acceptance to its score, with {rate}; the median is {fresh.p50:.1f} s",
            scale=scale,
        ),
        limited(
            name="health_worker_mb",
            unit="MB",
            ours=fresh.worker_mb,
            limit=WORKER_MB,
            floor_is=f"the peak of a worker's process after {rate}; it swept all first, in {fresh.sweep_seconds:.1f} s",
            scale=scale,
        ),
    ]
