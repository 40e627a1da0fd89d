"""Holdouts over the REST API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from playbooks.models import Holdout
from playbooks.services import evaluate_entries, measure_holdouts
from tests.api.clients import api, send
from tests.factories import UserFactory
from tests.playbooks.cases import customer, leaf, published

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
URL = "/api/v1/holdouts/"


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def plan(**given: Any) -> dict[str, Any]:
    return {
        "playbook": published(key="quiet").pk,
        "share": 50,
        "outcome": leaf("usage.messaging.7d", "gte", 1),
        "after_days": 1,
        "base_rate": 50,
        "verdict_on": (clock.now() + 9 * DAY).date().isoformat(),
        **given,
    }


def test_holdout_is_begun_read_and_ended(admin: Client) -> None:
    made = send(admin, URL, plan())
    assert made.status_code == 201, made.content
    url = f"{URL}{made.json()['id']}/"
    owner = UserFactory()
    for _n in range(12):
        customer(uses=3, owner=owner)
    evaluate_entries(now=clock.now())

    results = admin.get(url).json()["results"]
    assert results["treated"] + results["held_out"] == 12
    assert (results["known"], results["effect"]) == (0, None)

    Holdout.objects.update(verdict_on=clock.now().date())
    measure_holdouts(now=clock.now() + 2 * DAY)
    Holdout.objects.update(stopped_at=clock.now())
    results = admin.get(url).json()["results"]
    assert results["known"] == 12
    assert results["effect"]["difference"] == 0
    assert results["effect"]["low"] < 0 < results["effect"]["high"]

    assert admin.get(URL, {"playbook": "quiet"}).json()["results"][0]["id"] == made.json()["id"]
    assert admin.get(URL, {"playbook": "other"}).json()["results"] == []
    assert send(admin, f"{url}stop/", {}).status_code == 409


def test_plan_that_cannot_be_read_is_refused_at_its_field(admin: Client) -> None:
    refused = send(admin, URL, plan(share=90))

    assert refused.status_code == 400
    assert refused.json()["fields"] == {"share": "Give a whole number from 5 to 50."}
    assert not Holdout.objects.exists()


def test_only_an_admin_begins_a_holdout() -> None:
    assert send(api(UserFactory(role=User.Role.CSM)), URL, plan()).status_code == 403
    assert not Holdout.objects.exists()
