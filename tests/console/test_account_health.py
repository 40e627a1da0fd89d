"""The health section of an account: history, what changed between two days, the reasons of any day."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from accounts.attributes import Scope
from accounts.models import Account, User, Workspace
from common import clock
from health.services import compute_health, create_measure, open_draft, publish, update_profile
from tests.console.health_account import account_with_a_past
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import AccountFactory, UserFactory

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
    return account_with_a_past(owner=csm, now=clock.now(), days=24)


def page_of(account: Account) -> str:
    return reverse("console:account_health", args=[account.pk])


def back(days: int) -> date:
    return Workspace.current().day(clock.now()) - timedelta(days=days)


def test_history_tells_versions_and_overrides(client: Client, account: Account) -> None:
    words = words_of(client, page_of(account))

    assert "Version 2 took effect: Tickets are harder" in words
    assert "Maya Lindholm set the score to 82 by hand" in words
    assert "Dashed: what the formula computed beneath a score set by hand" in words


def test_change_is_told_in_sentences_and_adds_up_by_measure_and_cause(client: Client, account: Account) -> None:
    words = words_of(client, f"{page_of(account)}?since={back(20)}&until={back(8)}")

    assert "The way the score is computed changed: version 2 (“Tickets are harder”) took 4.4 points away." in words
    assert "Open tickets rose from 0 to 2, a change for the worse that took 6.7 points away." in words
    assert "By the account By the formula" in words
    assert "Set by hand" not in words.partition("What changed")[2].partition("What makes")[0]


def test_reasons_of_a_day_are_those_of_that_day(client: Client, account: Account) -> None:
    words = words_of(client, f"{page_of(account)}?on={back(20)}")

    reasons = words.partition("What made the score on")[2]
    assert "Seats taken 70 " in reasons
    assert "Open tickets 0 100" in reasons
    assert "Set by hand" not in reasons


def test_other_score_is_opened_by_its_key(client: Client, account: Account) -> None:
    words = words_of(client, f"{page_of(account)}?score=fit")

    assert "Product fit fell from" in words
    assert "The score “Product fit” is" in words
    assert "Open tickets" not in words.partition("What makes the score")[2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=soon", "Enter a valid date."),
        ("since=2999-01-01", "This day is still to come; choose today or one before."),
        ("since=2026-02-01&until=2026-01-01", "Choose a day that is not before the first one."),
        ("on=never", "Enter a valid date."),
        (f"since={quote(chr(0))}&score=none&period=decade", "Enter a valid date."),
    ],
)
def test_days_that_are_none_are_refused_at_their_field(client: Client, account: Account, asked: str, said: str) -> None:
    assert said in words_of(client, f"{page_of(account)}?{asked}")


def test_section_is_for_who_may_see_the_account_and_answers_htmx_in_part(client: Client, account: Account) -> None:
    part = client.get(page_of(account), headers={**HTMX, "HX-Target": "account"}).content.decode()

    assert part.lstrip().startswith("<title>Ostrava Steel · Health</title>")
    assert client_of(only_own_book()).get(page_of(account)).status_code == 404


def test_nothing_is_claimed_of_an_account_without_a_score(client: Client, csm: User) -> None:
    words = words_of(client, page_of(AccountFactory(owner=csm)))

    assert "No score yet" in words
    assert "What changed" not in words


def test_queries_do_not_grow_with_history_and_measures(client: Client, account: Account) -> None:
    few = queries_of(client, page_of(account))
    now = clock.now()
    draft = open_draft(by=None, now=now)
    for n in range(8):
        create_measure(draft=draft, key=f"more-{n}", label=f"{n}", attribute="seats", curve=[[0, 0], [9, 9]], now=now)
    weights = {measure.key: 1 for measure in draft.measures.all()}
    update_profile(profile=draft.profiles.get(named__key="overall"), weights=weights, now=now)
    publish(draft=draft, by=None, note="Much more", now=now)
    for ahead in range(1, 10):
        compute_health(scope=Scope.everything(), now=clock.now() - timedelta(days=30 + ahead))
    compute_health(scope=Scope.everything(), now=clock.now())

    assert queries_of(client, page_of(account)) <= few
    assert few <= 70
