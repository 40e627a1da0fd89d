"""How long the database may keep the web process, and what its clients hear when it would take longer."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from launcher.processes import Family
from tests import databases
from tests.factories import AccountFactory, UserFactory
from tests.house.processes import NO_POSTGRES, plain_production, run_python, served
from usage.models import DailyUsage
from usage.services import create_write_key

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def production_env(process_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return plain_production(process_env, tmp_path)


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """A connection of somebody else, whose transaction ends with the test."""
    with psycopg.connect(databases.database_url(settings.DATABASES["default"]["NAME"])) as made:
        yield made
        made.rollback()


def limits_of(start: str, env: dict[str, str]) -> list[str]:
    script = (
        f"{start}\nfrom django.db import connection as c\nwith c.cursor() as cursor:\n"
        f"    for name in {NAMES}:\n        cursor.execute('SHOW ' + name)\n        print(cursor.fetchone()[0])"
    )
    said = run_python("-c", script, env=env)
    assert said.returncode == 0, said.stderr
    return said.stdout.split()


def test_only_the_web_process_gives_up_soon(production_env: dict[str, str]) -> None:
    web = limits_of("import cs_platform.wsgi", production_env)
    worker = limits_of("import cs_platform.celery, django\ndjango.setup()", production_env)

    assert web == ["5s", "20s", "30s"]
    assert worker == ["0", "0", "10min"]
    assert limits_of("import cs_platform.asgi", production_env) == web


def test_limits_in_the_address_of_the_database_win(production_env: dict[str, str]) -> None:
    address = production_env["DATABASE_URL"]
    join = "&" if "?" in address else "?"
    env = {**production_env, "DATABASE_URL": f"{address}{join}options=-c%20statement_timeout%3D7s"}

    assert limits_of("import cs_platform.wsgi", env) == ["5s", "7s", "30s"]


def post(port: int, body: bytes, key: str) -> tuple[int, str | None, dict[str, Any]]:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/batch", body, {"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["Retry-After"], json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Retry-After"], json.loads(error.read())


def test_a_batch_is_put_off_and_counted_once_when_a_lock_is_held_in_production(
    production_env: dict[str, str], other: psycopg.Connection[Any], tmp_path: Path
) -> None:
    AccountFactory(external_id="acme")
    _row, key = create_write_key(name="app")
    call = {"type": "track", "messageId": "m1", "userId": "u1", "event": "Sent", "context": {"groupId": "acme"}}
    body = json.dumps({"batch": [call]}).encode()
    with Family(logs=tmp_path) as family:
        port = served(family, production_env)
        assert post(port, json.dumps({"batch": [{**call, "messageId": "m0"}]}).encode(), key)[0] == 200

        other.execute("LOCK TABLE usage_dailyusage IN ACCESS EXCLUSIVE MODE")
        status, retry_after, said = post(port, body, key)
        other.rollback()

        assert (status, retry_after, said["code"]) == (429, "2", "overloaded")
        assert post(port, body, key)[2]["accepted"] == 1
        assert post(port, body, key)[2]["duplicates"] == 1
    assert sum(DailyUsage.objects.values_list("count", flat=True)) == 2


def test_a_batch_is_put_off_when_the_database_is_away(production_env: dict[str, str], tmp_path: Path) -> None:
    with Family(logs=tmp_path) as family:
        port = served(family, {**production_env, "DATABASE_URL": NO_POSTGRES})

        status, retry_after, said = post(port, b'{"batch": []}', "key")

    assert (status, retry_after, said["code"]) == (503, "2", "unavailable")


@pytest.fixture
def locked_accounts(other: psycopg.Connection[Any]) -> Iterator[None]:
    """Somebody holds the table of accounts, and this process hardly waits for it."""
    other.execute("LOCK TABLE accounts_account IN ACCESS EXCLUSIVE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    yield
    connection.close()


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(UserFactory(role="admin"))
    client.raise_request_exception = False
    return client


def test_the_api_puts_a_request_off_when_a_lock_is_held(signed_in: Client, locked_accounts: None) -> None:
    answer = signed_in.get("/api/v1/accounts/")

    assert (answer.status_code, answer["Retry-After"]) == (429, "2")
    assert answer.json()["code"] == "overloaded"


def test_a_page_says_when_to_come_back_when_a_lock_is_held(signed_in: Client, locked_accounts: None) -> None:
    page = signed_in.get(reverse("console:accounts"))
    part = signed_in.get(reverse("console:accounts"), headers={"HX-Request": "true"})

    assert (page.status_code, page["Retry-After"]) == (503, "2")
    assert "Too busy just now" in page.content.decode()
    assert (part.status_code, part["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert part.content.decode() == "This took too long and was not done. Try again in a moment."


def test_a_fault_of_our_own_is_still_a_500(signed_in: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_account RENAME TO accounts_gone")
    try:
        page = signed_in.get(reverse("console:accounts"))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_gone RENAME TO accounts_account")

    assert page.status_code == 500
    assert "Something broke on our side" in page.content.decode()
