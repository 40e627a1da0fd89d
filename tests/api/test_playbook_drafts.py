"""The draft of a playbook, and starting it by hand, over the REST API."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from common import clock
from playbooks.models import Playbook, Run
from playbooks.services import publish
from tests.api.clients import api, send
from tests.console.pages import only_own_book
from tests.factories import AccountFactory, PlaybookFactory, UserFactory

pytestmark = pytest.mark.django_db

BY_HAND: dict[str, Any] = {"entry": {"kind": "manual"}, "steps": [{"id": "wait", "kind": "wait", "days": 7}]}


@pytest.fixture
def boss() -> User:
    made: User = UserFactory(role=User.Role.ADMIN)
    return made


@pytest.fixture
def admin(boss: User) -> Client:
    return api(boss)


def live(definition: dict[str, Any] = BY_HAND) -> Playbook:
    playbook: Playbook = PlaybookFactory()
    publish(playbook=playbook, definition=definition, author=None, note="", now=clock.now())
    return playbook


def entered(client: Client, playbook: Playbook, body: dict[str, Any]) -> Any:
    return send(client, f"/api/v1/playbooks/{playbook.pk}/enter/", body)


def test_draft_is_saved_read_and_dropped_by_its_number(admin: Client, boss: User) -> None:
    url = f"/api/v1/playbooks/{PlaybookFactory().pk}/draft/"

    assert admin.get(url).json() == {"definition": None, "number": 0, "saved_by": None, "saved_at": None}
    saved = send(admin, url, {"definition": BY_HAND, "number": 0}, method="put")
    assert saved.status_code == 200, saved.content
    assert (saved.json()["definition"], saved.json()["number"], saved.json()["saved_by"]) == (BY_HAND, 1, boss.email)
    late = send(admin, url, {"definition": BY_HAND, "number": 0}, method="put")
    assert (late.status_code, late.json()["code"]) == (409, "draft_changed")
    dropped = send(admin, url, {"number": 1}, method="delete")
    assert dropped.json()["definition"] is None


def test_draft_that_cannot_work_is_refused_at_its_step(admin: Client) -> None:
    url = f"/api/v1/playbooks/{PlaybookFactory().pk}/draft/"
    wrong = {**BY_HAND, "steps": [{"id": "wait", "kind": "wait", "days": -1}]}

    refused = send(admin, url, {"definition": wrong, "number": 0}, method="put")

    assert refused.status_code == 400
    assert refused.json()["fields"] == {"steps[0].days": "Give a whole number from 1 to 3650."}


def test_only_admins_write_a_draft() -> None:
    url = f"/api/v1/playbooks/{PlaybookFactory().pk}/draft/"
    csm = api(UserFactory())

    assert csm.get(url).status_code == 200
    assert send(csm, url, {"definition": BY_HAND, "number": 0}, method="put").status_code == 403


def test_accounts_enter_by_hand_and_the_others_are_told_why_not(admin: Client) -> None:
    playbook = live()
    fresh, inside = AccountFactory(), AccountFactory()
    ended = AccountFactory(ended_at=clock.now())
    entered(admin, playbook, {"accounts": [inside.pk]})

    answer = entered(admin, playbook, {"accounts": [fresh.pk, inside.pk, ended.pk, 987654]})

    assert answer.status_code == 200, answer.content
    run = Run.objects.get(account=fresh)
    assert answer.json()["entered"] == [{"account": fresh.pk, "run": run.pk}]
    assert {one["account"]: one["reason"] for one in answer.json()["held_back"]} == {
        inside.pk: "in_it",
        ended.pk: "ended",
        987654: "unknown",
    }


def test_account_in_another_playbook_with_a_priority_is_held_back(admin: Client) -> None:
    account = AccountFactory()
    entered(admin, live({**BY_HAND, "priority": 1}), {"accounts": [account.pk]})

    answer = entered(admin, live({**BY_HAND, "priority": 9}), {"accounts": [account.pk]})

    assert [one["reason"] for one in answer.json()["held_back"]] == ["elsewhere"]


def test_accounts_for_which_a_condition_holds_enter_by_hand(admin: Client) -> None:
    small = AccountFactory(seats=2)
    AccountFactory(seats=20)

    answer = entered(admin, live(), {"condition": {"attribute": "seats", "operator": "lt", "value": 5}})

    assert [one["account"] for one in answer.json()["entered"]] == [small.pk]


@pytest.mark.parametrize("body", [{}, {"accounts": []}, {"accounts": [1], "condition": {"all": []}}, {"accounts": "x"}])
def test_request_that_says_not_whom_is_refused(admin: Client, body: dict[str, Any]) -> None:
    assert entered(admin, live(), body).status_code == 400


def test_playbook_that_is_not_on_is_not_started(admin: Client) -> None:
    assert entered(admin, PlaybookFactory(), {"accounts": [AccountFactory().pk]}).status_code == 409


def test_csm_starts_it_for_the_own_book_only() -> None:
    csm = only_own_book()
    mine, other = AccountFactory(owner=csm), AccountFactory()

    answer = entered(api(csm), live(), {"accounts": [mine.pk, other.pk]}).json()

    assert [one["account"] for one in answer["entered"]] == [mine.pk]
    assert [one["reason"] for one in answer["held_back"]] == ["unknown"]
    assert entered(api(UserFactory(role=User.Role.VIEWER)), live(), {"accounts": [mine.pk]}).status_code == 403
    assert Account.objects.count() == 2
