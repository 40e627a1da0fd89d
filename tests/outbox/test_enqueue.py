from datetime import datetime
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import transaction
from kombu import Connection, Queue

from common import doorbell
from common.errors import DomainError
from outbox.models import Message
from outbox.services import enqueue_email
from tests.factories import NOW
from tests.house.processes import free_port


def enqueue(due_at: datetime = NOW, **changes: Any) -> Message:
    given: dict[str, Any] = {
        "dedupe_key": "welcome:1",
        "recipient": "ana@customer.example",
        "subject": "Hello",
        "text": "Hello Ana",
        "html": "<p>Hello Ana</p>",
        "headers": {},
    }
    return enqueue_email(**{**given, **changes}, due_at=due_at)


@pytest.mark.django_db
def test_the_first_message_stays_when_one_is_owed_twice() -> None:
    first = enqueue()
    second = enqueue(subject="Something else")

    assert second.pk == first.pk
    assert second.subject == "Hello"


@pytest.mark.django_db
def test_line_breaks_become_spaces_when_a_subject_or_header_has_some() -> None:
    message = enqueue(subject="Hello\r\nBcc: all@customer.example", headers={"X-Kind": "a\nb"})

    assert message.subject == "Hello Bcc: all@customer.example"
    assert message.payload["headers"] == {"X-Kind": "a b"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipient": "ana@customer.example\r\nBcc: x@y.example"}, "bad_address"),
        ({"recipient": ""}, "bad_address"),
        ({"text": "a\x00b"}, "bad_text"),
        ({"html": "\ud800"}, "bad_text"),
    ],
)
def test_a_message_is_refused_when_it_could_not_be_sent_or_stored(change: dict[str, str], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        enqueue(**change)

    assert refused.value.code == code
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_ring_goes_out_after_the_commit_when_a_transaction_owes_many_messages() -> None:
    def rings() -> int:
        with Connection(settings.CELERY_BROKER_URL) as broker:
            return int(broker.default_channel._size(Queue("outbox").name))

    with transaction.atomic():
        for number in range(5):
            enqueue(dedupe_key=f"welcome:{number}")
        assert rings() == 0
    assert rings() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_owed_when_the_transaction_rolls_back() -> None:
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)

    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_message_is_owed_all_the_same_when_the_broker_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Celery("silent", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    silent.conf.task_publish_retry = False
    silent.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(doorbell, "_bell", silent)
    monkeypatch.setattr(doorbell, "_quiet_until", 0.0)

    enqueue()
    enqueue(dedupe_key="welcome:2")

    assert Message.objects.count() == 2
