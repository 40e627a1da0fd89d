"""Owners and leave over the REST API."""

import pytest

from accounts.models import Account, Event, Leave, User
from playbooks.models import Assignment, Task
from playbooks.services import consume_events
from tests.api.clients import api, send
from tests.console.pages import only_own_book
from tests.factories import NOW, AccountFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_accounts_are_given_by_a_rule_and_back() -> None:
    leader, before = UserFactory(role=User.Role.LEADER), UserFactory(weekly_hours=0)
    after = UserFactory()
    accounts = AccountFactory.create_batch(2, owner=before)
    task = TaskFactory(account=accounts[0], owner=before, due_at=NOW)
    client = api(leader)

    answer = send(
        client,
        "/api/v1/assignments/",
        {"accounts": [one.pk for one in accounts], "to": "least_loaded", "reason": "New region"},
    )

    assert answer.status_code == 201, answer.json()
    given = answer.json()
    assert given["accounts"] == [{"id": one.pk, "from": before.pk, "to": after.pk} for one in accounts]
    assert given["tasks"] == [{"id": task.pk, "from": before.pk, "to": after.pk}]
    assert "Came from" in client.get(f"/api/v1/tasks/{task.pk}/").json()["handed"][0]
    assert send(client, f"/api/v1/assignments/{given['id']}/undo/", {}).json()["undone_at"]
    assert set(Account.objects.values_list("owner", flat=True)) == {before.pk}
    assert send(client, f"/api/v1/assignments/{given['id']}/undo/", {}).status_code == 409


def test_senior_rule_takes_a_condition_and_names_what_is_wrong() -> None:
    senior, account = UserFactory(is_senior=True), AccountFactory(seats=10)
    UserFactory()
    body = {"accounts": [account.pk], "to": "senior", "difficult": {"attribute": "seats", "operator": "gt", "value": 1}}
    client = api(senior)

    assert send(client, "/api/v1/assignments/", body).json()["accounts"][0]["to"] == senior.pk
    for change, field in (
        ({"to": "moon"}, "to"),
        ({"among": ["no@body.example"]}, "among"),
        ({"difficult": {"attribute": "moon"}}, "difficult"),
        ({"difficult": []}, "difficult"),
        ({"otherwise": "senior"}, "otherwise"),
        ({"accounts": [0]}, "accounts"),
        ({"accounts": [2**70]}, "accounts.0"),
    ):
        refused = send(client, "/api/v1/assignments/", {**body, **change})
        assert refused.status_code == 400, change
        assert any(name.startswith(field.partition(".")[0]) for name in refused.json()["fields"]), refused.json()
    assert send(client, "/api/v1/assignments/", body).status_code == 409


def test_nobody_assigns_what_they_do_not_see_nor_reads_assignments_of_others() -> None:
    csm = only_own_book()
    account = AccountFactory(owner=UserFactory())
    made = Assignment.objects.create(made_by=account.owner, made_at=NOW)

    client = api(csm)

    assert send(client, "/api/v1/assignments/", {"accounts": [account.pk], "to": "round_robin"}).status_code == 400
    assert client.get("/api/v1/assignments/").json()["results"] == []
    assert send(client, f"/api/v1/assignments/{made.pk}/undo/", {}).status_code == 404


def test_open_work_follows_an_owner_set_with_the_account() -> None:
    before, after = UserFactory(), UserFactory()
    task = TaskFactory(account__owner=before, owner=before)
    others = TaskFactory(account=task.account)
    client = api(UserFactory())

    answer = send(client, f"/api/v1/accounts/{task.account_id}/", {"owner": after.email}, "patch")
    consume_events(now=NOW, limit=10)

    assert answer.status_code == 200
    task.refresh_from_db()
    assert task.owner == after
    assert Task.objects.get(pk=others.pk).owner == others.owner
    assert Event.objects.get(kind="account.assigned").data["name"] == after.name
    assert send(client, f"/api/v1/accounts/{task.account_id}/", {"name": "Other"}, "patch").status_code == 200
    assert Event.objects.filter(kind="account.assigned").count() == 1


def test_people_plan_their_own_leave_and_leaders_that_of_all() -> None:
    person, colleague = UserFactory(), UserFactory()
    client = api(person)
    body = {"starts_on": "2026-05-04", "ends_on": "2026-05-08", "cover": colleague.email}

    made = send(client, "/api/v1/leaves/", body)

    assert made.status_code == 201, made.json()
    assert made.json()["user"] == person.email
    address = f"/api/v1/leaves/{made.json()['id']}/"
    assert send(client, "/api/v1/leaves/", body).status_code == 409
    assert send(client, address, {"ends_on": "2026-05-09"}, "patch").json()["ends_on"] == "2026-05-09"
    assert send(client, "/api/v1/leaves/", {**body, "user": colleague.email}).status_code == 403
    others = api(colleague)
    assert send(others, address, {"user": colleague.email, "cover": None}, "patch").status_code == 403
    assert others.delete(address).status_code == 403
    leader = api(UserFactory(role=User.Role.LEADER))
    assert send(leader, "/api/v1/leaves/", {**body, "user": colleague.email, "cover": None}).status_code == 201
    assert client.delete(address).status_code == 204
    assert Leave.objects.get().user == colleague


@pytest.mark.parametrize(
    ("change", "field"),
    [({"ends_on": "2026-05-01"}, "ends_on"), ({"cover": "self"}, "cover"), ({"starts_on": "soon"}, "starts_on")],
)
def test_leave_that_cannot_be_names_the_field(change: dict[str, str], field: str) -> None:
    person = UserFactory()
    body = {"starts_on": "2026-05-04", "ends_on": "2026-05-08", **change}
    if body.get("cover"):
        body["cover"] = person.email

    refused = send(api(person), "/api/v1/leaves/", body)

    assert refused.status_code == 400
    assert field in refused.json()["fields"]
