import subprocess
import sys
from datetime import timedelta

import pytest
from pytest_django import Settings

from common.errors import Conflict
from launcher.places import ROOT
from outbox.models import Message
from outbox.services import deliver_due, send_again
from outbox.services.deliver import LEASE, LONGEST_WAIT, MAX_ATTEMPTS, wait_after
from tests.factories import NOW
from tests.house.processes import free_port
from tests.outbox.server import Postmaster
from tests.outbox.test_enqueue import enqueue


def owe(name: str, key: str = "") -> Message:
    return enqueue(dedupe_key=key or f"mail:{name}", recipient=f"{name}@customer.example")


@pytest.mark.django_db
def test_both_bodies_arrive_when_a_message_is_due(postmaster: Postmaster) -> None:
    message = owe("ana")

    assert deliver_due(now=NOW, limit=10) == 1

    [mail] = postmaster.mails
    assert mail["To"] == "ana@customer.example"
    assert mail["Subject"] == "Hello"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    message.refresh_from_db()
    assert (message.status, message.attempts, message.error) == ("sent", 1, "")
    assert message.sent_at is not None
    assert deliver_due(now=NOW, limit=10) == 0


@pytest.mark.django_db
def test_the_bodies_are_wiped_when_a_message_was_sent(postmaster: Postmaster) -> None:
    message = owe("ana")

    deliver_due(now=NOW, limit=10)

    message.refresh_from_db()
    assert message.payload == {}


@pytest.mark.django_db
def test_nothing_is_sent_when_a_message_is_not_due_yet(postmaster: Postmaster) -> None:
    enqueue(due_at=NOW + timedelta(seconds=1))

    assert deliver_due(now=NOW, limit=10) == 0
    assert postmaster.mails == []
    assert deliver_due(now=NOW + timedelta(seconds=1), limit=10) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "said"), [("busy", "421 4.3.2"), ("full", "450 4.2.2")])
def test_a_message_waits_and_the_others_go_out_when_the_server_says_later(
    postmaster: Postmaster, name: str, said: str
) -> None:
    message = owe(name)
    owe("ana")

    assert deliver_due(now=NOW, limit=10) == 1

    message.refresh_from_db()
    assert message.status == "pending"
    assert message.error.startswith(said)
    assert message.leased_until is None
    assert timedelta(seconds=45) <= message.due_at - NOW <= timedelta(seconds=80)
    assert message.payload["text"] == "Hello Ana"


@pytest.mark.django_db
def test_a_message_is_refused_at_once_when_there_is_no_such_mailbox(postmaster: Postmaster) -> None:
    message = owe("nobody")
    owe("ana")

    assert deliver_due(now=NOW, limit=10) == 1

    message.refresh_from_db()
    assert (message.status, message.attempts, message.payload) == ("refused", 1, {})
    assert message.error == "550 5.1.1 No such user"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["relay", "spam"])
def test_a_message_is_parked_at_once_when_the_refusal_is_not_about_the_mailbox(
    postmaster: Postmaster, name: str
) -> None:
    message = owe(name)

    assert deliver_due(now=NOW, limit=10) == 0

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("parked", 1)
    assert message.error.startswith("55")


@pytest.mark.django_db
def test_the_second_copy_is_recognisable_when_the_connection_drops_after_the_mail(postmaster: Postmaster) -> None:
    message = owe("drops")

    assert deliver_due(now=NOW, limit=10) == 0
    message.refresh_from_db()
    assert message.status == "pending"
    deliver_due(now=NOW + timedelta(minutes=5), limit=10)

    first, second = postmaster.mails
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.django_db
def test_only_one_message_uses_a_try_when_the_server_is_down(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    for name in ("ana", "boris", "chen"):
        owe(name)

    assert deliver_due(now=NOW, limit=10) == 0

    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert set(Message.objects.values_list("status", flat=True)) == {"pending"}


@pytest.mark.django_db
def test_a_message_is_parked_and_can_be_sent_again_when_the_last_try_failed(postmaster: Postmaster) -> None:
    message = owe("full")
    now = NOW
    for _attempt in range(MAX_ATTEMPTS):
        deliver_due(now=now, limit=10)
        now += 2 * LONGEST_WAIT

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("parked", MAX_ATTEMPTS)
    assert message.error.startswith("450")

    Message.objects.filter(pk=message.pk).update(recipient="ana@customer.example")
    send_again(message=message, now=now)
    assert deliver_due(now=now, limit=10) == 1
    with pytest.raises(Conflict):
        send_again(message=message, now=now)


def test_waits_grow_and_differ_when_tries_go_on() -> None:
    assert wait_after(1) <= timedelta(seconds=75)
    assert timedelta(minutes=6) <= wait_after(4) <= timedelta(minutes=10)
    assert wait_after(MAX_ATTEMPTS) <= LONGEST_WAIT * 1.25
    assert len({wait_after(5) for _ in range(20)}) > 1


@pytest.mark.django_db
def test_one_connection_is_used_when_many_messages_are_due(postmaster: Postmaster) -> None:
    for number in range(20):
        owe(f"person{number}")

    assert deliver_due(now=NOW, limit=50) == 20
    assert postmaster.connections == 1


@pytest.mark.django_db
def test_the_others_go_on_when_a_message_has_killed_its_worker_every_time(postmaster: Postmaster) -> None:
    deadly = owe("ana", key="deadly")
    Message.objects.filter(pk=deadly.pk).update(attempts=MAX_ATTEMPTS, leased_until=NOW - timedelta(seconds=1))
    owe("boris")

    assert deliver_due(now=NOW, limit=10) == 1

    deadly.refresh_from_db()
    assert (deadly.status, deadly.error) == ("parked", "the worker died at every try")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_a_deliverer_is_killed_between_claim_and_outcome(
    postmaster: Postmaster, settings: Settings, process_env: dict[str, str]
) -> None:
    message = owe("hangs")
    code = (
        "import django; django.setup();"
        "from datetime import datetime; from outbox.services import deliver_due;"
        f"deliver_due(now=datetime.fromisoformat('{NOW.isoformat()}'), limit=10)"
    )
    env = {**process_env, "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}"}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env) as deliverer:
        assert postmaster.hanging.wait(timeout=60)
        deliverer.kill()

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("pending", 1)
    assert deliver_due(now=NOW + timedelta(minutes=1), limit=10) == 0

    Message.objects.filter(pk=message.pk).update(recipient="ana@customer.example")
    assert deliver_due(now=NOW + LEASE + timedelta(minutes=2), limit=10) == 1
    assert len(postmaster.mails) == 1


@pytest.mark.django_db
def test_the_newer_claim_decides_when_a_lease_ran_out_while_sending(postmaster: Postmaster) -> None:
    message = owe("ana")
    Message.objects.filter(pk=message.pk).update(attempts=1, leased_until=NOW + LEASE)

    assert deliver_due(now=NOW, limit=10) == 0
    assert deliver_due(now=NOW + LEASE, limit=10) == 1
    message.refresh_from_db()
    assert message.attempts == 2
