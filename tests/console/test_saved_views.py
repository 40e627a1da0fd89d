"""Views of lists under names."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from console.models import SavedView
from tests.console.pages import HTMX, client_of, words_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    return UserFactory()


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


def save(
    client: Client, name: str = "Urgent", query: str = "severity=4", page: str = "queue", **more: str
) -> SavedView:
    answer = client.post(f"/views/{page}/new/", {"name": name, "query": query, **more}, headers=HTMX)
    assert answer.status_code == 204
    view = SavedView.objects.latest("pk")
    assert answer["HX-Redirect"] == f"/{page}/?view={view.pk}&{view.query}"
    return view


def test_view_is_kept_as_its_address_without_the_place_in_it(client: Client) -> None:
    view = save(client, query="whose=&severity=4&from=50&due=overdue&view=9")

    assert view.query == "due=overdue&severity=4"
    assert "Urgent" in words_of(client, "/queue/?view=")


def test_dot_and_its_offers_show_when_the_view_was_changed(client: Client) -> None:
    view = save(client)

    same = words_of(client, f"/queue/?view={view.pk}&severity=4&from=0")
    assert "Changed" not in same
    assert "Reset" not in same
    changed = words_of(client, f"/queue/?view={view.pk}&severity=4&due=today")
    for words in ("Changed", "Save", "Save as…", "Reset"):
        assert words in changed
    client.post(reverse("console:view_save", args=[view.pk]), {"query": f"view={view.pk}&severity=4&due=today"})
    view.refresh_from_db()
    assert view.query == "due=today&severity=4"


def test_page_opens_with_the_view_that_was_chosen_for_it(client: Client) -> None:
    view = save(client, page="accounts", query="band=poor")
    change = {"name": "Poor", "is_default": "on", "position": "1"}
    client.post(reverse("console:view_change", args=[view.pk]), change)

    assert client.get("/accounts/")["Location"] == f"/accounts/?view={view.pk}&band=poor"
    assert client.get("/accounts/?view=").status_code == 200
    assert client.get("/queue/").status_code == 200


def test_only_one_view_opens_a_page(client: Client) -> None:
    first, second = save(client, "One"), save(client, "Two", query="due=today")
    for view in (first, second):
        change = {"name": view.name, "is_default": "on", "position": "1"}
        client.post(reverse("console:view_change", args=[view.pk]), change)

    assert SavedView.objects.get(is_default=True) == second


def test_others_use_a_shared_view_and_cannot_change_it(client: Client) -> None:
    own, shared = save(client, "Own"), save(client, "Shared", query="due=today", is_shared="on")
    other = client_of(UserFactory())

    page = words_of(other, f"/queue/?view={shared.pk}&due=overdue")
    assert "Shared" in page
    assert "Own" not in page
    assert "Save as…" in page
    for name in ("view_change", "view_save", "view_delete"):
        assert other.post(reverse(f"console:{name}", args=[shared.pk])).status_code == 404
    assert own.name not in words_of(other, "/queue/")


def test_view_is_deleted_and_brought_back(client: Client) -> None:
    view = save(client)

    client.post(reverse("console:view_delete", args=[view.pk]))
    page = client.get("/queue/?view=").content.decode()
    undo = reverse("console:view_restore", args=[view.pk])
    assert f'action="{undo}"' in page
    client.post(undo)
    assert "Urgent" in words_of(client, "/queue/?view=")


def test_name_is_refused_at_its_field_when_it_is_taken(client: Client) -> None:
    save(client)

    refused = client.post("/views/queue/new/", {"name": "Urgent", "query": ""}, headers=HTMX)
    assert refused.status_code == 422
    assert "You have a view of this name already." in refused.content.decode()
    assert client.post("/views/queue/new/", {"name": " ", "query": ""}, headers=HTMX).status_code == 422
    assert client.get("/views/nothing/new/").status_code == 404


def test_everything_works_without_scripts(client: Client) -> None:
    assert "Name" in words_of(client, "/views/queue/new/?query=due%3Dtoday")
    answer = client.post("/views/queue/new/", {"name": "Today", "query": "due=today"}, follow=True)
    assert "Today" in answer.content.decode()
