"""SDKs as they are published deliver to a real server over a network that loses connections."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db.models import Sum
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from accounts.models import Account
from common import clock
from launcher.places import ROOT
from tests.factories import AccountFactory
from tests.house.processes import wait_until
from tests.usage.conftest import call
from tests.usage.proxy import lossy_proxy
from usage.models import DailyUsage, RollingUsage, TrackedEvent, TrackedUser, UserActivity
from usage.services import assign_waiting, create_write_key

EVENTS = 10_000
ACCOUNTS, USERS = 7, 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(process_env: dict[str, str]) -> Iterator[Path]:
    """The application behind gunicorn with two sync workers, on a socket."""
    with TemporaryDirectory(prefix="csp-") as folder:
        address, log = Path(folder) / "web.sock", Path(folder) / "web.log"
        command = [sys.executable, "-m", "gunicorn", "cs_platform.wsgi", "--workers=2", f"--bind=unix:{address}"]
        with log.open("wb") as output:
            server = subprocess.Popen(command, cwd=ROOT, env=process_env, stdout=output, stderr=output)
        try:
            assert wait_until(address.exists), log.read_text()
            yield address
        finally:
            server.terminate()
            server.wait()


def segment(**options: Any) -> Segment:
    return Segment(**options, thread=2, gzip=True)


def segment_plain(**options: Any) -> Segment:
    return Segment(**options, thread=2, gzip=False)


def rudder(**options: Any) -> Rudder:
    return Rudder(**options)


@pytest.mark.parametrize("make_client", [segment, segment_plain, rudder])
def test_every_event_is_counted_once_when_connections_drop(web: Path, make_client: Callable[..., Any]) -> None:
    accounts = [AccountFactory(external_id=f"acc-{n}") for n in range(ACCOUNTS)]
    _record, key = create_write_key(name="app")
    failures: list[Any] = []

    with lossy_proxy(web, every=9) as (port, losses):
        client = make_client(
            write_key=key,
            host=f"http://127.0.0.1:{port}",
            max_queue_size=2 * EVENTS,
            on_error=lambda error, _batch: failures.append(error),
        )
        for user in range(USERS):
            client.identify(f"u{user}", {"plan": "pro"})
            client.group(f"u{user}", f"acc-{user % ACCOUNTS}")
        for n in range(EVENTS):
            named = {"groupId": f"acc-{n % ACCOUNTS}"} if n % 2 else {}
            client.track(f"u{n % USERS}", f"Feature {n % 5}", {"n": n}, named)
        client.shutdown()

    # Two connections at once: a call that was being written while its user joined is placed by the next tick.
    assign_waiting(now=clock.now())

    assert not failures
    assert losses.before >= 5
    assert losses.after >= 5
    assert TrackedEvent.objects.filter(kind="track").count() == EVENTS
    assert TrackedEvent.objects.count() == EVENTS + 2 * USERS
    owners = Counter(f"acc-{(n if n % 2 else n % USERS) % ACCOUNTS}" for n in range(EVENTS))
    counted = Account.objects.annotate(used=Sum("daily_usage__count")).values_list("external_id", "used")
    assert dict(counted) == dict(owners)
    assert DailyUsage.objects.aggregate(all=Sum("count"))["all"] == EVENTS
    assert RollingUsage.objects.aggregate(all=Sum("last_7"))["all"] == EVENTS
    assert UserActivity.objects.values("user_id").distinct().count() == USERS
    assert TrackedUser.objects.filter(traits={"plan": "pro"}).count() == USERS
    assert len(accounts) == ACCOUNTS


class _Local(http.client.HTTPConnection):
    """A connection to a server on a Unix socket."""

    def __init__(self, address: Path) -> None:
        super().__init__("localhost")
        self.address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.address))


def test_the_server_answers_when_a_body_comes_in_chunks_or_is_far_too_large(web: Path) -> None:
    _record, key = create_write_key(name="app")
    one = json.dumps({"writeKey": key, **call()}).encode()

    def ask(body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        with closing(_Local(web)) as connection:
            connection.request("POST", "/v1/track", body=body, headers=headers, encode_chunked=not headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    assert ask(iter([gzip.compress(one)]))[0] == 200
    assert ask(iter([one[:9], one[9:]]))[1]["duplicates"] == 1
    status, answer = ask(b" " * 3_000_000, **{"Content-Type": "application/json"})
    assert (status, answer["code"]) == (413, "body_too_large")
    assert TrackedEvent.objects.count() == 1
