"""A new task from the queue: first for whom, then what."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from playbooks.models import Task, TaskSeries
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import NOW, AccountFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    return UserFactory()


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


def test_own_accounts_are_offered_until_something_is_typed(client: Client, csm: User) -> None:
    AccountFactory(name="Acme", owner=csm)
    AccountFactory(name="Ended", owner=csm, ended_at=NOW)
    AccountFactory(name="Somebody's", owner=UserFactory())

    page = words_of(client, "/queue/new/")

    assert "Acme" in page
    assert "Ended" not in page
    assert "Somebody" not in page


def test_account_of_the_row_that_one_stands_on_comes_first(client: Client, csm: User) -> None:
    AccountFactory(name="Acme", owner=csm)
    task = TaskFactory(account=AccountFactory(name="Zenith", owner=UserFactory()), owner=csm)

    page = words_of(client, f"/queue/new/?beside={task.pk}", headers=HTMX)
    answer = client.get(f"/queue/new/?q=&beside={task.pk}&first=1")

    assert page.index("Zenith") < page.index("Acme")
    assert answer["Location"] == reverse("console:account_task", args=[task.account_id])
    assert "Zenith" not in words_of(client, "/queue/new/?beside=x", headers=HTMX)


def test_names_that_begin_so_come_first(client: Client) -> None:
    for name in ("Big Nordwind", "Nordwind", "Cedar"):
        AccountFactory(name=name)

    page = words_of(client, "/queue/new/?q=nord", headers=HTMX)

    assert page.index(" Nordwind") < page.index("Big Nordwind")
    assert "Cedar" not in page
    assert "No account is called so." in words_of(client, "/queue/new/?q=zzz&first=1", headers=HTMX)
    assert "No account is called so." in words_of(client, "/queue/new/?q=%00", headers=HTMX)


def test_enter_takes_the_first(client: Client) -> None:
    account = AccountFactory(name="Nordwind")

    answer = client.get("/queue/new/?q=nord&first=1")

    assert answer["Location"] == reverse("console:account_task", args=[account.pk])


def test_accounts_of_others_are_not_offered_when_csms_see_only_their_book(client: Client) -> None:
    AccountFactory(name="Nordwind")

    assert "No account is called so." in words_of(client_of(only_own_book()), "/queue/new/?q=nord")


def test_query_count_does_not_grow_with_the_accounts(client: Client, csm: User) -> None:
    AccountFactory(owner=csm)
    queries_of(client, "/queue/new/")
    before = queries_of(client, "/queue/new/")
    AccountFactory.create_batch(4, owner=csm)

    assert queries_of(client, "/queue/new/") == before


def test_new_task_and_new_series_are_taken_back(client: Client, csm: User) -> None:
    account = AccountFactory(owner=csm)
    address = reverse("console:account_task", args=[account.pk])
    given = {"title": "Check in", "due": (timezone.localdate() + timedelta(days=9)).isoformat(), "severity": "2"}

    client.post(address, given, headers=HTMX)
    undone = client.post(reverse("console:queue_take_back", args=[Task.objects.get().pk]), headers=HTMX)
    assert "Taken back: Check in" in undone.content.decode()
    assert {"dialog-close", "queue-changed", "account-changed"} < json.loads(undone["HX-Trigger"]).keys()
    assert Task.objects.get().status == "cancelled"

    client.post(address, {**given, "unit": "week", "every": "1"}, headers=HTMX)
    series = TaskSeries.objects.get()
    undone = client.post(reverse("console:series_take_back", args=[series.pk]), headers=HTMX)
    assert "Taken back: Check in" in undone.content.decode()
    series.refresh_from_db()
    assert series.next_on is None


def test_reader_makes_no_task() -> None:
    assert client_of(UserFactory(role=User.Role.VIEWER)).get("/queue/new/").status_code == 403
