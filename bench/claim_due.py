"""Turns a second among a million waiting runs, by two workers, beside the bare claim and update of the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from bench.base import NOW, make_base, size_of
from bench.runner import ROUNDS, Result, measure
from bench.runs import make_runs, timed_together
from playbooks.models import Run, RunStep
from playbooks.services import advance_due
from playbooks.tasks import BATCH

RUNS_AN_ACCOUNT = 20
WORKERS = 2
DUE_A_ROUND = 0.02
"""The share of all runs that falls due for each side in each round."""

BARE_CLAIM = """
    UPDATE playbooks_run SET retry_at = %(until)s, attempts = attempts + 1 WHERE id IN (
        SELECT id FROM playbooks_run WHERE state = 'waiting' AND NOT held AND due_at <= %(now)s
            AND (retry_at IS NULL OR retry_at <= %(now)s)
        ORDER BY due_at, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    ) RETURNING id
"""
BARE_UPDATE = """
    UPDATE playbooks_run SET step = 'call', due_at = due_at + interval '7 days', retry_at = NULL, attempts = 0
    WHERE id = ANY(%(ids)s)
"""


def run(scale: float) -> Result:
    """In each round the same number of runs falls due for both sides, which take turns on one table.

    Ours looks at each account, decides, and writes the run, its records and its events. Nine in ten runs wait on.
    """
    runs = 100 * size_of(scale)
    make_base(runs // RUNS_AN_ACCOUNT)
    apart = timedelta(seconds=0.5)
    make_runs(runs, now=NOW, apart=apart)
    due = int(runs * DUE_A_ROUND)
    instants = (NOW + n * due * apart for n in count(1))
    advance_due(
        now=next(instants), limit=due
    )  # a worker that has been up for a while; those of the rounds are its forks

    def rate(work: Callable[[datetime], None]) -> Callable[[], float]:
        def once() -> float:
            now = next(instants)
            seconds = timed_together(WORKERS, lambda: work(now))
            if Run.objects.due(now).exists():
                raise RuntimeError("a run that was due is still due")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM playbooks_run")
            return due / seconds

        return once

    result = measure(
        name="claim_due",
        unit="runs/s",
        ours=rate(_turns),
        floor=rate(_bare),
        floor_is=f"claim by SKIP LOCKED and update by id, {BATCH} at once, of as many rows of the same {runs:,}, by "
        f"{WORKERS} workers too; more is better, so ours is below it",
        scale=scale,
    )
    if RunStep.objects.filter(step="again").count() != due * (ROUNDS + 2):
        raise RuntimeError("not every run that was due was looked at once")
    return result


def _turns(now: datetime) -> None:
    while advance_due(now=now, limit=BATCH):
        pass


def _bare(now: datetime) -> None:
    given: dict[str, Any] = {"now": now, "until": now + timedelta(minutes=2), "limit": BATCH}
    with connection.cursor() as cursor:
        while True:
            cursor.execute(BARE_CLAIM, given)
            ids = [pk for (pk,) in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(BARE_UPDATE, {"ids": ids})
