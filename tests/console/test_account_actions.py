"""What people write on an account: with scripts and without, and who may not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Event, Rating, Touchpoint, User
from common import clock
from playbooks.models import Task
from tests.console.pages import HTMX, client_of, words_of
from tests.factories import AccountFactory, ContactFactory, RatingFactory, TouchpointFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


@pytest.fixture
def account(csm: User) -> Account:
    made: Account = AccountFactory(owner=csm, name="Ostrava Steel")
    return made


def at(name: str, account: Account, *more: int) -> str:
    return reverse(f"console:account_{name}", args=[account.pk, *more])


def call(**changed: object) -> dict[str, object]:
    return {"kind": "call", "summary": "Renewal is safe", "happened_at": "2026-03-02T10:30", **changed}


def test_touchpoint_is_logged_and_taken_back_when_htmx_asks(client: Client, account: Account, csm: User) -> None:
    contact = ContactFactory(account=account, name="Jana Nováková")
    details = call(contact=contact.pk, sentiment="positive", minutes=25, next_step="Send the plan")

    answer = client.post(at("touchpoint", account), details, headers=HTMX)

    logged = Touchpoint.objects.get()
    assert (logged.user, logged.contact, logged.minutes, logged.sentiment) == (csm, contact, 25, "positive")
    assert "Logged on Ostrava Steel: Renewal is safe" in answer.content.decode()
    assert answer["HX-Trigger"] == "dialog-close, account-changed"
    told = words_of(client, at("timeline", account))
    assert "Call with Jana Nováková: Renewal is safe · Maya Lindholm 25 minutes · Next step: Send the plan" in told
    undo = at("touchpoint_withdraw", account, logged.pk)
    assert undo in answer.content.decode()

    undone = client.post(undo, headers=HTMX)

    assert "Taken back: Renewal is safe" in undone.content.decode()
    assert not Touchpoint.objects.exists()
    assert set(Event.objects.values_list("kind", flat=True)) == {"touchpoint.logged", "touchpoint.withdrawn"}
    assert "Renewal is safe" not in words_of(client, at("timeline", account))
    assert client.post(undo, headers=HTMX).status_code == 404


def test_touchpoint_is_logged_without_scripts(client: Client, account: Account) -> None:
    page = client.get(at("touchpoint", account)).content.decode()
    assert "<html" in page
    assert "Touchpoint with Ostrava Steel" in page

    answer = client.post(at("touchpoint", account), call(), follow=True)

    assert answer.redirect_chain == [(f"/accounts/{account.pk}/", 302)]
    assert "Logged on Ostrava Steel: Renewal is safe" in answer.content.decode()


def test_person_returns_where_they_came_from_and_nowhere_else(client: Client, account: Account) -> None:
    for wanted, reached in (("/queue/", "/queue/"), ("https://evil.example/", f"/accounts/{account.pk}/")):
        answer = client.post(at("touchpoint", account), call(next=wanted))
        assert answer["Location"] == reached


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"summary": ""}, "This field is required."),
        ({"summary": "with \x00 in it"}, "Null characters are not allowed."),
        ({"summary": "x" * 301}, "at most 300 characters"),
        ({"kind": "telepathy"}, "is not one of the available choices"),
        ({"minutes": "-5"}, "greater than or equal to 0"),
        ({"happened_at": "yesterday"}, "Enter a valid date/time."),
        ({"happened_at": "0001-01-01T00:00"}, "Choose a time since the year 2000."),
        ({"next_step_on": "soon"}, "Enter a valid date."),
    ],
)
def test_touchpoint_is_refused_at_its_field_and_what_was_typed_is_kept(
    client: Client, account: Account, changed: dict[str, str], told: str
) -> None:
    answer = client.post(at("touchpoint", account), call(body="My long notes", **changed), headers=HTMX)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "<html" not in page
    assert told in page
    assert "field-error" in page
    assert "My long notes" in page
    assert not Touchpoint.objects.exists()


def test_touchpoint_is_refused_when_it_is_still_to_come(client: Client, account: Account) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    answer = client.post(at("touchpoint", account), call(happened_at=tomorrow), headers=HTMX)

    assert answer.status_code == 422
    assert "Choose a time that has passed; what is planned is a task." in answer.content.decode()


def test_contact_of_another_account_is_refused(client: Client, account: Account) -> None:
    answer = client.post(at("touchpoint", account), call(contact=ContactFactory().pk), headers=HTMX)

    assert answer.status_code == 422
    assert not Touchpoint.objects.exists()


def test_empty_post_is_refused(client: Client, account: Account) -> None:
    for name in ("touchpoint", "note", "task", "rate"):
        assert client.post(at(name, account), headers=HTMX).status_code == 422


def test_note_keeps_its_first_line_as_its_summary(client: Client, account: Account) -> None:
    client.post(at("note", account), {"text": "They plan a merger\nTwo teams become one."}, headers=HTMX)
    client.post(at("note", account), {"text": "Short"}, headers=HTMX)
    client.post(at("note", account), {"text": "long " * 100}, headers=HTMX)

    first, second, third = Touchpoint.objects.order_by("id")
    assert (first.kind, first.summary, first.body) == (
        "note",
        "They plan a merger",
        "They plan a merger\nTwo teams become one.",
    )
    assert (second.summary, second.body) == ("Short", "")
    assert (len(third.summary), third.summary[-1], third.body) == (300, "…", ("long " * 100).strip())
    assert "Note: They plan a merger" in words_of(client, at("timeline", account))


def test_account_is_rated_and_the_rating_taken_back_when_htmx_asks(client: Client, account: Account, csm: User) -> None:
    dialog = client.get(at("rate", account), headers=HTMX).content.decode()
    assert "Rate Ostrava Steel" in dialog
    assert dialog.count("autofocus") == 1

    answer = client.post(at("rate", account), {"value": "2", "comment": "Their sponsor is silent"}, headers=HTMX)

    rating = Rating.objects.get()
    assert (rating.account, rating.user, rating.value) == (account, csm, 2)
    assert "Rated Ostrava Steel: Worrying" in answer.content.decode()
    assert answer["HX-Trigger"] == "dialog-close, account-changed"
    page = words_of(client, f"/accounts/{account.pk}/")
    assert "CSM's rating Worrying, 2 of 5 ·" in page
    assert f"· {csm.name} Their sponsor is silent" in page
    assert "Rated 2 of 5, worrying" in words_of(client, at("timeline", account) + "?show=health")
    undo = at("rating_withdraw", account, rating.pk)
    assert undo in answer.content.decode()

    undone = client.post(undo, headers=HTMX)

    assert "Rating of Ostrava Steel taken back: Worrying" in undone.content.decode()
    assert not Rating.objects.exists()
    assert "not rated yet" in words_of(client, f"/accounts/{account.pk}/")
    assert "Rated 2 of 5" not in words_of(client, at("timeline", account))
    assert client.post(undo, headers=HTMX).status_code == 404


def test_account_is_rated_without_scripts_and_only_with_a_known_value(client: Client, account: Account) -> None:
    assert "<html" in client.get(at("rate", account)).content.decode()

    wrong = client.post(at("rate", account), {"value": "6", "comment": "My long notes"})
    right = client.post(at("rate", account), {"value": "5"}, follow=True)

    assert wrong.status_code == 422
    assert "My long notes" in wrong.content.decode()
    assert right.redirect_chain == [(f"/accounts/{account.pk}/", 302)]
    assert "Rated Ostrava Steel: Thriving" in right.content.decode()


def test_rating_is_found_under_its_own_account_only(client: Client, account: Account, csm: User) -> None:
    elsewhere = RatingFactory(user=csm)

    assert client.post(at("rating_withdraw", account, elsewhere.pk), headers=HTMX).status_code == 404


def test_task_is_made_for_oneself(client: Client, account: Account, csm: User) -> None:
    today = clock.now().date()

    answer = client.post(
        at("task", account), {"title": "Ask for a reference", "due": today.isoformat(), "severity": "2"}, headers=HTMX
    )

    task = Task.objects.get()
    assert (task.owner, task.title, task.account) == (csm, "Ask for a reference", account)
    assert "In your queue: Ask for a reference" in answer.content.decode()
    assert "Ask for a reference Made by hand" in words_of(client, at("tasks", account))
    assert "Ask for a reference" in words_of(client, "/queue/")


@pytest.mark.parametrize("due", ["", "2026-02-30", "2020-01-01", "0001-01-01", "9999-12-31"])
def test_task_is_refused_when_its_day_is_wrong(client: Client, account: Account, due: str) -> None:
    answer = client.post(at("task", account), {"title": "Call", "due": due, "severity": "2"}, headers=HTMX)

    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not Task.objects.exists()


def test_touchpoint_of_somebody_else_is_taken_back_by_admins_only(client: Client, account: Account) -> None:
    logged = TouchpointFactory(account=account, user=UserFactory())
    address = at("touchpoint_withdraw", account, logged.pk)

    refused = client.post(address, headers=HTMX)

    assert refused.status_code == 403
    assert "Only the person who logged this, or an admin, can take it back." in refused.content.decode()
    assert client_of(UserFactory(role=User.Role.ADMIN)).post(address).status_code == 302
    assert not Touchpoint.objects.exists()


def test_touchpoint_is_found_under_its_own_account_only(client: Client, account: Account, csm: User) -> None:
    elsewhere = TouchpointFactory(user=csm)

    assert client.post(at("touchpoint_withdraw", account, elsewhere.pk), headers=HTMX).status_code == 404


def test_viewer_reads_and_writes_nothing(account: Account) -> None:
    client = client_of(UserFactory(role=User.Role.VIEWER))
    touchpoint, rating = TouchpointFactory(account=account), RatingFactory(account=account)
    page = client.get(f"/accounts/{account.pk}/").content.decode()
    assert "Ostrava Steel" in page
    assert at("touchpoint", account) not in page
    assert at("rate", account) not in page

    for address in (
        *(at(name, account) for name in ("touchpoint", "note", "task", "rate")),
        at("touchpoint_withdraw", account, touchpoint.pk),
        at("rating_withdraw", account, rating.pk),
    ):
        refused = client.post(address, call(text="x", title="x", value="3"), headers=HTMX)
        assert refused.status_code == 403
        assert "Viewers can read everything and change nothing" in refused.content.decode()
    assert Touchpoint.objects.get() == touchpoint
    assert not Task.objects.exists()
