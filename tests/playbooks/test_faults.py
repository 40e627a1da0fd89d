"""A thousand waits while workers, pool children, beats and Redis are killed at random, and the clock jumps.

All are real processes with a Redis of their own. What comes of it is the log that the pure function makes of the same
definitions with nothing going wrong.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis

from accounts.calendar import Calendar
from accounts.models import Account, Event
from launcher.places import ROOT, Place
from launcher.processes import Child, Family
from launcher.servers import start_valkey
from playbooks.decide import Found, Position, decide
from playbooks.definition.parse import load
from playbooks.models import Playbook, Run, RunStep, Task
from playbooks.services import enter_by_hand
from tests.factories import UserFactory
from tests.playbooks.cases import leaf, published

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = 250
PATIENCE = 240.0
MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=7)

CALL = {"id": "call", "kind": "task", "title": "Call"}
STEPS: list[list[dict[str, Any]]] = [
    [{"id": "wait", "kind": "wait", "hours": 1}, CALL],
    [{"id": "wait", "kind": "wait", "hours": 20}, {"id": "go", "kind": "go", "to": "recovered"}],
    [
        {"id": "wait", "kind": "wait", "days": 2},
        {"id": "again", "kind": "check", "condition": leaf("seats", "gt", 0)},
        {"id": "more", "kind": "wait", "hours": 5},
    ],
    [{"id": "wait", "kind": "wait", "business_days": 1}, CALL],
]
FAULTS = [
    *["kill_worker"] * 3,
    *["kill_main"] * 2,
    *["kill_child"] * 8,
    *["kill_beat"] * 3,
    *["kill_redis"] * 3,
    *["flush"] * 4,
    *["forward"] * 12,
    *["back"] * 3,
]


@dataclass
class House:
    """Two workers, two beats and a Redis, all of which may die at any time, by one clock that may jump."""

    env: dict[str, str]
    folder: Path
    chance: random.Random
    place: Place
    family: Family
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    redis: Child | None = None

    def open(self) -> None:
        self.set_clock(timedelta())
        self.redis = start_valkey(self.family, self.place, durable=True)
        self.workers += [self.worker(), self.worker()]
        self.beats += [self.beat(), self.beat()]

    def celery(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tests.playbooks.shifted", *command, "--loglevel=CRITICAL"],
            cwd=ROOT,
            env=self.env,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        self.groups.append(process.pid)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.celery("worker", "--concurrency=1", "--queues=playbooks", f"--hostname=w{len(self.groups)}@here")

    def beat(self) -> subprocess.Popen[bytes]:
        return self.celery("beat", f"--schedule={self.folder / f'beat-{len(self.groups)}'}", "--pidfile=")

    def kill_worker(self) -> None:
        self._kill(self.workers, os.killpg)
        self.workers.append(self.worker())

    def kill_main(self) -> None:
        """Its pool child is an orphan, and may finish what it does."""
        self._kill(self.workers, os.kill)
        self.workers.append(self.worker())

    def kill_child(self) -> None:
        pid = self.chance.choice(self.workers).pid
        with suppress(OSError, IndexError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            os.kill(int(self.chance.choice(children)), signal.SIGKILL)

    def kill_beat(self) -> None:
        self._kill(self.beats, os.killpg)
        self.beats.append(self.beat())

    def kill_redis(self) -> None:
        assert self.redis is not None
        self.redis.process.kill()
        self.redis.process.wait()
        self.redis = start_valkey(self.family, self.place, durable=True)

    def flush(self) -> None:
        with redis.Redis.from_url(self.place.redis_url) as client:
            client.flushall()

    def forward(self) -> None:
        self.set_clock(self.off_by() + self.chance.uniform(0.1, 4) * HOUR)

    def back(self) -> None:
        self.set_clock(self.off_by() - 2 * HOUR)

    def off_by(self) -> timedelta:
        return timedelta(seconds=float(Path(self.env["CLOCK"]).read_text()))

    def set_clock(self, off_by: timedelta) -> None:
        new = self.folder / "clock.new"
        new.write_text(str(off_by.total_seconds()))
        new.rename(self.env["CLOCK"])

    def _kill(self, some: list[subprocess.Popen[bytes]], kill: Any) -> None:
        process = some.pop(self.chance.randrange(len(some)))
        with suppress(ProcessLookupError):
            kill(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for group in self.groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for process in (*self.workers, *self.beats):
            process.wait()
        shutil.rmtree(self.place.sockets, ignore_errors=True)


@contextmanager
def house(env: dict[str, str], folder: Path, chance: random.Random) -> Iterator[House]:
    place = Place(folder=folder / "servers")
    with ExitStack() as stack:
        family = stack.enter_context(Family(logs=folder / "logs"))
        env = {**env, "REDIS_URL": place.redis_url, "CLOCK": str(folder / "clock")}
        opened = House(env=env, folder=folder, chance=chance, place=place, family=family)
        stack.callback(opened.close)
        opened.open()
        yield opened


def simulated(run: Run, entered_at: datetime, calendar: Calendar) -> list[tuple[str, str, str, Any]]:
    """The log of the run as it would be if each turn was taken at once and only once."""
    definition = load(run.version.definition)
    position, log = Position(definition.first, entered_at), [("", "entry", "entered", None)]
    holds = {"at": "", "holds": True, "findings": []}
    while True:
        found = Found(looks=dict.fromkeys(definition.looks_ahead(position.step), holds))
        decision = decide(definition, position, found, position.due_at, calendar)
        log += [(taken.step, taken.kind, taken.decision, taken.facts.get("until")) for taken in decision.taken]
        if decision.state != Run.State.WAITING:
            return log
        position = decision.position


def test_thousand_waits_end_once_and_never_early_while_everything_is_killed_and_the_clock_jumps(
    process_env: dict[str, str], tmp_path: Path
) -> None:
    chance = random.Random(20)
    start = datetime.now(UTC)
    admin = UserFactory(role="admin")
    Account.objects.bulk_create(Account(name=f"A{n}", external_id=f"a{n}", seats=5) for n in range(ACCOUNTS))
    accounts = list(Account.objects.values_list("pk", flat=True))
    for steps in STEPS:
        playbook = published({"entry": {"kind": "manual"}, "steps": steps}, now=start)
        assert len(enter_by_hand(playbook=playbook, account_ids=accounts, by=admin, now=start)) == ACCOUNTS

    with house(process_env, tmp_path, chance) as opened:
        deadline = time.monotonic() + PATIENCE
        faults = chance.sample(FAULTS, len(FAULTS))
        for fault in [*faults[:28], "week", *faults[28:]]:
            if fault == "week":
                opened.set_clock(opened.off_by() + WEEK)
            else:
                getattr(opened, fault)()
            time.sleep(chance.uniform(0.1, 0.8))
        while Run.objects.live().exists():
            assert time.monotonic() < deadline, list(Run.objects.live().values("state", "step", "attempts", "error"))
            time.sleep(1)
            opened.set_clock(opened.off_by() + MINUTE)  # leases of the dead run out

    calendar = Calendar.current()
    runs = list(Run.objects.select_related("version").prefetch_related("steps"))
    assert len(runs) == ACCOUNTS * len(STEPS)
    for run in runs:
        log = list(run.steps.all())
        assert [(s.step, s.kind, s.decision, s.facts.get("until")) for s in log] == simulated(run, start, calendar)
        for before, after in pairwise(log):
            if "until" in before.facts:
                assert after.taken_at >= datetime.fromisoformat(before.facts["until"])
    called = Playbook.objects.filter(runs__steps__step="call").distinct().count()
    assert Task.objects.count() == called * ACCOUNTS == RunStep.objects.filter(step="call").count()
    assert Event.objects.filter(kind__in=("playbook.finished", "playbook.recovered")).count() == len(runs)
