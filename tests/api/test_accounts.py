import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Contact, CustomField, Event, Segment, Touchpoint, User, Workspace
from accounts.services.keys import create_api_key
from tests.api.clients import api, send
from tests.factories import NOW, AccountFactory, ContactFactory, SegmentFactory, StageFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def test_account_is_made_and_changed(admin: Client) -> None:
    StageFactory(key="onboarding")
    CustomField.objects.create(key="tier", label="Tier", type="number")
    made = send(admin, "/api/v1/accounts/", {"name": "Acme", "external_id": "a1", "custom": {"tier": 2}})
    assert made.status_code == 201, made.content
    changed = send(
        admin, f"/api/v1/accounts/{made.json()['id']}/", {"stage": "onboarding", "custom": {"tier": None}}, "patch"
    )

    assert changed.json()["stage"] == "onboarding"
    assert changed.json()["custom"] == {}
    account = Account.objects.get()
    assert list(account.events.order_by("id").values_list("kind", flat=True)) == ["account.created", "stage.entered"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a\u0000b"}, "name"),
        ({"name": "Acme", "custom": {"tier": "two"}}, "custom.tier"),
        ({"name": "Acme", "custom": {"unheard": 1}}, "custom.unheard"),
        ({"name": "Acme", "seats": -1}, "seats"),
        ({"name": "Acme", "seats": 10**30}, "seats"),
        ({"name": "Acme", "external_id": "taken"}, "external_id"),
        ({"name": "Acme", "owner": "nobody@example.com"}, "owner"),
        ({"name": "Acme", "time_zone": "Mars/Base"}, "time_zone"),
        ({}, "name"),
    ],
)
def test_account_is_refused_with_its_field_when_the_body_is_wrong(
    admin: Client, body: dict[str, Any], field: str
) -> None:
    AccountFactory(external_id="taken")
    CustomField.objects.create(key="tier", label="Tier", type="number")

    refused = send(admin, "/api/v1/accounts/", body)

    assert 400 <= refused.status_code < 500, refused.content
    assert refused.json()["code"]
    assert refused.json()["message"]
    assert list(refused.json()["fields"]) == [field]
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"[1]",
        b'"x"',
        b'{"name": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"custom":' * 3000,
        b"null",
        rb'{"name": "\ud800"}',
    ],
)
def test_malformed_json_is_a_clear_error(admin: Client, raw: bytes) -> None:
    refused = send(admin, "/api/v1/accounts/", raw)

    assert refused.status_code == 400
    assert refused.json()["message"]


def test_list_is_narrowed_by_a_condition_and_paged_by_cursor(admin: Client) -> None:
    for seats in (5, 50, 500):
        AccountFactory(seats=seats)
    condition = json.dumps({"attribute": "seats", "operator": "gte", "value": 50})

    first = admin.get("/api/v1/accounts/", {"condition": condition, "limit": 1}).json()
    second = admin.get(first["next"]).json()

    assert [row["seats"] for row in first["results"] + second["results"]] == [50, 500]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "condition=abc",
        "condition=%00",
        "condition={}",
        'condition={"attribute":"seets","operator":"gt","value":1}',
        "condition=" + "[" * 15_000,
        "limit=-1",
        "limit=abc",
        "limit=100000",
        "cursor=%00",
        "cursor=zzz",
        "name__regex=.*",
        "_connector=OR",
    ],
)
def test_wrong_query_is_a_clear_error(admin: Client, query: str) -> None:
    AccountFactory()

    refused = admin.get(f"/api/v1/accounts/?{query}")

    assert 400 <= refused.status_code < 500, refused.content
    assert refused.json()["message"]


def test_key_is_refused_when_wrong_revoked_or_too_narrow() -> None:
    user = UserFactory(role=User.Role.ADMIN)
    record, key = create_api_key(name="k", user=user, scopes=["read"])

    reader = Client(headers={"authorization": f"Bearer {key}"})
    assert reader.get("/api/v1/accounts/").status_code == 200
    assert send(reader, "/api/v1/accounts/", {"name": "x"}).status_code == 401
    type(record).objects.update(revoked_at=NOW)
    assert reader.get("/api/v1/accounts/").status_code == 401
    assert Client(headers={"authorization": "Bearer nope"}).get("/api/v1/accounts/").status_code == 401
    assert Client(headers={"authorization": "Bearer"}).get("/api/v1/accounts/").status_code == 401
    assert Client().get("/api/v1/accounts/").status_code in (401, 403)


def test_another_csms_account_is_not_there_when_csms_see_only_their_book() -> None:
    Workspace.objects.update_or_create(id=1, defaults={"csms_see_only_their_book": True})
    csm = UserFactory()
    own, other = AccountFactory(owner=csm), AccountFactory(owner=UserFactory())
    mine, theirs = ContactFactory(account=own), ContactFactory(account=other)
    client = api(csm)

    assert [row["id"] for row in client.get("/api/v1/accounts/").json()["results"]] == [own.pk]
    assert client.get(f"/api/v1/accounts/{other.pk}/").status_code == 404
    assert send(client, f"/api/v1/accounts/{other.pk}/", {"name": "Mine now"}, "patch").status_code == 404
    assert [row["id"] for row in client.get("/api/v1/contacts/").json()["results"]] == [mine.pk]
    assert send(client, f"/api/v1/contacts/{theirs.pk}/", {"name": "x"}, "patch").status_code == 404
    refused = send(client, "/api/v1/contacts/", {"account": other.pk, "name": "Spy"})
    assert refused.status_code == 400
    assert send(client, f"/api/v1/contacts/{mine.pk}/", {"account": other.pk}, "patch").status_code == 400
    assert Contact.objects.count() == 2


def test_viewer_reads_and_writes_nothing() -> None:
    account = AccountFactory()
    client = api(UserFactory(role=User.Role.VIEWER))

    assert client.get("/api/v1/accounts/").status_code == 200
    assert send(client, f"/api/v1/accounts/{account.pk}/", {"name": "x"}, "patch").status_code == 403


def test_only_admins_change_segments() -> None:
    body = {
        "key": "big",
        "name": "Big",
        "priority": 1,
        "condition": {"attribute": "seats", "operator": "gt", "value": 9},
    }

    assert send(api(UserFactory()), "/api/v1/segments/", body).status_code == 403
    assert send(api(UserFactory(role=User.Role.ADMIN)), "/api/v1/segments/", body).status_code == 201


def test_segment_is_refused_when_its_condition_is_wrong_or_leads_back_to_itself(admin: Client) -> None:
    segment = SegmentFactory(key="a")
    wrong = {"key": "b", "name": "B", "priority": 50, "condition": {"attribute": "nope", "operator": "gt", "value": 1}}
    circular = {"condition": {"attribute": "segment", "operator": "in", "value": ["a"]}}

    assert send(admin, "/api/v1/segments/", wrong).json()["code"] == "condition_unknown_attribute"
    assert send(admin, f"/api/v1/segments/{segment.pk}/", circular, "patch").json()["code"] == "condition_circular"
    assert Segment.objects.get().condition == {"all": []}


def test_touchpoint_is_logged_on_the_timeline(admin: Client) -> None:
    account = AccountFactory()
    body = {"account": account.pk, "kind": "call", "summary": "Spoke", "happened_at": NOW.isoformat()}

    assert send(admin, "/api/v1/touchpoints/", body).status_code == 201
    assert Touchpoint.objects.get().user is not None
    events = admin.get(f"/api/v1/events/?account={account.pk}&kind=touchpoint.logged").json()["results"]
    assert [event["data"]["summary"] for event in events] == ["Spoke"]
    assert Event.objects.count() == 1


def test_contact_is_refused_when_its_address_differs_only_by_case(admin: Client) -> None:
    account = AccountFactory()
    assert send(admin, "/api/v1/contacts/", {"account": account.pk, "name": "A", "email": "A@x.io"}).status_code == 201

    again = send(admin, "/api/v1/contacts/", {"account": account.pk, "name": "B", "email": "a@X.io"})

    assert again.status_code == 409
    assert again.json()["code"] == "email_taken"
