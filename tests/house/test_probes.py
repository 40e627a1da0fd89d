"""/healthz and /readyz."""

import json
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Heartbeat
from common import clock
from launcher.processes import Family
from tests.house.processes import NO_POSTGRES, plain_production, served


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


@pytest.mark.django_db
def test_site_is_not_ready_when_a_migration_waits(client: Client) -> None:
    Heartbeat.objects.create(name="beat", beat_at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'playbooks'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "migrations": "migrations are waiting: run `manage.py migrate`",
        "redis": "ok",
        "beat": "ok",
    }


@pytest.mark.parametrize("away", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.django_db(transaction=True)
def test_site_lives_and_names_the_server_that_is_away(process_env: dict[str, str], tmp_path: Path, away: str) -> None:
    Heartbeat.objects.create(name="beat", beat_at=clock.now())
    nowhere = {"DATABASE_URL": NO_POSTGRES, "REDIS_URL": "redis://127.0.0.1:1/0"}
    with Family(logs=tmp_path) as family:
        # Asking whether it lives is part of serving it.
        port = served(family, {**plain_production(process_env, tmp_path), away: nowhere[away]})

        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30)

    with caught.value as answer:
        checks = json.loads(answer.read())["checks"]
    silent = "the database does not answer"
    if away == "DATABASE_URL":
        assert checks == {"database": silent, "migrations": silent, "redis": "ok", "beat": silent}
    else:
        assert checks == {"database": "ok", "migrations": "ok", "redis": "Redis does not answer", "beat": "ok"}
    assert answer.code == 503
