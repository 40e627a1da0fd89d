"""The list of accounts: what its address asks for is what a person reads."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import Account, User, Workspace
from common import clock
from health.services import compute_health
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    PlanFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    StageFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


def names(client: Client, **query: str) -> list[str]:
    """The accounts in the list, in its order."""
    page = client.get(f"/accounts/?{urlencode(query)}")
    assert page.status_code == 200
    return re.findall(r"data-row-link>([^<]+)</a>", page.content.decode())


def score_by_seats() -> None:
    profile = ProfileFactory(segment=SegmentFactory(key="all", name="Everybody"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(attribute="seats"))
    compute_health(scope=Scope.everything(), now=clock.now())


def test_list_shows_what_is_true_of_each_account(client: Client, csm: User) -> None:
    account = AccountFactory(
        name="Ostrava Steel",
        owner=csm,
        seats=90,
        plan=PlanFactory(name="Team"),
        stage=StageFactory(name="Adoption"),
    )
    SubscriptionFactory(account=account, mrr=1200)
    score_by_seats()

    words = words_of(client, "/accounts/")

    assert "Ostrava Steel 90 Good Adoption Team Maya Lindholm $1,200 – –" in words
    assert "1–1 of 1" in words
    assert "Account Health Stage Plan CSM MRR Renewal date Days since last touch Ostrava Steel" in words


def test_filters_narrow_the_list_together(client: Client, csm: User) -> None:
    team, stage = PlanFactory(key="team"), StageFactory(key="adoption")
    today = Workspace.current().day(clock.now())
    wanted = AccountFactory(name="Wanted", owner=csm, seats=10, plan=team, stage=stage)
    SubscriptionFactory(account=wanted, renews_on=today + timedelta(days=20))
    AccountFactory(name="Healthy", owner=csm, seats=90)
    AccountFactory(name="Not mine", seats=10)
    AccountFactory(name="Scoreless", owner=csm)
    AccountFactory(name="Ended", owner=csm, ended_at=clock.now())
    score_by_seats()

    for query, expected in (
        ({}, ["Healthy", "Not mine", "Scoreless", "Wanted"]),
        ({"csm": "me"}, ["Healthy", "Scoreless", "Wanted"]),
        ({"csm": "me", "band": "poor"}, ["Wanted"]),
        ({"band": "none"}, ["Scoreless"]),
        ({"renewal": "30"}, ["Wanted"]),
        ({"renewal": "none"}, ["Healthy", "Not mine", "Scoreless"]),
        ({"plan": "team", "stage": "adoption"}, ["Wanted"]),
        ({"segment": "all", "band": "good"}, ["Healthy"]),
        ({"q": "MINE"}, ["Not mine"]),
        ({"q": "%"}, []),
        ({"state": "ended"}, ["Ended"]),
        ({"state": "all", "csm": "me"}, ["Ended", "Healthy", "Scoreless", "Wanted"]),
        ({"band": "wonderful"}, ["Healthy", "Not mine", "Scoreless", "Wanted"]),
    ):
        assert names(client, **query) == expected, query


def test_any_attribute_narrows_the_list_by_a_condition(client: Client) -> None:
    AccountFactory(name="Large", seats=500)
    AccountFactory(name="Small", seats=5)
    condition = json.dumps({"attribute": "seats", "operator": "gte", "value": 100})

    assert names(client, condition=condition) == ["Large"]
    assert names(client, condition=condition, q="small") == []


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{", "This is not JSON; check its quotes, commas and brackets."),
        ("[" * 5000, "This is not JSON"),
        ('{"attribute": "nope", "operator": "is", "value": 1}', "There is no attribute “nope”."),
        ('{"attribute": "seats", "operator": "gte", "value": "many"}', "At value:"),
        ('{"attribute": "name", "operator": "is", "value": "\\u0000"}', "field-error"),
        ('{"attribute": "seats", "operator": "gte", "value": 1e400}', "field-error"),
        ("17", "field-error"),
    ],
)
def test_wrong_condition_is_said_at_the_field_and_kept(client: Client, condition: str, told: str) -> None:
    AccountFactory(name="Ostrava Steel")

    page = client.get(f"/accounts/?{urlencode({'condition': condition})}").content.decode()
    part = client.get(
        f"/accounts/?{urlencode({'condition': condition})}", headers={**HTMX, "HX-Target": "accounts"}
    ).content.decode()

    assert told in page
    assert "field-error" in page
    assert 'aria-invalid="true"' in page
    assert "Ostrava Steel" not in page
    assert "What is wrong stands at the condition above." in page
    assert 'id="condition_notes" hx-swap-oob="true"' in part
    assert told in part


def test_list_is_sorted_by_any_column_with_missing_values_last(client: Client) -> None:
    for name, mrr in (("Acme", 50), ("Borealis", 900), ("Cedar", None)):
        account = AccountFactory(name=name, seats=7 if name == "Borealis" else None)
        if mrr:
            SubscriptionFactory(account=account, mrr=mrr)

    assert names(client) == ["Acme", "Borealis", "Cedar"]
    assert names(client, sort="-name") == ["Cedar", "Borealis", "Acme"]
    assert names(client, sort="mrr") == ["Cedar", "Acme", "Borealis"]
    assert names(client, sort="-mrr") == ["Borealis", "Acme", "Cedar"]
    assert names(client, sort="seats") == names(client, sort="-seats") == ["Borealis", "Acme", "Cedar"]
    assert names(client, sort="nonsense") == ["Acme", "Borealis", "Cedar"]
    page = client.get("/accounts/?sort=-mrr").content.decode()
    assert 'aria-sort="descending"' in page
    assert '<input type="hidden" name="sort" value="-mrr" form="account-filter">' in page


def test_columns_are_chosen_and_kept_in_the_address(client: Client) -> None:
    AccountFactory(name="Ostrava Steel", seats=41, industry="Metal")

    page = client.get("/accounts/?column=seats&column=industry&column=nonsense&sort=seats")
    words = words_of(client, "/accounts/?columns=seats,industry")
    part = client.get("/accounts/?column=seats&column=industry&q=", headers={**HTMX, "HX-Target": "accounts"})

    assert "?sort=-seats&amp;columns=seats%2Cindustry" in page.content.decode()
    assert "Account Seats Industry Ostrava Steel 41 Metal" in words
    assert part["HX-Push-Url"] == "/accounts/?columns=seats%2Cindustry"
    assert "<html" not in part.content.decode()


def test_list_has_pages(client: Client) -> None:
    for n in range(53):
        AccountFactory(name=f"Account {n:02}")

    assert len(names(client)) == 50
    assert names(client, **{"from": "50"}) == ["Account 50", "Account 51", "Account 52"]
    assert "1–50 of 53" in words_of(client, "/accounts/")
    assert 'href="?from=50"' in client.get("/accounts/").content.decode()
    assert "51–53 of 53" in words_of(client, "/accounts/?from=50")
    for wrong in ("-1", "abc", "%00", "9" * 30, "5000"):
        assert names(client, **{"from": wrong})[0] == "Account 00"


def test_empty_lists_say_why(client: Client) -> None:
    assert "No accounts yet" in words_of(client, "/accounts/")
    AccountFactory()
    assert "No account is like that" in words_of(client, "/accounts/?q=zzz")
    assert "No account is like that" in words_of(client, "/accounts/?q=%00")


def test_another_book_is_not_listed_when_csms_see_only_their_own() -> None:
    AccountFactory(name="Not for you")
    csm = only_own_book()
    AccountFactory(name="For you", owner=csm)
    client = client_of(csm)

    assert names(client) == ["For you"]
    assert names(client, state="all", q="Not for") == []
    assert names(client, condition='{"all": []}') == ["For you"]


def test_stranger_is_asked_to_sign_in() -> None:
    assert Client().get("/accounts/")["Location"].startswith("/user/login/")


def test_queries_stay_the_same_when_the_list_is_longer(client: Client, csm: User) -> None:
    stage, plan = StageFactory(), PlanFactory()

    def add(count: int) -> None:
        for _ in range(count):
            SubscriptionFactory(account=AccountFactory(owner=csm, stage=stage, plan=plan))

    add(5)
    queries_of(client, "/accounts/")
    few = queries_of(client, "/accounts/")
    add(45)
    assert Account.objects.count() == 50

    assert queries_of(client, "/accounts/") == few
    assert few <= 20
