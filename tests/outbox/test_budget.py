from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.models import Contact, SettingChange
from common.errors import DomainError
from outbox.models import ContactBudget, ContactSend, HeldBack, Kind
from outbox.services import drop, reserve, set_budget
from tests.factories import NOW, ContactFactory

DAY = timedelta(days=1)


def ask(
    contact: Contact, key: str, now: datetime = NOW, *, useful_until: datetime = NOW + 90 * DAY
) -> ContactSend | HeldBack:
    return reserve(contact=contact, kind=Kind.PLAYBOOK, key=key, label="Check in", useful_until=useful_until, now=now)


@pytest.fixture
def contact() -> Contact:
    set_budget(most=2, days=14, now=NOW)
    return ContactFactory()


@pytest.mark.django_db
def test_a_message_is_held_back_until_a_place_is_free_when_the_budget_is_used_up(contact: Contact) -> None:
    assert isinstance(ask(contact, "a", NOW - 3 * DAY), ContactSend)
    assert isinstance(ask(contact, "b", NOW - DAY), ContactSend)

    held = ask(contact, "c")

    assert isinstance(held, HeldBack)
    assert (held.outcome, held.until) == (HeldBack.Outcome.WAITING, NOW + 11 * DAY)
    assert (held.most, held.days, held.label, held.held_at) == (2, 14, "Check in", NOW)
    assert isinstance(ask(ContactFactory(), "d"), ContactSend)


@pytest.mark.django_db
def test_a_place_is_taken_when_a_message_asks_again_on_the_day_it_is_free(contact: Contact) -> None:
    for key in "abc":
        ask(contact, key)

    assert isinstance(ask(contact, "c", NOW + 14 * DAY - timedelta(seconds=1)), HeldBack)
    assert isinstance(ask(contact, "c", NOW + 14 * DAY), ContactSend)

    held = HeldBack.objects.get()
    assert (held.outcome, held.settled_at) == (HeldBack.Outcome.SENT, NOW + 14 * DAY)


@pytest.mark.django_db
def test_one_place_is_taken_when_the_same_key_asks_again(contact: Contact) -> None:
    first, again = ask(contact, "a"), ask(contact, "a")

    assert first == again
    assert isinstance(ask(contact, "b"), ContactSend)
    assert isinstance(ask(contact, "a"), ContactSend)
    assert ContactSend.objects.count() == 2


@pytest.mark.django_db
def test_a_message_is_dropped_when_the_next_place_is_too_late_for_it(contact: Contact) -> None:
    ask(contact, "a")
    ask(contact, "b")

    held = ask(contact, "c", useful_until=NOW + 13 * DAY)

    assert isinstance(held, HeldBack)
    assert (held.outcome, held.settled_at) == (HeldBack.Outcome.TOO_LATE, NOW)
    assert not HeldBack.objects.due(NOW + 99 * DAY, Kind.PLAYBOOK).exists()


@pytest.mark.django_db
def test_a_message_is_dropped_when_its_time_passed_before_anybody_asked_again(contact: Contact) -> None:
    for key in "abc":
        ask(contact, key)

    held = ask(contact, "c", NOW + 100 * DAY)

    assert isinstance(held, HeldBack)
    assert held.outcome == HeldBack.Outcome.TOO_LATE


@pytest.mark.django_db
def test_nothing_is_taken_when_the_transaction_rolls_back(contact: Contact) -> None:
    with transaction.atomic():
        ask(contact, "a")
        transaction.set_rollback(True)

    assert not ContactSend.objects.exists()


@pytest.mark.django_db
def test_everything_passes_when_there_is_no_limit(contact: Contact) -> None:
    set_budget(most=None, days=14, now=NOW)

    assert all(isinstance(ask(contact, key), ContactSend) for key in "abcdefgh")


@pytest.mark.django_db
def test_what_waits_is_due_at_once_when_the_budget_is_changed(contact: Contact) -> None:
    for key in "abc":
        ask(contact, key)
    assert not HeldBack.objects.due(NOW + DAY, Kind.PLAYBOOK).exists()

    set_budget(most=3, days=14, now=NOW + DAY)

    assert HeldBack.objects.due(NOW + DAY, Kind.PLAYBOOK).get().key == "c"
    assert not HeldBack.objects.due(NOW + DAY, Kind.SURVEY).exists()
    assert isinstance(ask(contact, "c", NOW + DAY), ContactSend)


@pytest.mark.django_db
def test_a_waiting_message_is_dropped_once_when_its_sender_gives_up(contact: Contact) -> None:
    for key in "abc":
        ask(contact, key)
    held = HeldBack.objects.get()

    assert drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=NOW)
    assert not drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=NOW)
    held.refresh_from_db()
    assert held.outcome == HeldBack.Outcome.NOT_REACHABLE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("most", "days", "field"), [(0, 14, "most"), (1001, 14, "most"), (1, 0, "days"), (1, 367, "days")]
)
def test_a_budget_is_refused_when_it_is_out_of_bounds(most: int, days: int, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        set_budget(most=most, days=days, now=NOW)

    assert list(refused.value.fields) == [field]
    assert ContactBudget.current().most == 4


@pytest.mark.django_db(transaction=True)
def test_one_of_many_gets_the_last_place_when_they_ask_at_once(contact: Contact) -> None:
    ask(contact, "first")
    together = Barrier(4)

    def race(number: int) -> bool:
        try:
            together.wait()
            return isinstance(ask(contact, f"racer-{number}"), ContactSend)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as senders:
        won = list(senders.map(race, range(4)))

    assert sorted(won) == [False, False, False, True]
    assert ContactSend.objects.count() == 2
    assert HeldBack.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_one_place_is_taken_when_the_same_message_asks_twice_at_once(contact: Contact) -> None:
    together = Barrier(2)

    def race(_number: int) -> int:
        try:
            together.wait()
            return ask(contact, "same").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as senders:
        first, second = senders.map(race, range(2))

    assert first == second
    assert ContactSend.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_each_change_tells_what_it_changed_when_two_change_the_budget_at_once(contact: Contact) -> None:
    together = Barrier(4)

    def race(number: int) -> None:
        try:
            together.wait()
            set_budget(most=10 + number, days=14, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as admins:
        list(admins.map(race, range(4)))

    changes = list(SettingChange.objects.order_by("id").values_list("before", "after"))
    assert all(earlier[1] == later[0] for earlier, later in pairwise(changes))
    assert changes[-1][1] == {"most": ContactBudget.current().most, "days": 14}
