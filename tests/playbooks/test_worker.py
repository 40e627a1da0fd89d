"""With a real Celery worker and beat: killed, and its broker emptied, in the middle of the reference case."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from accounts.models import Event
from accounts.services.ledger import record
from common import clock
from launcher.places import ROOT
from playbooks.models import Run, Task
from tests.factories import AccountFactory, UserFactory
from tests.playbooks.cases import DAY, customer, published

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 90.0


@contextmanager
def celery(env: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = ["worker", "--beat", "--concurrency=1", "--loglevel=WARNING", f"--schedule={folder / 'beat'}"]
    with subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "cs_platform", *command], cwd=ROOT, env=env, start_new_session=True
    ) as process:
        yield process
        os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_waits_and_answers_are_kept_when_the_worker_is_killed_and_redis_emptied(
    process_env: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    anna = UserFactory()
    low = customer(uses=3, owner=anna)
    published(name="Messaging is quiet", now=clock.now())
    published(
        {
            "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
            "steps": [{"id": "call", "kind": "task", "title": "Call back"}],
        },
        now=clock.now(),
    )

    with celery(process_env, tmp_path):
        wait_for(lambda: Run.objects.filter(account=low, step="again").exists())
    redis_client.flushdb()
    Run.objects.update(due_at=clock.now() - DAY)  # seven days go by

    with celery(process_env, tmp_path):
        wait_for(lambda: Run.objects.filter(account=low, state="finished").exists())
        redis_client.flushdb()
        unhappy = AccountFactory(owner=anna)
        record(account=unhappy, kind="survey.answered", happened_at=clock.now(), data={"category": "detractor"})
        wait_for(lambda: Task.objects.filter(account=unhappy).exists())

    assert Task.objects.filter(account=low).count() == 1
    assert Task.objects.filter(account=unhappy).count() == 1
    assert Event.objects.filter(kind="playbook.finished", account=low).count() == 1
