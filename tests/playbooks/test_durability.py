"""Workers are real processes, killed with SIGKILL while a statement of theirs is held: nothing lost, nothing twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Account, Event
from launcher.places import ROOT
from playbooks.models import Run, RunStep, Task
from playbooks.services import advance_due, evaluate_entries
from playbooks.services.claiming import LEASE
from tests.factories import NOW
from tests.playbooks.cases import DAY, customer, published

pytestmark = pytest.mark.django_db(transaction=True)

HELD = 20_263_161
# The locks and the sessions of the whole server are in one view each, and the databases of other tests are on it.
HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
VICTIMS = "FROM pg_stat_activity WHERE application_name = 'victim' AND datname = current_database()"
GONE = f"NOT EXISTS (SELECT 1 {VICTIMS})"
STANDS_STILL = (
    f"EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {HELD} AND NOT granted AND {HERE})"
)
PATIENCE = 60.0
LATER = LEASE + timedelta(seconds=1)

STATEMENTS = {
    "claim": ("playbooks_lease", "AFTER INSERT", "TRUE"),
    "record": ("playbooks_runstep", "AFTER INSERT", "TRUE"),
    "task": ("playbooks_task", "AFTER INSERT", "TRUE"),
    "priority": ("playbooks_task", "AFTER UPDATE", "TRUE"),
    "event": ("accounts_event", "AFTER INSERT", "TRUE"),
    "inbox": ("accounts_eventinbox", "AFTER INSERT", "TRUE"),
    "state": ("playbooks_run", "AFTER UPDATE", "NEW.step <> OLD.step"),
    "give_back": ("playbooks_lease", "AFTER DELETE", "TRUE"),
    "commit": ("playbooks_run", "DEFERRED", "NEW.step <> OLD.step"),
}
ON_THE_WAY = {"claim", "record", "state", "commit", "give_back"}
"""What a turn that only waits writes; the turn that ends the run writes everything."""


class Workers:
    """Starts one worker at a time, and kills it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def start(self, now: datetime) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{now.isoformat()}\n")
        self.process.stdin.flush()
        return int(self._line())

    def wait(self) -> None:
        assert self._line() == "gone\n"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def workers(process_env: dict[str, str]) -> Iterator[Workers]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.playbooks.victim"],
        cwd=ROOT,
        env={**process_env, "PGAPPNAME": "victim"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Workers(process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def held(table: str, when: str, condition: str) -> Iterator[None]:
    """Let every worker stand still in the middle of such a statement, until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF current_setting('application_name') = 'victim' AND {condition} THEN
                    PERFORM pg_advisory_xact_lock({HELD});
                END IF;
                RETURN NULL;
            END $$
            """
        )
        if when == "DEFERRED":
            cursor.execute(
                f"CREATE CONSTRAINT TRIGGER hold AFTER UPDATE ON {table}"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()"
            )
        else:
            cursor.execute(f"CREATE TRIGGER hold {when} ON {table} FOR EACH ROW EXECUTE FUNCTION hold()")
        cursor.execute("SELECT pg_advisory_lock(%s)", [HELD])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [HELD])
            wait_until(GONE)
            cursor.execute(f"DROP TRIGGER hold ON {table}")
            cursor.execute("DROP FUNCTION hold()")


def wait_until(condition: str) -> None:
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(f"SELECT {condition}")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline, condition
            time.sleep(0.01)


def kill_in(statement: str, workers: Workers, now: datetime) -> None:
    with held(*STATEMENTS[statement]):
        worker = workers.start(now)
        wait_until(STANDS_STILL)
        os.kill(worker, signal.SIGKILL)
        workers.wait()


def finish(now: datetime) -> None:
    while advance_due(now=now, limit=100):
        pass


def assert_ended_once(account: Account) -> None:
    run = Run.objects.get(account=account)
    assert (run.state, run.attempts, run.retry_at) == (Run.State.FINISHED, 0, None)
    assert list(RunStep.objects.filter(run=run).values_list("position", "step", "decision")) == [
        (0, "", "entered"),
        (1, "wait", "waiting"),
        (2, "again", "still"),
        (3, "call", "acted"),
        (4, "", "finished"),
    ]
    assert Task.objects.get(account=account).dedupe_key == f"run:{run.pk}:call"
    assert sorted(Event.objects.filter(account=account).values_list("kind", flat=True)) == [
        "playbook.entered",
        "playbook.finished",
        "task.created",
    ]


def test_run_ends_exactly_once_when_workers_die_in_the_middle_of_every_statement(workers: Workers) -> None:
    published()
    for number, statement in enumerate(STATEMENTS):
        start = NOW + 30 * number * DAY
        account = customer(uses=3)
        assert evaluate_entries(now=start) == 1

        if statement in ON_THE_WAY:
            kill_in(statement, workers, start)
        finish(start + LATER)
        assert Run.objects.get(account=account).due_at == start + 7 * DAY

        kill_in(statement, workers, start + 7 * DAY)
        finish(start + 7 * DAY + LATER)
        assert_ended_once(account)


def test_turn_is_written_once_when_its_worker_is_slower_than_its_lease(workers: Workers) -> None:
    published()
    account = customer(uses=3)
    evaluate_entries(now=NOW)
    with held(*STATEMENTS["record"]):
        workers.start(NOW)
        wait_until(STANDS_STILL)
        assert advance_due(now=NOW + LATER, limit=100) == 0
    workers.wait()
    assert Run.objects.get(account=account).due_at == NOW + 7 * DAY
    finish(NOW + 7 * DAY)
    assert_ended_once(account)


def test_every_run_ends_exactly_once_when_workers_are_killed_at_random(workers: Workers) -> None:
    published()
    chance = random.Random(7)
    accounts = [customer(uses=3) for _ in range(25)]
    assert evaluate_entries(now=NOW) == len(accounts)
    for start in (NOW, NOW + 7 * DAY + LATER):
        now = start
        for _ in range(4):
            worker = workers.start(now)
            time.sleep(chance.uniform(0.01, 0.25))
            with suppress(ProcessLookupError):  # it was done before its time came
                os.kill(worker, signal.SIGKILL)
            workers.wait()
            wait_until(GONE)
            now += LATER
        finish(now)

    for account in accounts:
        assert_ended_once(account)
