from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from health.models import Version
from health.services import simulate_chunk
from tests.api.clients import api, send
from tests.factories import AccountFactory, UserFactory
from tests.health.simulated import draft_of_half, first_version, weigh

pytestmark = pytest.mark.django_db

SIMULATE = "/api/v1/health/versions/2/simulate/"
SIMULATION = "/api/v1/health/versions/2/simulation/"


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


@pytest.fixture(autouse=True)
def _draft() -> Any:
    first_version()
    AccountFactory(seats=80)
    return draft_of_half()


def test_draft_is_simulated_and_told(admin: Client) -> None:
    assert admin.get(SIMULATION).status_code == 404
    started = send(admin, SIMULATE, {})
    assert started.status_code == 202, started.content
    assert started.json()["progress"] == {"done": 0, "total": 1}
    assert admin.get(SIMULATION).json()["found"] is None
    while simulate_chunk(now=clock.now()):
        pass

    told = admin.get(SIMULATION).json()

    assert (told["version"], told["against"], told["is_complete"], told["is_out_of_date"]) == (2, 1, True, False)
    assert told["progress"] == {"done": 1, "total": 1}
    found = told["found"]
    assert found["score"] == "overall"
    assert found["change"] == {
        "accounts": 1,
        "changed": 1,
        "rising": 0,
        "falling": 1,
        "median": 40.0,
        "p95": 40.0,
    }
    assert found["matrix"] == [{"before": "good", "after": "watch", "accounts": 1, "mrr": "0.00"}]
    assert sum(found["spread"]["after"]) == 1
    assert found["backtest"]["after"]["verdict"] == "not_enough"
    assert found["backtest"]["after"]["auc"] is None


def test_simulation_of_a_changed_draft_says_so(admin: Client) -> None:
    send(admin, SIMULATE, {})

    weigh(Version.objects.draft().get(), now=clock.now(), seats=2)
    while simulate_chunk(now=clock.now()):
        pass

    told = admin.get(SIMULATION).json()

    assert told["is_out_of_date"]
    assert not told["is_complete"]
    assert "run the simulation again" in told["problem"]


def test_version_in_force_cannot_be_simulated(admin: Client) -> None:
    refused = send(admin, "/api/v1/health/versions/1/simulate/", {})

    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_draft")
    assert send(admin, "/api/v1/health/versions/9/simulate/", {}).status_code == 404


def test_score_that_is_none_is_refused(admin: Client) -> None:
    send(admin, SIMULATE, {})
    assert admin.get(f"{SIMULATION}?score=mood").status_code == 400


@pytest.mark.parametrize("role", [User.Role.LEADER, User.Role.CSM, User.Role.VIEWER])
def test_only_admins_simulate(role: str) -> None:
    client = api(UserFactory(role=role))

    assert send(client, SIMULATE, {}).status_code == 403
    assert client.get(SIMULATION).status_code == 403
