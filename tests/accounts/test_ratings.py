"""How the staff feel about accounts: given, taken back, read as attributes, told by files and the API."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.conditions import matching
from accounts.models import Account, Event, EventInbox, Rating, Touched, User
from accounts.services.ratings import rate_account, withdraw_rating
from common.errors import Conflict, DomainError, NotAllowed
from tests.api.clients import api, send
from tests.console.pages import client_of, only_own_book, words_of
from tests.factories import NOW, AccountFactory, RatingFactory, UserFactory
from tests.facts import read_at_once, values_of
from tests.integrations.files import counts, refusals, table, take

pytestmark = pytest.mark.django_db

KEYS = ("rating.csm", "rating.days_since")


def test_latest_rating_counts_and_tells_its_age() -> None:
    account = AccountFactory()
    for days, value in ((40, 5), (3, 2), (90, 1)):
        RatingFactory(account=account, value=value, rated_at=NOW - timedelta(days=days))
    RatingFactory(account=account, value=4, rated_at=NOW + timedelta(days=1))

    assert values_of(account, *KEYS) == (2, 3)
    assert values_of(account, *KEYS, now=NOW - timedelta(days=10)) == (5, 30)


def test_later_of_two_counts_when_they_were_given_at_the_same_time() -> None:
    account = AccountFactory()
    for value in (2, 5):
        RatingFactory(account=account, value=value, rated_at=NOW)

    assert values_of(account, "rating.csm") == 5


def test_rating_is_unknown_when_nobody_rated() -> None:
    assert values_of(AccountFactory(), *KEYS) == (None, None)


def test_ratings_are_read_for_many_accounts_in_one_query() -> None:
    accounts = AccountFactory.create_batch(3)
    RatingFactory(account=accounts[0], value=1)
    RatingFactory(account=accounts[2], value=5, rated_at=NOW - timedelta(days=2))

    assert read_at_once(accounts, *KEYS) == ([(1, 0), (None, None), (5, 2)], 1)


def test_accounts_are_found_and_listed_by_their_rating() -> None:
    worrying = RatingFactory(value=2, account__name="Worry").account
    RatingFactory(value=5, account__name="Joy")
    condition = {"attribute": "rating.csm", "operator": "lte", "value": 2}

    assert list(matching(Account.objects.all(), condition, now=NOW)) == [worrying]
    words = words_of(client_of(UserFactory()), "/accounts/?columns=rating.csm&sort=-rating.csm")
    assert "CSM's rating" in words.replace("&#x27;", "'")
    assert words.index("Joy") < words.index("Worry")


def test_rating_is_an_event_and_touches_the_account() -> None:
    account, csm = AccountFactory(), UserFactory()

    rating = rate_account(account=account, user=csm, value=4, comment="They renewed early", now=NOW)

    event = Event.objects.get()
    assert (event.kind, event.user, event.happened_at) == ("account.rated", csm, NOW)
    assert event.data == {"rating": rating.pk, "value": 4}
    assert list(Touched.objects.values_list("account", flat=True)) == [account.pk]
    assert EventInbox.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"value": 0}, "value"), ({"value": 6}, "value"), ({"rated_at": NOW + timedelta(1)}, "rated_at")],
)
def test_rating_is_refused_when_it_cannot_be(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        rate_account(**{"account": AccountFactory(), "user": None, "value": 3, "now": NOW, **wrong})

    assert list(refused.value.fields) == [field]
    assert not Rating.objects.exists()


def test_database_refuses_a_sixth_value() -> None:
    with pytest.raises(IntegrityError, match="accounts_rating_1_to_5"), transaction.atomic():
        RatingFactory(value=6)


def test_rating_is_taken_back_by_its_author_or_an_admin_once() -> None:
    csm, account = UserFactory(), AccountFactory()
    before = RatingFactory(account=account, value=5, rated_at=NOW - timedelta(days=1))
    rating = rate_account(account=account, user=csm, value=1, now=NOW)

    with pytest.raises(NotAllowed):
        withdraw_rating(rating=rating, by=UserFactory(role=User.Role.LEADER), now=NOW)
    withdraw_rating(rating=rating, by=csm, now=NOW)
    withdraw_rating(rating=before, by=UserFactory(role=User.Role.ADMIN), now=NOW)

    assert values_of(account, "rating.csm") is None
    with pytest.raises(Conflict):
        withdraw_rating(rating=rating, by=csm, now=NOW)
    kinds = Event.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["account.rated", "account.rating_withdrawn", "account.rating_withdrawn"]
    assert not Event.objects.standing().exists()


# The API


def test_account_is_rated_over_the_api() -> None:
    csm, account = UserFactory(), AccountFactory()

    made = send(api(csm), "/api/v1/ratings/", {"account": account.pk, "value": 2, "comment": "Silence"})

    assert made.status_code == 201, made.content
    rating = Rating.objects.get()
    assert (rating.user, rating.value, rating.comment) == (csm, 2, "Silence")
    listed = api(csm).get(f"/api/v1/ratings/?account={account.pk}").json()["results"]
    assert [row["value"] for row in listed] == [2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": 9}, "value"),
        ({"value": "good"}, "value"),
        ({}, "value"),
        ({"value": 3, "rated_at": "2200-01-01T00:00:00Z"}, "rated_at"),
        ({"value": 3, "comment": "a\u0000b"}, "comment"),
    ],
)
def test_rating_is_refused_with_its_field_over_the_api(body: dict[str, Any], field: str) -> None:
    refused = send(api(UserFactory()), "/api/v1/ratings/", {"account": AccountFactory().pk, **body})

    assert refused.status_code == 400, refused.content
    assert list(refused.json()["fields"]) == [field]
    assert not Rating.objects.exists()


def test_account_outside_the_book_is_not_rated() -> None:
    account, client = AccountFactory(), api(only_own_book())

    assert send(client, "/api/v1/ratings/", {"account": account.pk, "value": 3}).status_code == 400
    assert client.get(f"/api/v1/ratings/{RatingFactory().pk}/").status_code == 404


# Files


def test_file_tells_ratings_and_the_same_file_changes_nothing(tmp_path: Path) -> None:
    account, csm = AccountFactory(external_id="A-1"), UserFactory(email="maya@example.com")
    names = ["external_id", "account", "value", "rated_at", "user", "comment"]
    lines = [
        ["R-1", "A-1", "4", "2026-01-10", "maya@example.com", "Calm"],
        ["R-2", "A-1", "7", "2026-01-10", "", ""],
        ["R-3", "A-1", "2", "2026-03-16", "", ""],
    ]
    mapping = {"importer": "ratings", "fields": {name: name for name in names}}
    path = table(tmp_path / "rows.csv", names, lines)

    first, again = take(path, mapping), take(path, mapping)

    assert (counts(first), counts(again)) == ((2, 0, 0, 1), (0, 0, 2, 1))
    assert refusals(first) == [(3, "value", "out_of_range")]
    kept = Rating.objects.get(external_id="R-1")
    assert (kept.account, kept.user, kept.value, kept.comment) == (account, csm, 4, "Calm")
    assert Event.objects.filter(kind="account.rated").count() == 2
    assert EventInbox.objects.values("event").distinct().count() == 1
