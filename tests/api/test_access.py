"""Every resource with every method by every role: who may, who may not, and nobody without a key."""

import pytest
from django.test import Client

from accounts.models import User
from cs_platform.api import router
from tests.api.clients import api, send
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ADMIN_ONLY = {
    "health/scores",
    "health/versions",
    "holdouts",
    "measures",
    "playbooks",
    "profiles",
    "segments",
    "surveys",
}
BODYLESS = {"health/versions"}
READ_ONLY = {"events", "health/overrides", "notifications", "responses", "runs", "tickets"}
RESOURCES = sorted(prefix for prefix, _view, _name in router.registry)


@pytest.mark.parametrize("resource", RESOURCES)
def test_everybody_signed_in_lists_and_nobody_else(resource: str) -> None:
    for role in User.Role:
        assert api(UserFactory(role=role)).get(f"/api/v1/{resource}/").status_code == 200
    assert Client().get(f"/api/v1/{resource}/").status_code == 401


@pytest.mark.parametrize("role", list(User.Role))
@pytest.mark.parametrize("resource", RESOURCES)
def test_only_those_who_may_write_get_as_far_as_the_body(resource: str, role: str) -> None:
    answer = send(api(UserFactory(role=role)), f"/api/v1/{resource}/", {})

    if resource in READ_ONLY:
        assert answer.status_code in (403, 405)
    elif role == User.Role.VIEWER or (resource in ADMIN_ONLY and role != User.Role.ADMIN):
        assert answer.status_code == 403
    elif resource in BODYLESS:
        assert answer.status_code == 201
    else:
        assert answer.status_code == 400
        assert answer.json()["fields"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_row_that_is_not_there_is_a_clear_404(resource: str) -> None:
    client = api(UserFactory(role=User.Role.ADMIN))

    for pk in ("1", "0", "-1", "abc", "9" * 30, "%00"):
        answer = client.get(f"/api/v1/{resource}/{pk}/")
        assert answer.status_code == 404, pk
        assert answer.json()["code"] == "not_found"
