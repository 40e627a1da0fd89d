from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from common.errors import Conflict, DomainError
from common.sealing import CannotUnseal
from outbox.models import Destination, Message
from outbox.services import (
    add_destination,
    change_destination,
    rotate_secret,
    switch_destination,
    try_destination,
)
from tests.factories import NOW
from tests.outbox.hook_server import receiver

pytestmark = pytest.mark.django_db

SLACK = "https://hooks.slack.example/services/T1/B1/opensit"


def added(kind: Destination.Kind = Destination.Kind.WEBHOOK, name: str = "Data team", url: str = SLACK) -> Destination:
    return add_destination(kind=kind, name=name, url=url)


def test_nothing_that_opens_a_destination_is_readable_when_it_is_kept() -> None:
    destination = added()

    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM outbox_destination d")
        [(row,)] = cursor.fetchall()
    assert "opensit" not in row
    assert destination.signing_secrets(NOW)[0] not in row
    assert (destination.url, destination.host) == (SLACK, "hooks.slack.example")


def test_each_has_a_key_of_its_own_when_names_are_alike() -> None:
    assert [added(name=name).key for name in ("#CS team", "CS team", "客户")] == ["cs-team", "cs-team-2", "destination"]


@pytest.mark.parametrize(
    ("name", "url", "field"),
    [
        ("", SLACK, "name"),
        ("x" * 101, SLACK, "name"),
        ("a\x00b", SLACK, "name"),
        ("Data team", "https://10.0.0.1/x", "url"),
        ("Data team", "http://hooks.example/x", "url"),
        ("Data team", "", "url"),
    ],
)
def test_a_destination_is_refused_at_its_field_when_it_cannot_be(name: str, url: str, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        added(name=name, url=url)

    assert list(refused.value.fields) == [field]


def test_its_rest_ends_when_its_address_is_changed() -> None:
    destination = added()
    Destination.objects.update(failures=4, away_until=NOW + timedelta(hours=1), error="500")
    destination.refresh_from_db()

    change_destination(destination=destination, name="Renamed", url="")
    destination.refresh_from_db()
    assert (destination.name, destination.url, destination.failures) == ("Renamed", SLACK, 4)

    change_destination(destination=destination, name="Renamed", url="https://other.example/in")
    destination.refresh_from_db()
    assert (destination.host, destination.failures, destination.away_until) == ("other.example", 0, None)


def test_slack_has_no_secret_to_change_when_asked() -> None:
    with pytest.raises(Conflict):
        rotate_secret(destination=added(Destination.Kind.SLACK), now=NOW)


@pytest.mark.parametrize(("path", "taken", "said"), [("ok", True, "200"), ("404", False, "404 said")])
def test_a_test_says_what_came_back_when_it_is_sent(settings: Settings, path: str, taken: bool, said: str) -> None:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with receiver() as server:
        destination = added(url=f"{server.url}/{path}")
        tested = try_destination(destination=destination, company="Meridian", now=NOW)

    assert (tested.taken, tested.said) == (taken, said)
    assert b"Meridian" in server.posts[0].body
    assert not Message.objects.exists()


def test_a_test_is_not_sent_when_the_destination_is_off() -> None:
    tested = try_destination(
        destination=switch_destination(destination=added(), is_on=False), company="Meridian", now=NOW
    )

    assert (tested.taken, tested.said) == (False, "the destination is switched off")


def test_the_old_key_can_go_when_secrets_were_rotated(settings: Settings) -> None:
    destination = added()
    rotate_secret(destination=destination, now=NOW)
    secrets = destination.signing_secrets(NOW)
    settings.SECRETS_KEY_FALLBACKS, settings.SECRETS_KEY = [settings.SECRETS_KEY], "a new key"

    said = StringIO()
    call_command("rotate_secrets", stdout=said)
    settings.SECRETS_KEY_FALLBACKS = []

    destination.refresh_from_db()
    assert (destination.url, destination.signing_secrets(NOW)) == (SLACK, secrets)
    assert said.getvalue().startswith("1 ")
    settings.SECRETS_KEY = "lost"
    with pytest.raises(CannotUnseal):
        _ = destination.url
