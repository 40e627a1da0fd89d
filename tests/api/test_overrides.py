"""Scores set by hand over the REST API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import Account, User
from common import clock
from health.models import HealthScore, NamedScore, Override
from health.services import compute_health
from tests.api.clients import api, send
from tests.console.pages import only_own_book
from tests.factories import AccountFactory, MeasureFactory, ProfileFactory, ProfileMeasureFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    made: User = UserFactory()
    return made


@pytest.fixture
def account(csm: User) -> Account:
    made: Account = AccountFactory(seats=42, owner=csm)
    measure = MeasureFactory()
    for named in (NamedScore.overall(), NamedScore.objects.create(key="fit", label="Fit")):
        ProfileMeasureFactory(profile=ProfileFactory(named=named), measure=measure)
    compute_health(scope=Scope.everything(), now=clock.now())
    return made


def body(**changed: Any) -> dict[str, Any]:
    expires_at = (clock.now() + timedelta(days=10)).isoformat()
    return {"score": 85, "reason": "They renew in spring", "expires_at": expires_at, **changed}


def at(account: Account, more: str = "") -> str:
    return f"/api/v1/accounts/{account.pk}/health/overrides/{more}"


def test_score_is_set_listed_and_ended(account: Account, csm: User) -> None:
    client = api(csm)

    made = send(client, at(account), body())

    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["named"], told["score"], told["computed_score"], told["author"]) == ("overall", 85, 42, csm.email)
    assert client.get("/api/v1/health/overrides/").json()["results"] == [told]
    assert client.get(at(account)).json()["results"] == [told]
    assert client.get(f"/api/v1/accounts/{account.pk}/health/").json()["override_contribution"] == 43

    ended = send(client, at(account, f"{told['id']}/end/"), {})

    assert ended.status_code == 200, ended.content
    assert (ended.json()["ended_by"], ended.json()["computed_score"]) == (csm.email, None)
    assert client.get("/api/v1/health/overrides/").json()["results"] == []
    assert client.get(at(account)).json()["results"] == [ended.json()]
    again = send(client, at(account, f"{told['id']}/end/"), {})
    assert (again.status_code, again.json()["code"]) == (409, "override_ended")


def test_list_is_narrowed_to_one_score(account: Account, csm: User) -> None:
    client = api(csm)
    send(client, at(account), body())
    assert send(client, at(account), body(named="fit", score=10)).status_code == 201

    for path in ("/api/v1/health/overrides/", at(account)):
        assert [row["named"] for row in client.get(f"{path}?score=fit").json()["results"]] == ["fit"]
        assert len(client.get(path).json()["results"]) == 2
        assert client.get(f"{path}?score=none").status_code == 400


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"score": 101}, "score"),
        ({"score": "high"}, "score"),
        ({"score": None}, "score"),
        ({"reason": ""}, "reason"),
        ({"reason": "a\u0000b"}, "reason"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"named": "none"}, "named"),
    ],
)
def test_override_is_refused_at_its_field(account: Account, csm: User, changed: dict[str, Any], field: str) -> None:
    answer = send(api(csm), at(account), body(**changed))

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert not Override.objects.exists()


def test_override_is_refused_when_there_is_no_score(account: Account, csm: User) -> None:
    answer = send(api(csm), at(AccountFactory(ended_at=clock.now())), body())

    assert (answer.status_code, answer.json()["code"]) == (400, "no_score")


def test_overrides_are_seen_and_set_by_those_who_may(account: Account, csm: User) -> None:
    send(api(csm), at(account), body())
    override = Override.objects.get()

    viewer = api(UserFactory(role=User.Role.VIEWER))
    assert len(viewer.get("/api/v1/health/overrides/").json()["results"]) == 1
    assert send(viewer, at(account), body()).status_code == 403
    assert send(viewer, at(account, f"{override.pk}/end/"), {}).status_code == 403

    outsider = api(only_own_book())
    assert outsider.get("/api/v1/health/overrides/").json()["results"] == []
    assert outsider.get(f"/api/v1/health/overrides/{override.pk}/").status_code == 404
    assert outsider.get(at(account)).status_code == 404
    assert send(outsider, at(account), body()).status_code == 404
    assert send(outsider, at(account, f"{override.pk}/end/"), {}).status_code == 404
    assert Client().get(at(account)).status_code == 401
    assert HealthScore.objects.overall().get().score == 85


def test_override_of_another_account_is_not_ended_by_its_number(account: Account, csm: User) -> None:
    send(api(csm), at(account), body())

    answer = send(api(csm), at(AccountFactory(), f"{Override.objects.get().pk}/end/"), {})

    assert answer.status_code == 404
