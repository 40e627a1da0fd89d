"""Opportunities: opened by people, programs and playbooks, won or lost, and never twice for one reason."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Account, Event, User
from common.errors import Conflict, DomainError
from revenue.models import Opportunity
from revenue.services import close_opportunity, open_opportunity
from tests.api.clients import api, send
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import NOW, AccountFactory, UserFactory
from tests.facts import read_at_once, values_of

pytestmark = pytest.mark.django_db

KEYS = ("opportunities.open", "opportunities.open_amount")


def opened(account: Account | None = None, **fields: Any) -> Opportunity:
    given: dict[str, Any] = {
        "account": account or AccountFactory(),
        "name": "More seats",
        "kind": "upsell",
        "amount": Decimal(1000),
        "currency": "USD",
        "owner": None,
        "expected_on": None,
        "by": None,
        "now": NOW,
    }
    return open_opportunity(**{**given, **fields})


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_one_opportunity_is_opened_when_one_reason_is_told_twice() -> None:
    account = AccountFactory()

    assert opened(account, key="run:1:sell") == opened(account, key="run:1:sell", name="Other")

    assert kinds() == ["opportunity.opened"]
    opened(account)
    opened(account)
    assert account.opportunities.count() == 3


def test_it_ends_once_and_says_how() -> None:
    one = opened()

    won = close_opportunity(opportunity=one, is_won=True, outcome="They grow", by=None, now=NOW)

    assert (won.stage, won.closed_at, won.outcome) == ("won", NOW, "They grow")
    with pytest.raises(Conflict, match="“More seats” is closed already: Won"):
        close_opportunity(opportunity=one, is_won=False, outcome="", by=None, now=NOW)
    assert kinds() == ["opportunity.opened", "opportunity.won"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"currency": "XYZ"}, "currency"),
        ({"name": " "}, "name"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"expected_on": NOW.date().replace(year=9999)}, "expected_on"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        opened(**fields)

    assert list(refused.value.fields) == [field]
    assert not Opportunity.objects.exists()


def test_database_refuses_a_decided_one_without_its_time() -> None:
    one = opened()
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=one.pk).update(stage="won")
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=one.pk).update(closed_at=NOW)


def test_open_ones_are_facts_of_the_account_in_one_query() -> None:
    accounts = AccountFactory.create_batch(2)
    opened(accounts[0])
    opened(accounts[0], amount=None)
    close_opportunity(opportunity=opened(accounts[0]), is_won=False, outcome="", by=None, now=NOW)

    assert values_of(accounts[0], *KEYS) == (2, 1000)
    assert read_at_once(accounts, *KEYS) == ([(2, 1000), (0, 0)], 1)


def test_api_opens_changes_and_closes_within_what_its_key_may_see() -> None:
    csm = UserFactory(role=User.Role.CSM)
    only_own_book()
    mine, other = AccountFactory(owner=csm), AccountFactory()
    foreign = opened(other)
    client = api(csm)
    body = {"account": mine.pk, "name": "Chat", "kind": "cross_sell", "amount": "900.00", "currency": "USD"}

    made = send(client, "/api/v1/opportunities/", body, "post")
    assert made.status_code == 201
    url = f"/api/v1/opportunities/{made.json()['id']}/"
    changed = send(client, url, {"stage": "won", "outcome": "Signed", "opened_by": None, "closed_at": None}, "patch")

    assert changed.json()["closed_at"] is not None
    assert Opportunity.objects.get(pk=made.json()["id"]).opened_by == csm
    assert send(client, url, {"stage": "open"}, "patch").json()["closed_at"] is None
    assert kinds()[1:] == ["opportunity.opened", "opportunity.won", "opportunity.reopened"]
    assert client.get(f"/api/v1/opportunities/{foreign.pk}/").status_code == 404
    assert send(client, "/api/v1/opportunities/", {**body, "account": other.pk}, "post").status_code == 400
    assert send(client, "/api/v1/opportunities/", {**body, "amount": "-1"}, "post").status_code == 400
    assert len(client.get("/api/v1/opportunities/").json()["results"]) == 1


@pytest.fixture
def csm() -> Client:
    return client_of(UserFactory(role=User.Role.CSM, name="Anna Berg"))


def test_list_shows_the_soonest_first_and_narrows(csm: Client) -> None:
    anna = User.objects.get(name="Anna Berg")
    opened(name="Later", expected_on=NOW.date() + timedelta(days=90))
    opened(name="Sooner", expected_on=NOW.date() + timedelta(days=9), owner=anna, kind="renewal")
    close_opportunity(opportunity=opened(name="Gone"), is_won=False, outcome="Too dear", by=None, now=NOW)

    words = words_of(csm, "/opportunities/")
    assert words.index("Sooner") < words.index("Later")
    assert "2 opportunities, $2.0k" in words
    assert "Gone" not in words
    assert "Later" not in words_of(csm, f"/opportunities/?owner={anna.pk}")
    assert "Later" not in words_of(csm, "/opportunities/?kind=renewal")
    assert "Gone" in words_of(csm, "/opportunities/?state=lost&from=x&owner=0&kind=z")
    assert "Too dear" in words_of(csm, "/opportunities/?state=lost")


def test_list_is_read_a_page_at_a_time_with_as_many_statements(csm: Client) -> None:
    opened()
    queries_of(csm, "/opportunities/")
    few = queries_of(csm, "/opportunities/")
    for number in range(51):
        opened(name=f"Number {number}")

    assert queries_of(csm, "/opportunities/") == few
    assert "1–50 of 52" in words_of(csm, "/opportunities/")
    assert "51–52 of 52" in words_of(csm, "/opportunities/?from=50")


def test_opportunity_is_opened_and_decided_on_the_account(csm: Client) -> None:
    account = AccountFactory(name="Nordlicht")
    page = f"/accounts/{account.pk}/opportunities/new/"
    typed = {"name": "More seats", "kind": "upsell", "amount": "1200", "stage": "open", "outcome": ""}

    assert csm.post(page, {**typed, "amount": "-1"}, headers=HTMX).status_code == 422
    csm.post(page, typed, headers=HTMX)
    one = Opportunity.objects.get()
    assert "More seats" in words_of(csm, f"/accounts/{account.pk}/revenue/")
    answer = csm.post(f"/opportunities/{one.pk}/", {**typed, "stage": "won", "outcome": "They grow"}, headers=HTMX)

    one.refresh_from_db()
    assert (one.stage, one.amount) == ("won", 1200)
    assert "Nordlicht, “More seats”: Won" in answer.content.decode()
    timeline = words_of(csm, f"/accounts/{account.pk}/timeline/")
    assert "Opportunity won: More seats" in timeline
    assert "$1,200" in timeline


def test_viewer_reads_and_changes_nothing_and_strangers_see_nothing() -> None:
    one = opened()
    viewer = client_of(UserFactory(role=User.Role.VIEWER))
    assert "More seats" in viewer.get(f"/opportunities/{one.pk}/", headers=HTMX).content.decode()
    assert viewer.post(f"/opportunities/{one.pk}/", {"name": "X"}).status_code == 403
    assert viewer.get(f"/accounts/{one.account_id}/opportunities/new/").status_code == 403

    stranger = client_of(UserFactory(role=User.Role.CSM))
    only_own_book()
    assert stranger.get(f"/opportunities/{one.pk}/").status_code == 404
    assert stranger.post(f"/opportunities/{one.pk}/", {"name": "X"}).status_code == 404
    assert "More seats" not in words_of(stranger, "/opportunities/")
