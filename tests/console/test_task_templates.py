"""Task templates, and tasks that come again, on their pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, User
from playbooks.models import Task, TaskSeries, TaskTemplate
from tests.console.pages import HTMX, client_of, words_of
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

GIVEN = {
    "title": "Quarterly review",
    "key": "review",
    "guidance": "Ask for goals.",
    "checklist": "Numbers\n\nInvite",
    "email_text": "Dear …",
    "severity": "3",
    "due_in_days": "5",
}


@pytest.fixture
def csm() -> User:
    return UserFactory()


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


@pytest.fixture
def account(csm: User) -> Account:
    made: Account = AccountFactory(owner=csm)
    return made


def today() -> str:
    return timezone.localdate().isoformat()


def test_template_is_made_changed_deleted_and_brought_back() -> None:
    admin = client_of(UserFactory(role=User.Role.ADMIN))

    assert admin.post("/queue/templates/new/", GIVEN)["Location"] == "/queue/templates/"
    template = TaskTemplate.objects.get()
    assert template.checklist == ["Numbers", "Invite"]
    assert "2 items" in words_of(admin, "/queue/templates/")
    admin.post(reverse("console:task_template", args=[template.pk]), {**GIVEN, "title": "Yearly review"})
    assert "Yearly review" in words_of(admin, "/queue/templates/")
    refused = admin.post("/queue/templates/new/", GIVEN)
    assert refused.status_code == 422
    assert "Another template has this key" in refused.content.decode()

    admin.post(reverse("console:task_template_delete", args=[template.pk]))
    page = admin.get("/queue/templates/").content.decode()
    undo = reverse("console:task_template_restore", args=[template.pk])
    assert f'action="{undo}"' in page
    admin.post(undo)
    assert TaskTemplate.objects.get().deleted_at is None


def test_only_admins_change_templates(client: Client) -> None:
    assert client.get("/queue/templates/").status_code == 200
    assert client.post("/queue/templates/new/", GIVEN).status_code == 403


def test_task_begins_as_its_template_says(client: Client, account: Account) -> None:
    TaskTemplate.objects.create(
        key="review", title="Quarterly review", guidance="Ask.", checklist=["Numbers"], email_text="Dear …", severity=3
    )
    address = reverse("console:account_task", args=[account.pk])

    assert "From a template" in client.get(address, headers=HTMX).content.decode()
    form = client.get(f"{address}?template=review", headers=HTMX).content.decode()
    for words in ('value="Quarterly review"', "Numbers", "Dear …"):
        assert words in form
    client.post(address, {"title": "Review", "due": today(), "severity": "3", "checklist": "Numbers\nInvite"})
    assert [item["text"] for item in Task.objects.get().checklist] == ["Numbers", "Invite"]


def test_new_task_can_be_undone(client: Client, account: Account) -> None:
    address = reverse("console:account_task", args=[account.pk])
    answer = client.post(address, {"title": "Call", "due": today(), "severity": "2"}, headers=HTMX)

    undo = reverse("console:queue_take_back", args=[Task.objects.get().pk])
    assert undo in answer.content.decode()


def test_task_is_made_to_come_again_changed_and_stopped(client: Client, account: Account) -> None:
    # A Monday, on which tasks come wherever one is.
    monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    given = {"title": "Check in", "due": monday.isoformat(), "severity": "2", "unit": "week", "every": "2"}
    answer = client.post(reverse("console:account_task", args=[account.pk]), given, headers=HTMX)
    assert "Comes every 2 weeks: Check in" in answer.content.decode()
    assert not Task.objects.exists()

    series = TaskSeries.objects.get()
    assert "every 2 weeks" in words_of(client, "/queue/templates/")
    change = {"title": "Look in", "severity": "3", "checklist": "One", "ends_on": ""}
    client.post(reverse("console:series_change", args=[series.pk]), change)
    series.refresh_from_db()
    assert (series.title, series.checklist) == ("Look in", ["One"])
    assert series.next_on == monday
    client.post(reverse("console:series_stop", args=[series.pk]))
    assert "Look in" not in words_of(client, "/queue/templates/").replace("Comes no more: Look in", "")
    client.post(reverse("console:series_go_on", args=[series.pk]))
    series.refresh_from_db()
    assert series.next_on == monday


def test_wrong_days_are_said_at_their_field(client: Client, account: Account) -> None:
    given = {"title": "Check in", "due": today(), "severity": "2", "unit": "week", "every": "0"}
    address = reverse("console:account_task", args=[account.pk])
    assert client.post(address, given, headers=HTMX).status_code == 422
    past = {**given, "every": "1", "ends_on": "2020-01-01"}
    refused = client.post(address, past, headers=HTMX)
    assert refused.status_code == 422
    assert "Begin today or later, and end after that." in refused.content.decode()
    assert not TaskSeries.objects.exists()
