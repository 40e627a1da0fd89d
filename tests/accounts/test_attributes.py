"""Tickets and people as attributes, on rows as the help desk and imports leave them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account
from tests.factories import NOW, AccountFactory, ContactFactory, TicketFactory
from tests.facts import read_at_once, values_of

pytestmark = pytest.mark.django_db


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def ticket(account: Account, opened: float, solved: float | None = None, **fields: Any) -> None:
    """A ticket opened, and solved, so many days ago."""
    solved_at = None if solved is None else ago(solved)
    TicketFactory(account=account, opened_at=ago(opened), solved_at=solved_at, **fields)


def test_open_tickets_are_slow_after_five_days() -> None:
    account = AccountFactory()
    ticket(account, 4.9)
    ticket(account, 5.1)
    ticket(account, 300)
    ticket(account, 30, solved=1)

    assert values_of(account, "tickets.slow_open") == 2


def test_reopens_count_when_the_ticket_is_open_or_was_solved_within_90_days() -> None:
    account = AccountFactory()
    ticket(account, 200, solved=None, reopened_count=1)
    ticket(account, 200, solved=89, reopened_count=2)
    ticket(account, 10, solved=2, reopened_count=4)
    ticket(account, 10, solved=2)
    ticket(account, 200, solved=91, reopened_count=8)

    assert values_of(account, "tickets.reopened_90d") == 7


def test_days_to_solve_are_the_median_of_90_days() -> None:
    account = AccountFactory()
    for opened, solved in ((1.5, 1), (12, 10), (60, 30), (300, 91), (3, None), (3, -1)):
        ticket(account, opened, solved)

    assert values_of(account, "tickets.resolution_days_90d") == pytest.approx(2)


def test_nothing_is_slow_or_reopened_and_days_to_solve_are_unknown_when_there_are_no_tickets() -> None:
    account, waiting = AccountFactory(), AccountFactory()
    ticket(waiting, 1)
    keys = ("tickets.slow_open", "tickets.reopened_90d", "tickets.resolution_days_90d")

    assert values_of(account, *keys) == (0, 0, None)
    assert values_of(waiting, *keys) == (0, 0, None)


def test_tickets_are_read_for_many_accounts_in_one_query() -> None:
    accounts = AccountFactory.create_batch(3)
    ticket(accounts[0], 8)
    ticket(accounts[1], 8, solved=7, reopened_count=1)

    found, queries = read_at_once(
        accounts, "tickets.slow_open", "tickets.reopened_90d", "tickets.resolution_days_90d", "tickets.open"
    )

    assert found == [(1, 0, None, 1), (0, 1, 1, 0), (0, 0, None, 0)]
    assert queries == 1


LOST = ("contacts.sponsor_lost", "contacts.sponsor_lost_days")


@pytest.mark.parametrize("role", ["champion", "decision_maker"])
def test_sponsor_is_lost_when_the_last_of_the_role_left(role: str) -> None:
    account = AccountFactory()
    ContactFactory(account=account, role=role, left_at=ago(20))
    ContactFactory(account=account, role=role, left_at=ago(7))
    ContactFactory(account=account, role="user")

    assert values_of(account, *LOST) == (True, 7)


def test_sponsor_is_not_lost_when_another_of_the_role_is_there() -> None:
    account = AccountFactory()
    ContactFactory(account=account, role="champion", left_at=ago(7))
    ContactFactory(account=account, role="champion")

    assert values_of(account, *LOST) == (False, None)


def test_sponsor_is_lost_when_only_the_other_role_is_there() -> None:
    account = AccountFactory()
    ContactFactory(account=account, role="champion", left_at=ago(7))
    ContactFactory(account=account, role="decision_maker")

    assert values_of(account, *LOST) == (True, 7)


def test_later_loss_tells_the_days_when_both_roles_are_lost() -> None:
    account = AccountFactory()
    ContactFactory(account=account, role="champion", left_at=ago(60))
    ContactFactory(account=account, role="decision_maker", left_at=ago(3))

    assert values_of(account, *LOST) == (True, 3)


def test_loss_is_forgotten_after_90_days_and_not_told_ahead() -> None:
    long_ago, leaving = AccountFactory(), AccountFactory()
    ContactFactory(account=long_ago, role="champion", left_at=ago(91))
    ContactFactory(account=leaving, role="champion", left_at=ago(-5))

    assert values_of(long_ago, *LOST) == (False, None)
    assert values_of(leaving, *LOST) == (False, None)


def test_loss_is_unknown_when_nobody_is_known_and_none_when_users_leave() -> None:
    users = AccountFactory()
    ContactFactory(account=users, role="user", left_at=ago(7))

    assert values_of(AccountFactory(), *LOST) == (None, None)
    assert values_of(users, *LOST) == (False, None)


def test_lost_sponsors_are_read_for_many_accounts_in_one_query() -> None:
    accounts = AccountFactory.create_batch(3)
    ContactFactory(account=accounts[0], role="champion", left_at=ago(1))
    ContactFactory(account=accounts[1], role="champion")

    found, queries = read_at_once(accounts, *LOST, "contacts.champions")

    assert found == [(True, 1, 0), (False, None, 1), (None, None, 0)]
    assert queries == 1
