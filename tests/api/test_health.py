import json
from typing import Any

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import User
from common import clock
from health.models import Measure, Profile
from health.services import compute_health
from tests.api.clients import api, send
from tests.factories import AccountFactory, SegmentFactory, UserFactory

pytestmark = pytest.mark.django_db

MEASURE = {
    "key": "size",
    "label": "Size",
    "group": "usage",
    "attribute": "seats",
    "curve": [[0, 0], [100, 100]],
}


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def test_health_is_defined_computed_and_explained(admin: Client) -> None:
    SegmentFactory(key="all")
    account = AccountFactory(seats=40)
    assert send(admin, "/api/v1/measures/", MEASURE).status_code == 201
    made = send(admin, "/api/v1/profiles/", {"name": "All", "segment": "all", "weights": {"size": 2}})
    assert made.status_code == 201, made.content
    assert made.json()["weights"] == {"size": 2.0}
    assert admin.get("/api/v1/measures/").json()["results"] == []
    draft = made.json()["version"]
    published = send(admin, f"/api/v1/health/versions/{draft}/publish/", {"note": "First"})
    assert published.status_code == 200, published.content
    assert [m["key"] for m in admin.get("/api/v1/measures/").json()["results"]] == ["size"]
    compute_health(scope=Scope.everything(), now=clock.now())

    explained = admin.get(f"/api/v1/accounts/{account.pk}/health/").json()

    assert explained["score"] == 40
    assert explained["band"] == "watch"
    assert [(m["key"], m["value"], m["contribution"]) for m in explained["measures"]] == [("size", 40, 40)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attribute": "seets"}, "attribute"),
        ({"attribute": "health"}, "attribute"),
        ({"curve": [[10, 0], [5, 100]]}, "curve"),
        ({"curve": "steep"}, "curve"),
        ({"curve": [[0, -5], [1, 2]]}, "curve"),
        ({"group": "mood"}, "group"),
        ({"key": "no spaces"}, "key"),
    ],
)
def test_measure_is_refused_with_its_field_when_it_is_wrong(admin: Client, change: Any, field: str) -> None:
    refused = send(admin, "/api/v1/measures/", {**MEASURE, **change})

    assert refused.status_code == 400
    assert field in refused.json()["fields"]
    assert not Measure.objects.exists()


def test_profile_is_refused_when_it_is_wrong(admin: Client) -> None:
    SegmentFactory(key="all")
    send(admin, "/api/v1/measures/", MEASURE)
    body = {"name": "All", "segment": "all", "weights": {"size": 1}}

    assert list(send(admin, "/api/v1/profiles/", {**body, "weights": {"size": 0}}).json()["fields"]) == ["weights.size"]
    assert list(send(admin, "/api/v1/profiles/", {**body, "weights": {"x": 1}}).json()["fields"]) == ["weights.x"]
    assert list(send(admin, "/api/v1/profiles/", {**body, "weights": {}}).json()["fields"]) == ["weights"]
    assert send(admin, "/api/v1/profiles/", {**body, "watch_from": 90}).status_code == 400
    assert not Profile.objects.exists()
    assert send(admin, "/api/v1/profiles/", body).status_code == 201
    assert send(admin, "/api/v1/profiles/", body).json()["code"] == "segment_taken"


def test_measure_in_use_is_not_deleted(admin: Client) -> None:
    SegmentFactory(key="all")
    send(admin, "/api/v1/measures/", MEASURE)
    send(admin, "/api/v1/profiles/", {"name": "All", "segment": "all", "weights": {"size": 1}})

    assert admin.delete("/api/v1/measures/size/").json()["code"] == "measure_in_use"
    assert send(admin, "/api/v1/measures/size/", {"key": "other"}, "patch").json()["code"] == "key_fixed"


def test_health_of_a_day_that_is_none_is_a_clear_error(admin: Client) -> None:
    account = AccountFactory()
    for day in ("yesterday", "2026-02-30", "%00", ""):
        assert admin.get(f"/api/v1/accounts/{account.pk}/health/?on={day}").status_code == 400
    answer = admin.get(f"/api/v1/accounts/{account.pk}/health/?on=2020-01-01")
    assert answer.status_code == 404
    assert json.loads(answer.content)["message"].startswith("This account had no health")
