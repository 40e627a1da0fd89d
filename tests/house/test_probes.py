"""/healthz and /readyz."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Heartbeat
from common import clock


def test_health_is_ok_when_no_database_is_asked(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_site_is_ready_when_beat_ticked_lately(client: Client) -> None:
    Heartbeat.objects.create(name="beat", beat_at=clock.now())

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok", "beat": "ok"},
    }


@pytest.mark.django_db
def test_site_is_not_ready_when_beat_is_late(client: Client) -> None:
    Heartbeat.objects.create(name="beat", beat_at=clock.now() - timedelta(minutes=3))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["beat"].startswith("beat last ticked at ")


@pytest.mark.django_db
def test_site_is_not_ready_when_beat_never_ticked(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["beat"] == "beat has never ticked"
