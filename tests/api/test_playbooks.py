from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from playbooks.models import Playbook, Run, Task
from playbooks.services import advance_due, evaluate_entries
from tests.api.clients import api, send
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

LOW = {"attribute": "seats", "operator": "lt", "value": 5}
DEFINITION: dict[str, Any] = {
    "entry": {"kind": "condition", "condition": LOW},
    "steps": [
        {"id": "wait", "kind": "wait", "days": 7},
        {"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"},
        {"id": "task", "kind": "task", "title": "Call them", "severity": 3, "due_in_days": 2, "assign": "owner"},
    ],
}


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def test_playbook_is_published_and_its_runs_and_tasks_are_told(admin: Client) -> None:
    csm = UserFactory()
    account = AccountFactory(seats=2, owner=csm)
    made = send(admin, "/api/v1/playbooks/", {"key": "small", "name": "Small"}).json()
    published = send(admin, f"/api/v1/playbooks/{made['id']}/publish/", {"definition": DEFINITION})
    assert published.status_code == 200, published.content
    assert (published.json()["status"], published.json()["version"]) == ("live", 1)
    now = clock.now()
    evaluate_entries(now=now)
    for days in (0, 8, 8):
        advance_due(now=now + timedelta(days=days), limit=10)

    [run] = admin.get("/api/v1/runs/?state=finished").json()["results"]
    story = admin.get(f"/api/v1/runs/{run['id']}/").json()["story"]
    [task] = admin.get(f"/api/v1/tasks/?account={account.pk}&status=open").json()["results"]
    whole = admin.get(f"/api/v1/tasks/{task['id']}/").json()
    why, because = whole["why"], whole["because"]

    assert any("Call them" in line["words"] for line in story)
    assert task["owner"] == csm.email
    assert len(because) == len(why) == 2
    assert because[0].startswith("“Small” began on ")
    assert all("Seats" in sentence for sentence in why)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"steps": []}, "step"),
        ({"steps": [{"id": "w", "kind": "wait", "days": -1}]}, "1 to 3650"),
        ({"steps": [{"id": "w", "kind": "dance"}]}, "dance"),
        ({"entry": {"kind": "condition", "condition": {"attribute": "seets", "operator": "lt", "value": 1}}}, "seets"),
        ({"entry": None}, "Give an object"),
    ],
)
def test_definition_is_refused_with_a_sentence_when_it_is_wrong(admin: Client, change: Any, word: str) -> None:
    made = send(admin, "/api/v1/playbooks/", {"key": "small", "name": "Small"}).json()

    refused = send(admin, f"/api/v1/playbooks/{made['id']}/publish/", {"definition": {**DEFINITION, **change}})

    assert refused.status_code == 400, refused.content
    assert word in refused.json()["message"]
    assert Playbook.objects.get().status == "draft"


def test_playbook_is_paused_and_resumed_by_admins_only(admin: Client) -> None:
    made = send(admin, "/api/v1/playbooks/", {"key": "small", "name": "Small"}).json()
    send(admin, f"/api/v1/playbooks/{made['id']}/publish/", {"definition": DEFINITION})
    path = f"/api/v1/playbooks/{made['id']}"

    assert send(api(UserFactory()), f"{path}/pause/", {}).status_code == 403
    assert send(admin, f"{path}/pause/", {}).json()["status"] == "paused"
    assert send(admin, f"{path}/pause/", {}).status_code == 409
    assert send(admin, f"{path}/resume/", {}).json()["status"] == "live"


def test_task_is_made_and_worked_on() -> None:
    csm, other = UserFactory(), UserFactory()
    client = api(csm)
    account = AccountFactory()
    due = (clock.now() + timedelta(days=1)).isoformat()
    made = send(client, "/api/v1/tasks/", {"account": account.pk, "title": "Call", "due_at": due})
    assert made.status_code == 201, made.content
    path = f"/api/v1/tasks/{made.json()['id']}"

    assert send(client, f"{path}/snooze/", {"until": due}).json()["snoozed_until"]
    assert send(client, f"{path}/snooze/", {"until": "2020-01-01T00:00:00Z"}).status_code == 400
    assert send(client, f"{path}/reassign/", {"to": other.email}).json()["owner"] == other.email
    assert send(client, f"{path}/complete/", {"outcome": "bliss"}).status_code == 400
    assert send(client, f"{path}/complete/", {"outcome": "saved"}).json()["status"] == "done"
    assert send(client, f"{path}/complete/", {}).status_code == 409
    assert send(client, f"{path}/reopen/", {}).json()["status"] == "open"


def test_unknown_state_is_a_clear_error(admin: Client) -> None:
    assert "waiting" in admin.get("/api/v1/runs/?state=dancing").json()["message"]
    assert "open" in admin.get("/api/v1/tasks/?status=dancing").json()["message"]
    assert Run.objects.count() == Task.objects.count() == 0


def test_why_is_told_for_an_account_that_is_in_and_for_one_that_is_not(admin: Client) -> None:
    inside, outside = AccountFactory(seats=2), AccountFactory(seats=50)
    made = send(admin, "/api/v1/playbooks/", {"key": "small", "name": "Small"}).json()
    send(admin, f"/api/v1/playbooks/{made['id']}/publish/", {"definition": DEFINITION})
    now = clock.now()
    evaluate_entries(now=now)
    advance_due(now=now, limit=10)
    path = f"/api/v1/playbooks/{made['id']}/why/"

    told = admin.get(f"{path}?account={inside.pk}").json()
    assert (told["answer"], told["run"]) == ("waits", Run.objects.get().pk)
    assert "Seats was 2 (below 5)" in told["fired_because"][0]
    assert told["waits_for"][0].startswith("Waits until ")
    assert "Seats was 2 (below 5)" in told["looks_at"][0]

    told = admin.get(f"{path}?account={outside.pk}").json()
    assert (told["answer"], told["run"], told["fired_because"]) == ("did_not_fire", None, [])
    assert "Seats was 50 (not below 5)" in told["did_not_because"][0]
    assert {hurdle["name"]: hurdle["passed"] for hurdle in told["hurdles"]}["Entry"] is False

    assert admin.get(path).status_code == 404
    assert admin.get(f"{path}?account=x").status_code == 400
    csm = api(UserFactory())
    assert csm.get(f"{path}?account={inside.pk}").status_code == 200
