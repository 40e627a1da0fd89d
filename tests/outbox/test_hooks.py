import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from pytest_django import Settings
from standardwebhooks import Webhook

from common import clock
from launcher.places import ROOT
from outbox.models import Destination, Message
from outbox.services import (
    add_destination,
    deliver_due,
    deliver_hooks_due,
    enqueue_slack,
    enqueue_webhook,
    rotate_secret,
    send_again,
    slack_text,
    switch_destination,
)
from outbox.services.deliver import LEASE, MAX_ATTEMPTS
from outbox.services.hooks import LONGEST_REST
from tests.factories import NOW
from tests.house.processes import free_port
from tests.outbox.hook_server import Receiver, receiver
from tests.outbox.server import Postmaster
from tests.outbox.test_enqueue import enqueue

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings: Settings) -> Iterator[Receiver]:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with receiver() as running:
        yield running


def webhook(server: Receiver, path: str = "ok", name: str = "Data team") -> Destination:
    return add_destination(kind=Destination.Kind.WEBHOOK, name=name, url=f"{server.url}/{path}")


def owe(destination: Destination, key: str = "run-1:tell", due_at: datetime = NOW) -> Message:
    body = {"event": "playbook.step", "account": {"name": "Möbel <AG>"}}
    return enqueue_webhook(dedupe_key=key, destination=destination, event="playbook.step", body=body, due_at=due_at)


@pytest.mark.django_db
def test_a_webhook_arrives_signed_when_it_is_due(server: Receiver) -> None:
    now = clock.now()
    destination = webhook(server)
    message = owe(destination, due_at=now)

    assert deliver_hooks_due(now=now, limit=10) == 1

    [post] = server.posts
    # The library that receivers use takes it, with the time within its limits.
    said = Webhook(destination.signing_secrets(now)[0]).verify(post.body, post.headers)
    assert said == {"event": "playbook.step", "account": {"name": "Möbel <AG>"}}
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"] == post.headers["idempotency-key"]
    message.refresh_from_db()
    assert (message.status, message.payload, message.recipient) == ("sent", {}, "Data team")
    assert deliver_hooks_due(now=now, limit=10) == 0


@pytest.mark.django_db
def test_slack_gets_its_text_when_it_is_due(server: Receiver) -> None:
    destination = add_destination(kind=Destination.Kind.SLACK, name="#cs", url=f"{server.url}/ok")
    text = f"*Renewal* of {slack_text('<!channel> & Co')}"
    enqueue_slack(dedupe_key="run-1:say", destination=destination, text=text, due_at=NOW)

    assert deliver_hooks_due(now=NOW, limit=10) == 1

    [post] = server.posts
    assert json.loads(post.body) == {"text": "*Renewal* of &lt;!channel&gt; &amp; Co"}
    assert "webhook-id" not in post.headers


@pytest.mark.django_db
def test_one_message_is_owed_when_the_same_key_comes_twice(server: Receiver) -> None:
    destination = webhook(server)

    assert owe(destination) == owe(destination)
    assert deliver_hooks_due(now=NOW, limit=10) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", [500, 503, 408, 425, 429])
def test_the_same_message_comes_again_when_the_target_is_busy(server: Receiver, status: int) -> None:
    message = owe(webhook(server, str(status)))

    assert deliver_hooks_due(now=NOW, limit=10) == 0
    message.refresh_from_db()
    assert (message.status, message.error) == ("pending", f"{status} said")
    deliver_hooks_due(now=NOW + 3 * MINUTE, limit=10)

    first, second = server.posts
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "said"), [("400", "400 said"), ("403", "403"), ("404", "404"), ("410", "410"), ("moved", "redirects")]
)
def test_a_message_is_given_up_at_once_when_trying_again_cannot_help(server: Receiver, path: str, said: str) -> None:
    destination = webhook(server, path)
    message = owe(destination)

    assert deliver_hooks_due(now=NOW, limit=10) == 0

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("parked", 1)
    assert said in message.error
    assert len(server.posts) == 1
    destination.refresh_from_db()
    assert destination.away_until is None


@pytest.mark.django_db
def test_the_wait_that_was_asked_for_is_kept_when_a_target_names_one(server: Receiver) -> None:
    destination = webhook(server, "later")
    message = owe(destination)
    owe(destination, "run-2:tell")

    deliver_hooks_due(now=NOW, limit=10)

    message.refresh_from_db()
    destination.refresh_from_db()
    assert message.due_at >= NOW + timedelta(hours=1)
    assert destination.away_until is not None
    assert destination.away_until >= NOW + timedelta(hours=1)
    assert deliver_hooks_due(now=NOW + timedelta(minutes=59), limit=10) == 0
    assert len(server.posts) == 1


@pytest.mark.django_db
def test_one_try_is_used_and_others_go_out_when_a_target_is_down(server: Receiver) -> None:
    down = add_destination(kind=Destination.Kind.WEBHOOK, name="Down", url=f"http://127.0.0.1:{free_port()}/")
    for number in range(3):
        owe(down, f"down-{number}")
    owe(webhook(server), "up")

    assert deliver_hooks_due(now=NOW, limit=10) == 1

    assert sorted(Message.objects.filter(destination=down).values_list("attempts", flat=True)) == [0, 0, 1]
    down.refresh_from_db()
    assert (down.failures, down.away_until is not None) == (1, True)
    assert "refused" in down.error


@pytest.mark.django_db
def test_a_target_rests_longer_and_is_well_again_when_it_answers(server: Receiver) -> None:
    destination = webhook(server, "500")
    owe(destination)
    now = NOW
    for failures in range(1, 8):
        deliver_hooks_due(now=now, limit=10)
        destination.refresh_from_db()
        assert destination.failures == failures
        assert destination.away_until is not None
        assert destination.away_until - now <= LONGEST_REST + timedelta(seconds=30)
        now += timedelta(hours=8)

    destination.sealed_url = webhook(server, "ok", name="Moved").sealed_url
    destination.save()
    assert deliver_hooks_due(now=now, limit=10) == 1
    destination.refresh_from_db()
    assert (destination.failures, destination.away_until, destination.error) == (0, None, "")


@pytest.mark.django_db
def test_a_message_is_given_up_and_can_be_sent_again_when_its_last_try_failed(server: Receiver) -> None:
    destination = webhook(server, "500")
    message = owe(destination)
    now = NOW
    for _attempt in range(MAX_ATTEMPTS):
        deliver_hooks_due(now=now, limit=10)
        now += timedelta(hours=13)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.error) == ("parked", MAX_ATTEMPTS, "500 said")

    destination.sealed_url = webhook(server, "ok", name="Moved").sealed_url
    destination.save()
    send_again(message=message, now=now)
    assert deliver_hooks_due(now=now, limit=10) == 1


@pytest.mark.django_db
def test_no_packet_leaves_when_a_target_is_inside(server: Receiver, settings: Settings) -> None:
    message = owe(webhook(server))
    settings.OUTGOING_PRIVATE = []

    assert deliver_hooks_due(now=NOW, limit=10) == 0

    message.refresh_from_db()
    assert message.status == "parked"
    assert "inside a network" in message.error
    assert server.connections == 0


@pytest.mark.django_db
def test_a_message_is_given_up_in_words_when_its_secret_cannot_be_read(server: Receiver, settings: Settings) -> None:
    message = owe(webhook(server))
    settings.SECRETS_KEY = "another one altogether"

    deliver_hooks_due(now=NOW, limit=10)

    message.refresh_from_db()
    assert message.status == "parked"
    assert "SECRETS_KEY_FALLBACKS" in message.error


@pytest.mark.django_db
def test_mail_goes_its_own_way_when_both_are_due(server: Receiver, postmaster: Postmaster) -> None:
    enqueue()
    owe(webhook(server))

    assert deliver_due(now=NOW, limit=10) == 1
    assert (len(postmaster.mails), server.posts) == (1, [])
    assert deliver_hooks_due(now=NOW, limit=10) == 1
    assert len(server.posts) == 1


@pytest.mark.django_db(transaction=True)
def test_one_worker_at_most_waits_when_a_target_is_slow(server: Receiver, postmaster: Postmaster) -> None:
    slow = webhook(server, "hangs", name="Slow")
    owe(slow, "slow-1")
    owe(slow, "slow-2")
    owe(webhook(server), "quick")
    enqueue()

    def drain() -> int:
        try:
            return deliver_hooks_due(now=NOW, limit=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        waiting = worker.submit(drain)
        assert server.hanging.wait(timeout=60)

        assert deliver_hooks_due(now=NOW, limit=10) == 1
        assert deliver_due(now=NOW, limit=10) == 1
        assert Message.objects.get(dedupe_key="slow-2").attempts == 0

        server.over.set()
        assert waiting.result() == 0
    assert Message.objects.get(dedupe_key="slow-1").status == "pending"


@pytest.mark.django_db(transaction=True)
def test_the_same_message_comes_again_when_a_worker_is_killed_after_the_target_took_it(
    server: Receiver, process_env: dict[str, str]
) -> None:
    destination = webhook(server, "hangs")
    message = owe(destination)
    code = (
        "import django; django.setup();"
        "from django.conf import settings; settings.OUTGOING_PRIVATE = ['127.0.0.0/8'];"
        "from datetime import datetime; from outbox.services import deliver_hooks_due;"
        f"deliver_hooks_due(now=datetime.fromisoformat('{NOW.isoformat()}'), limit=10)"
    )
    env = {**process_env, "DJANGO_SETTINGS_MODULE": "cs_platform.settings.test"}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env) as deliverer:
        assert server.hanging.wait(timeout=60)
        deliverer.kill()

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("pending", 1)
    destination.sealed_url = webhook(server, "ok", name="Moved").sealed_url
    destination.save()
    assert deliver_hooks_due(now=NOW + LEASE + MINUTE, limit=10) == 1

    first, second = server.posts
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


@pytest.mark.django_db
def test_both_secrets_sign_for_a_day_when_a_secret_is_changed(server: Receiver) -> None:
    now = clock.now()
    destination = webhook(server)
    [old] = destination.signing_secrets(now)
    rotate_secret(destination=destination, now=now)
    new = destination.signing_secrets(now)[0]
    owe(destination, due_at=now)

    deliver_hooks_due(now=now, limit=10)

    assert old != new
    [post] = server.posts
    for secret in (old, new):
        Webhook(secret).verify(post.body, post.headers)
    assert destination.signing_secrets(now + timedelta(days=1)) == [new]


@pytest.mark.django_db
def test_what_waits_is_given_up_when_its_destination_is_switched_off(server: Receiver) -> None:
    destination = webhook(server)
    message = owe(destination)

    switch_destination(destination=destination, is_on=False)

    message.refresh_from_db()
    assert (message.status, message.error) == ("parked", "the destination was switched off")
    send_again(message=message, now=NOW)
    assert deliver_hooks_due(now=NOW, limit=10) == 0
    switch_destination(destination=destination, is_on=True)
    message.refresh_from_db()
    send_again(message=message, now=NOW)
    assert deliver_hooks_due(now=NOW, limit=10) == 1
