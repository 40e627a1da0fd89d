"""Starting a playbook by hand on an account and from the list, with the number said before and a way back after."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Event, User
from common import clock
from playbooks.models import Playbook, Run, RunStep
from tests.console.pages import HTMX, client_of, only_own_book, words_of
from tests.factories import AccountFactory, PlaybookFactory, UserFactory
from tests.playbooks.cases import published

pytestmark = pytest.mark.django_db

BY_HAND: dict[str, Any] = {"entry": {"kind": "manual"}, "steps": [{"id": "wait", "kind": "wait", "days": 7}]}


@pytest.fixture
def csm() -> Client:
    return client_of(UserFactory())


@pytest.fixture
def playbook() -> Playbook:
    return published(BY_HAND, key="talk", name="Talk to them", now=clock.now())


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_account_enters_and_is_taken_out_again(csm: Client, playbook: Playbook) -> None:
    PlaybookFactory(name="Never published")
    account = AccountFactory(name="Ostrava Steel")
    url = f"/accounts/{account.pk}/playbooks/new/"
    assert "Never published" not in text_of(csm.get(url, headers=HTMX))

    done = csm.post(url, {"playbook": playbook.pk}, headers=HTMX)

    run = Run.objects.get(account=account)
    assert "Ostrava Steel entered “Talk to them”" in text_of(done)
    undo = f"/accounts/{account.pk}/playbooks/{run.pk}/take-out/"
    assert undo in done.content.decode()
    csm.post(undo, headers=HTMX)
    run.refresh_from_db()
    assert run.state == Run.State.EXITED


def test_account_that_is_in_it_already_is_told_at_the_field(csm: Client, playbook: Playbook) -> None:
    account = AccountFactory(name="Ostrava Steel")
    url = f"/accounts/{account.pk}/playbooks/new/"
    csm.post(url, {"playbook": playbook.pk})

    again = csm.post(url, {"playbook": playbook.pk}, headers=HTMX)

    assert again.status_code == 422
    assert "Ostrava Steel cannot enter: it is in the playbook already." in text_of(again)


def test_selected_accounts_enter_after_their_number_was_said(csm: Client, playbook: Playbook) -> None:
    one, two, inside = (AccountFactory(name=name) for name in ("One", "Two", "Inside"))
    csm.post(f"/accounts/{inside.pk}/playbooks/new/", {"playbook": playbook.pk})
    url = f"/accounts/playbook/?account={one.pk}&account={two.pk}&account={inside.pk}"
    assert "3 accounts would enter : Inside, One, Two" in text_of(csm.get(url, headers=HTMX))

    done = csm.post(url, {"playbook": playbook.pk}, headers=HTMX)

    assert "2 accounts entered “Talk to them”" in text_of(done)
    assert "1: it is in the playbook already" in text_of(done)
    [at] = re.findall(r'name="at" value="([^"]+)"', done.content.decode())
    taken = csm.post("/playbooks/talk/take-out/", {"at": at.replace("&#x2B;", "+")}, headers=HTMX)
    assert "2 accounts were taken out of “Talk to them” again." in text_of(taken)
    assert set(Run.objects.live().values_list("account__name", flat=True)) == {"Inside"}
    assert Event.objects.filter(kind="playbook.exited").count() == 2
    assert RunStep.objects.filter(kind="exit", position=1).count() == 2
    assert csm.post("/playbooks/talk/take-out/", {"at": at.replace("&#x2B;", "+")}).status_code == 409
    assert csm.post("/playbooks/talk/take-out/", {"at": "yesterday"}).status_code == 404


def test_all_that_a_filter_shows_enter(csm: Client, playbook: Playbook) -> None:
    AccountFactory(name="North one")
    AccountFactory(name="North two")
    AccountFactory(name="South")
    assert 'href="/accounts/playbook/?q=north"' in csm.get("/accounts/?q=north&sort=-mrr").content.decode()

    done = csm.post("/accounts/playbook/?q=north", {"playbook": playbook.pk})

    assert "2 accounts entered “Talk to them”" in text_of(done)
    assert not Run.objects.filter(account__name="South").exists()


def test_others_accounts_do_not_enter_when_csms_see_only_their_book(playbook: Playbook) -> None:
    csm = only_own_book()
    mine, other = AccountFactory(owner=csm, name="Mine"), AccountFactory()
    client = client_of(csm)

    client.post(f"/accounts/playbook/?account={mine.pk}&account={other.pk}", {"playbook": playbook.pk})

    assert [run.account for run in Run.objects.all()] == [mine]
    assert client.get(f"/accounts/{other.pk}/playbooks/new/").status_code == 404


def test_viewers_start_nothing(playbook: Playbook) -> None:
    account = AccountFactory()
    viewer = client_of(UserFactory(role=User.Role.VIEWER))

    assert viewer.post(f"/accounts/{account.pk}/playbooks/new/", {"playbook": playbook.pk}).status_code == 403
    assert viewer.post(f"/accounts/playbook/?account={account.pk}", {"playbook": playbook.pk}).status_code == 403
    assert "Start a playbook" not in words_of(viewer, "/accounts/")
    assert not Run.objects.exists()
