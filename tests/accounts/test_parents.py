"""Accounts below accounts: set by files and the API, never in a circle, and seen on the page."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Touched, User
from accounts.services.accounts import save_account
from common.errors import DomainError
from tests.api.clients import api, send
from tests.console.pages import client_of, only_own_book, words_of
from tests.factories import NOW, AccountFactory, SubscriptionFactory, UserFactory
from tests.facts import read_at_once, values_of
from tests.integrations.files import counts, refusals, table, take

pytestmark = pytest.mark.django_db


def family(*names: str) -> list[Account]:
    """Accounts with these external ids, each below the one before it."""
    found: list[Account] = []
    for name in names:
        found.append(AccountFactory(external_id=name, name=name, parent=found[-1] if found else None))
    return found


def above() -> dict[str, str | None]:
    """The external id of each account's parent."""
    return dict(Account.objects.order_by("external_id").values_list("external_id", "parent__external_id"))


# Attributes


def test_parent_and_children_are_attributes() -> None:
    top, middle = family("top", "middle")
    lowest = AccountFactory.create_batch(2, parent=middle)
    AccountFactory(parent=middle, ended_at=NOW)

    found, queries = read_at_once([top, middle, lowest[0]], "parent", "children")

    assert found == [(None, 1), ("top", 2), ("middle", 0)]
    assert queries == 1
    assert values_of(AccountFactory(), "parent", "children") == (None, 0)


# The API


def test_account_is_put_below_another_and_taken_out_over_the_api() -> None:
    old, new, child = AccountFactory(), AccountFactory(), AccountFactory()
    client = api(UserFactory(role=User.Role.ADMIN))
    Account.objects.filter(pk=child.pk).update(parent=old)

    answer = send(client, f"/api/v1/accounts/{child.pk}/", {"parent": new.pk}, "patch")

    assert answer.json()["parent"] == new.pk
    assert set(Touched.objects.values_list("account", flat=True)) == {child.pk, old.pk, new.pk}
    assert send(client, f"/api/v1/accounts/{child.pk}/", {"parent": None}, "patch").json()["parent"] is None
    made = send(client, "/api/v1/accounts/", {"name": "Acme Nordics", "parent": new.pk})
    assert made.json()["parent"] == new.pk


@pytest.mark.parametrize("place", [0, 1, 2])
def test_circle_is_refused_with_a_sentence_over_the_api(place: int) -> None:
    accounts = family("a", "b", "c")

    refused = send(api(UserFactory()), f"/api/v1/accounts/{accounts[0].pk}/", {"parent": accounts[place].pk}, "patch")

    assert refused.status_code == 400
    assert refused.json()["code"] == "parent_circular"
    assert refused.json()["fields"] == {"parent": "An account cannot be above itself; choose another parent."}
    assert above() == {"a": None, "b": "a", "c": "b"}


def test_parent_outside_the_book_is_refused_as_if_it_did_not_exist() -> None:
    csm, elsewhere = only_own_book(), AccountFactory()
    mine = AccountFactory(owner=csm)

    for answer in (
        send(api(csm), f"/api/v1/accounts/{mine.pk}/", {"parent": elsewhere.pk}, "patch"),
        send(api(csm), "/api/v1/accounts/", {"name": "New", "parent": elsewhere.pk}),
    ):
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["parent"])
    mine.refresh_from_db()
    assert mine.parent is None


def test_circle_is_refused_when_what_was_read_is_out_of_date() -> None:
    parent, child = family("parent", "child")
    read_before = Account.objects.get(pk=child.pk)
    Account.objects.filter(pk=child.pk).update(parent=None)
    Account.objects.filter(pk=parent.pk).update(parent=child)

    with pytest.raises(DomainError, match="cannot be above itself"):
        save_account(account=read_before, by=None, now=NOW)

    assert above() == {"child": None, "parent": "child"}


def test_parent_is_not_written_when_something_else_changes() -> None:
    child = family("parent", "child")[1]
    child.seats = 12

    with CaptureQueriesContext(connection) as queries:
        save_account(account=child, by=None, now=NOW)

    [written] = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "accounts_account"')]
    assert '"seats" = 12' in written
    assert "parent_id" not in written


# Two at once


def in_thread(work: Any) -> tuple[threading.Thread, list[DomainError]]:
    problems: list[DomainError] = []

    def run() -> None:
        try:
            work()
        except DomainError as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, problems


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_do_not_close_a_circle() -> None:
    one, other = AccountFactory(external_id="one"), AccountFactory(external_id="other")
    one.parent = other

    with transaction.atomic():
        save_account(account=one, by=None, now=NOW)
        reading = Account.objects.get(pk=other.pk)
        reading.parent = one
        thread, problems = in_thread(lambda: save_account(account=reading, by=None, now=NOW))
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()

    assert [type(problem) for problem in problems] == [DomainError]
    assert above() == {"one": "other", "other": None}


# Files


def rows(folder: Path, *lines: str) -> Any:
    names = ["external_id", "name", "parent"]
    path = table(folder / "rows.csv", names, [line.split(",") for line in lines])
    return take(path, {"importer": "accounts", "fields": {name: name for name in names}})


def test_file_tells_parents_in_any_order_and_the_same_file_changes_nothing(tmp_path: Path) -> None:
    known = AccountFactory(external_id="known", name="Known")
    lines = ("child,Child,group", "group,Group,known", "alone,Alone,")

    first, again = rows(tmp_path, *lines), rows(tmp_path, *lines)

    assert (counts(first), counts(again)) == ((3, 0, 0, 0), (0, 0, 3, 0))
    assert above() == {"alone": None, "child": "group", "group": "known", "known": None}
    assert known.pk in Touched.objects.values_list("account", flat=True)


def test_file_moves_accounts_and_takes_them_out(tmp_path: Path) -> None:
    family("a", "b", "c")

    run = rows(tmp_path, "b,b,", "c,c,a", "a,a,")

    assert counts(run) == (0, 2, 1, 0)
    assert above() == {"a": None, "b": None, "c": "a"}


def test_file_may_turn_a_family_upside_down(tmp_path: Path) -> None:
    family("a", "b", "c")

    run = rows(tmp_path, "a,a,b", "b,b,c", "c,c,")

    assert counts(run) == (0, 3, 0, 0)
    assert above() == {"a": "b", "b": "c", "c": None}


def test_rows_of_a_circle_are_refused_and_the_others_taken(tmp_path: Path) -> None:
    family("a", "b", "c")

    run = rows(tmp_path, "a,a,c", "x,x,y", "y,y,x", "z,z,z", "d,d,c", "e,e,x", "f,f,nowhere")

    assert counts(run) == (1, 0, 0, 6)
    assert set(refusals(run)) == {
        (2, "parent", "parent_circular"),
        (3, "parent", "parent_circular"),
        (4, "parent", "parent_circular"),
        (5, "parent", "parent_circular"),
        (7, "parent", "unknown_reference"),
        (8, "parent", "unknown_reference"),
    }
    assert above() == {"a": None, "b": "a", "c": "b", "d": "c"}


def test_parent_stays_when_the_file_does_not_tell_it(tmp_path: Path) -> None:
    family("a", "b")
    path = table(tmp_path / "rows.csv", ["external_id", "name"], [["b", "New name"]])

    take(path, {"importer": "accounts", "fields": {"external_id": "external_id", "name": "name"}})

    assert above() == {"a": None, "b": "a"}


# The page


def test_parent_and_children_are_links_on_the_page() -> None:
    top, middle = family("Top Group", "Middle")
    ended = AccountFactory(parent=top, name="Gone", ended_at=NOW)
    SubscriptionFactory(account=middle, mrr=480)
    client = client_of(UserFactory())

    words = words_of(client, f"/accounts/{top.pk}/")
    assert "Child accounts 2" in words
    assert words.index("Middle $480") < words.index("Gone Ended")
    page = client.get(f"/accounts/{top.pk}/").content.decode()
    assert f'href="/accounts/{middle.pk}/"' in page
    assert f'href="/accounts/{ended.pk}/"' in page

    below = client.get(f"/accounts/{middle.pk}/").content.decode()
    assert f'href="/accounts/{top.pk}/">Top Group</a>' in below
    assert "Child accounts" not in below


def test_family_outside_the_book_is_not_shown() -> None:
    csm = only_own_book()
    top = AccountFactory(name="Unseen group")
    mine = AccountFactory(owner=csm, parent=top)
    AccountFactory(name="Unseen child", parent=mine)

    words = words_of(client_of(csm), f"/accounts/{mine.pk}/")

    assert "Unseen" not in words
