"""With a real Celery worker and beat: the base is swept, and a score follows what becomes known."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from accounts.models import Account
from accounts.services.ledger import touch
from common import clock
from cs_platform.celery import app
from health.models import HealthScore, SimulatedScore, Simulation, Sweep
from health.services import start_simulation
from launcher.places import ROOT
from tests.factories import AccountFactory, MeasureFactory, ProfileFactory, ProfileMeasureFactory
from tests.health.simulated import draft_of_half, first_version

PATIENCE = 90.0


@contextmanager
def celery(env: dict[str, str], folder: Path) -> Iterator[None]:
    command = ["worker", "--beat", "--concurrency=2", "--loglevel=WARNING", f"--schedule={folder / 'beat'}"]
    with subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "cs_platform", *command], cwd=ROOT, env=env, start_new_session=True
    ) as process:
        yield
        os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("task", "queue"),
    [("health.recompute_chunk", "sweeps"), ("health.recompute_touched", "health"), ("health.recompute_all", "health")],
)
def test_touched_accounts_do_not_queue_behind_a_sweep(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue


@pytest.mark.django_db(transaction=True)
def test_scores_follow_when_a_worker_and_beat_run(process_env: dict[str, str], tmp_path: Path) -> None:
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())
    accounts = AccountFactory.create_batch(3, seats=80)

    with celery(process_env, tmp_path):
        app.send_task("health.recompute_all")
        wait_for(lambda: HealthScore.objects.filter(score=80).count() == 3)
        wait_for(lambda: Sweep.objects.filter(finished_at__isnull=False).exists())

        Account.objects.filter(pk=accounts[0].pk).update(seats=10)
        touch([accounts[0].pk])
        wait_for(lambda: HealthScore.objects.filter(score=10, band="poor").count() == 1)


@pytest.mark.django_db(transaction=True)
def test_draft_is_simulated_when_a_worker_and_beat_run(process_env: dict[str, str], tmp_path: Path) -> None:
    now = clock.now()
    first_version(now=now)
    AccountFactory.create_batch(3, seats=80)
    draft = draft_of_half(now=now)

    with celery(process_env, tmp_path):
        simulation = start_simulation(draft=draft, by=None, now=now)
        wait_for(lambda: Simulation.objects.filter(pk=simulation.pk, finished_at__isnull=False).exists())

    assert SimulatedScore.objects.filter(score_before=80, score_after=40).count() == 3
