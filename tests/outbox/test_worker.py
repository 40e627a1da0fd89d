import subprocess
import sys
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from launcher.places import ROOT
from outbox.models import Message
from tests.factories import NOW
from tests.house.processes import wait_until
from tests.outbox.server import Postmaster
from tests.outbox.test_enqueue import enqueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(postmaster: Postmaster, settings: Settings, process_env: dict[str, str]) -> Iterator[None]:
    """A worker that has only the outbox to do, and no beat."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "cs_platform",
        "worker",
        "-Q",
        "outbox",
        "-P",
        "solo",
        "-l",
        "error",
    ]
    env = {**process_env, "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}"}
    with subprocess.Popen(command, cwd=ROOT, env=env) as running:
        yield
        running.terminate()


@pytest.mark.usefixtures("worker")
def test_the_mail_goes_out_without_beat_when_the_bell_rings(postmaster: Postmaster) -> None:
    message = enqueue(due_at=NOW)

    assert wait_until(lambda: Message.objects.filter(pk=message.pk, status="sent").exists())
    assert len(postmaster.mails) == 1
