"""The worker that brings a step's message dies after the other side took it and before that is written down."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from pytest_django import Settings
from standardwebhooks import Webhook

from launcher.places import ROOT
from outbox.models import Destination, Message
from outbox.services import add_destination, deliver_hooks_due
from outbox.services.deliver import LEASE
from tests.factories import NOW
from tests.outbox.hook_server import Post, Receiver, receiver
from tests.playbooks.cases import REFERENCE, customer, pass_time, published
from tests.playbooks.test_durability import STANDS_STILL, VICTIMS, held, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SAY = {"id": "say", "kind": "slack", "channel": "remote", "text": "{{ account.name }} is quiet."}
TELL = {"id": "tell", "kind": "webhook", "webhook": "remote"}
MINUTE = timedelta(minutes=1)
AGAIN = NOW + LEASE + MINUTE
DELIVER = (
    "import django; django.setup();"
    "from django.conf import settings; settings.OUTGOING_PRIVATE = ['127.0.0.0/8'];"
    "from datetime import datetime; from outbox.services import deliver_hooks_due;"
    f"deliver_hooks_due(now=datetime.fromisoformat('{NOW.isoformat()}'), limit=10)"
)


@pytest.fixture
def server(settings: Settings) -> Iterator[Receiver]:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with receiver() as running:
        yield running


def owe(server: Receiver, step: dict[str, str]) -> Message:
    """What a run at this step owes the server."""
    kind = Destination.Kind(step["kind"])
    add_destination(kind=kind, name="Remote", url=f"{server.url}/ok")
    published({**REFERENCE, "steps": [step]})
    customer(uses=3)
    pass_time(NOW, NOW)
    return Message.objects.get()


def die_after_it_was_taken(process_env: dict[str, str]) -> None:
    """Bring what is due, in a process that dies with its connection while it writes that it was sent."""
    env = {**process_env, "DJANGO_SETTINGS_MODULE": "cs_platform.settings.test", "PGAPPNAME": "victim"}
    with held("outbox_message", "AFTER UPDATE", "NEW.status = 'sent'"):
        with subprocess.Popen([sys.executable, "-c", DELIVER], cwd=ROOT, env=env) as worker:
            wait_until(STANDS_STILL)
            worker.kill()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {VICTIMS}")


def brought_twice(server: Receiver, process_env: dict[str, str], step: dict[str, str]) -> tuple[Post, Post]:
    """What the server got when the first worker died and, its lease over, another one came."""
    message = owe(server, step)
    die_after_it_was_taken(process_env)

    message.refresh_from_db()
    assert (message.status, message.attempts, len(server.posts)) == ("pending", 1, 1)
    assert deliver_hooks_due(now=NOW + LEASE - MINUTE, limit=10) == 0
    assert deliver_hooks_due(now=AGAIN, limit=10) == 1
    assert deliver_hooks_due(now=NOW + 3 * LEASE, limit=10) == 0
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 2)
    first, second = server.posts
    assert first.body == second.body
    return first, second


def test_webhook_comes_once_more_under_the_same_id_when_its_worker_was_killed(
    server: Receiver, process_env: dict[str, str]
) -> None:
    posts = brought_twice(server, process_env, TELL)

    assert len({post.headers[name] for post in posts for name in ("webhook-id", "idempotency-key")}) == 1
    [secret] = Destination.objects.get().signing_secrets(NOW)
    for post in posts:
        signed_at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
        signature = Webhook(secret).sign(post.headers["webhook-id"], signed_at, post.body.decode())
        assert post.headers["webhook-signature"] == signature


def test_slack_gets_the_text_once_more_with_nothing_to_tell_it_by_when_its_worker_was_killed(
    server: Receiver, process_env: dict[str, str]
) -> None:
    posts = brought_twice(server, process_env, SAY)

    assert not any({"webhook-id", "idempotency-key"} & post.headers.keys() for post in posts)
