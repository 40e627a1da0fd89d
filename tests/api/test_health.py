import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import Account, User, Workspace
from common import clock
from health.models import Measure, Profile, Version
from health.services import compute_health
from tests.api.clients import api, send
from tests.console.pages import only_own_book
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

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


def scored_account() -> Account:
    """An account that lost half of its seats today; a fixed formula of seats and tickets."""
    profile = ProfileFactory(segment=SegmentFactory(key="all"))
    for key, attribute, curve, group in (
        ("seats", "seats", [[0, 0], [100, 100]], "usage"),
        ("tickets", "tickets.open", [[0, 100], [5, 0]], "support"),
    ):
        measure = MeasureFactory(key=key, label=key.title(), attribute=attribute, curve=curve, group=group)
        ProfileMeasureFactory(profile=profile, measure=measure)
    account: Account = AccountFactory(seats=80)
    now = clock.now()
    compute_health(scope=Scope.everything(), now=now - timedelta(days=1))
    Account.objects.update(seats=40)
    compute_health(scope=Scope.everything(), now=now)
    return account


def test_explanation_has_curve_group_trend_age_and_sentences(admin: Client) -> None:
    account = scored_account()

    explained = admin.get(f"/api/v1/accounts/{account.pk}/health/").json()

    [seats, _tickets] = explained["measures"]
    assert (seats["curve"], seats["unit"], seats["group"], seats["cost"]) == ([[0, 0], [100, 100]], "", "usage", 30)
    assert seats["trend"] == [80, 40]
    assert [
        (group["key"], group["contribution"], group["points"], group["measures"]) for group in explained["groups"]
    ] == [
        ("usage", 20, 40, ["seats"]),
        ("support", 50, 100, ["tickets"]),
    ]
    assert (explained["stale"], explained["inputs"], explained["override"]) == (0, 2, None)
    assert explained["sentences"] == [
        "The score is 70 of 100: Good.",
        "Seats costs most: 40 earns 40 of 100, which costs 30 points.",
        "Tickets has 90 of 100 points or more.",
    ]


def test_change_between_two_days_is_split_and_told(admin: Client) -> None:
    account = scored_account()
    yesterday = Workspace.current().day(clock.now()) - timedelta(days=1)

    change = admin.get(f"/api/v1/accounts/{account.pk}/health/changes/?since={yesterday}").json()

    assert (change["before"]["score"], change["after"]["score"], change["difference"]) == (90, 70, -20)
    assert change["split"] == {"behaviour": -20, "segment": 0, "formula": 0, "override": 0}
    assert [
        (row["key"], row["before"]["value"], row["after"]["value"], row["cause"]) for row in change["measures"]
    ] == [
        ("seats", 80, 40, "behaviour"),
        ("tickets", 0, 0, None),
    ]
    assert change["sentences"][-1] == "Seats fell from 80 to 40, which took 20 points away."
    same = admin.get(f"/api/v1/accounts/{account.pk}/health/changes/?since={yesterday}&until={yesterday}").json()
    assert (same["difference"], same["after"]["day"]) == (0, str(yesterday))


def test_history_is_told_day_by_day(admin: Client) -> None:
    account = scored_account()

    history = admin.get(f"/api/v1/accounts/{account.pk}/health/history/?days=7").json()["days"]
    today = admin.get(f"/api/v1/accounts/{account.pk}/health/history/?days=1").json()["days"]

    assert [(day["score"], day["points"]["seats"], day["version"]) for day in history] == [(90, 80, 1), (70, 40, 1)]
    assert today == history[1:]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("changes/", "since"),
        ("changes/?since=soon", "since"),
        ("changes/?since=2999-01-01", "since"),
        ("changes/?since=2026-02-01&until=2026-01-01", "until"),
        ("changes/?since=2026-02-01&until=%00", "until"),
        ("changes/?since=2026-02-01&score=mood", "score"),
        ("changes/?since=2026-02-01&from=x", "from"),
        ("history/?days=0", "days"),
        ("history/?days=many", "days"),
        ("history/?score=mood", "score"),
    ],
)
def test_days_and_scores_that_are_none_are_refused_by_name(admin: Client, asked: str, field: str) -> None:
    account = scored_account()

    refused = admin.get(f"/api/v1/accounts/{account.pk}/health/{asked}")

    assert refused.status_code == 400
    assert field in refused.json()["fields"]


def test_change_is_not_found_without_a_score_or_for_who_may_not_see_the_account(admin: Client) -> None:
    account = AccountFactory()
    outsider = api(only_own_book())

    silent = admin.get(f"/api/v1/accounts/{account.pk}/health/changes/?since=2026-01-01")

    assert (silent.status_code, silent.json()["code"]) == (404, "not_found")
    for path in ("", "changes/?since=2026-01-01", "history/"):
        assert outsider.get(f"/api/v1/accounts/{account.pk}/health/{path}").status_code == 404
    assert admin.get(f"/api/v1/accounts/{account.pk}/health/history/").json() == {"days": []}


def test_no_draft_stays_open_when_the_change_is_refused(admin: Client) -> None:
    assert send(admin, "/api/v1/measures/", {**MEASURE, "attribute": "seets"}).status_code == 400
    assert send(admin, "/api/v1/measures/gone/", {"label": "Gone"}, "patch").status_code == 404
    assert admin.delete("/api/v1/measures/gone/").status_code == 404
    assert not Version.objects.exists()

    assert send(admin, "/api/v1/measures/", MEASURE).status_code == 201
    assert Version.objects.draft().count() == 1
