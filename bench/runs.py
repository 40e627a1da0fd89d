"""Runs that wait, for the benches of playbooks: made in SQL, as the engine would have written them."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, connections

from common.collector import settle

PLAYBOOKS = 20
LOW = {"attribute": "usage.feature-1.7d", "operator": "lt", "value": 30}
"""Nine in ten accounts of the bench's company use it less."""

CALL = {"id": "call", "kind": "task", "title": "Ask why it is quiet", "guidance": "Offer a training."}
REFERENCE: dict[str, Any] = {
    "entry": {"kind": "manual"},
    "steps": [
        {"id": "wait", "kind": "wait", "days": 7},
        {"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"},
        {"id": "later", "kind": "wait", "days": 7},
        CALL,
    ],
}

_PLAYBOOKS = """
    WITH made AS (
        INSERT INTO playbooks_playbook (key, name, description, status, problem, is_catching_up, draft_number,
            created_at)
        SELECT 'bench-' || n, 'Bench ' || n, '', 'draft', '', false, 0, %(now)s FROM generate_series(1, %(playbooks)s) n
        RETURNING id
    ), published AS (
        INSERT INTO playbooks_playbookversion (playbook_id, number, definition, note, published_at)
        SELECT id, 1, %(definition)s, '', %(now)s FROM made RETURNING id, playbook_id
    ) SELECT 1 FROM published
"""
_LIVE = """
    UPDATE playbooks_playbook p SET status = 'live', live_version_id = v.id
    FROM playbooks_playbookversion v WHERE v.playbook_id = p.id
"""
_RUNS = """
    INSERT INTO playbooks_run (playbook_id, version_id, account_id, state, step, due_at, is_alone, is_held_out, held,
        attempts, error, entered_at)
    SELECT playbook_id, version_id, account_id, 'waiting', %(step)s,
        %(now)s::timestamptz + (row_number() OVER ()) * %(apart)s::interval, false, false, false, 0, '',
        %(now)s::timestamptz - interval '7 days'
    FROM (
        SELECT v.playbook_id, v.id AS version_id, a.id AS account_id
        FROM playbooks_playbookversion v, accounts_account a ORDER BY random() LIMIT %(runs)s
    ) shuffled
"""
_STEPS = """
    INSERT INTO playbooks_runstep (run_id, position, step, kind, decision, facts, taken_at)
    SELECT r.id, s.position, s.step, s.kind, s.decision, s.facts, r.entered_at
    FROM playbooks_run r, (VALUES
        (0, '', 'entry', 'entered', '{"seen": {"at": "2026-03-09T12:00:00+00:00", "holds": true, "findings": []}}'
            ::jsonb),
        (1, 'wait', 'wait', 'waiting', '{"until": "2026-03-16T12:00:00+00:00"}'::jsonb)
    ) s (position, step, kind, decision, facts)
"""


def make_runs(
    runs: int, *, now: datetime, apart: timedelta, definition: dict[str, Any] = REFERENCE, step: str = "again"
) -> None:
    """Let so many runs wait at ``step``, in random order of playbooks and accounts, one due each ``apart``."""
    given: dict[str, Any] = {
        "now": now,
        "runs": runs,
        "apart": apart,
        "step": step,
        "playbooks": PLAYBOOKS,
        "definition": json.dumps(definition),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        for statement in (_PLAYBOOKS, _LIVE, _RUNS):
            cursor.execute(statement, given)
        cursor.execute(_STEPS)
        cursor.execute("VACUUM ANALYZE")


def timed_together(workers: int, work: Callable[[], None]) -> float:
    """The seconds that so many processes take together, each settled and on a connection that is open already."""
    connections.close_all()
    settle()
    fork = multiprocessing.get_context("fork")
    ready, took = fork.Barrier(workers), fork.SimpleQueue()

    def job() -> None:
        connection.ensure_connection()
        ready.wait()
        started = time.perf_counter()
        work()
        took.put(time.perf_counter() - started)
        connection.close()

    processes = [fork.Process(target=job) for _ in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError("a worker of the bench failed, as said above")
    return max(float(took.get()) for _ in processes)
