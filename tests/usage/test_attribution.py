"""Whose a call is, and that the order in which calls arrive does not decide it."""

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account, Contact
from common.partitions import ensure_months
from tests.factories import NOW, AccountFactory, ContactFactory
from tests.usage.conftest import Post, call
from usage.models import AccountActivity, DailyUsage, GroupJoin, RollingUsage, TrackedEvent, TrackedUser, UserActivity
from usage.services import assign_waiting, create_write_key, ingest_batch, purge, turn_windows
from usage.services.parse import parse


@pytest.fixture
def at_noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def used() -> dict[str, int]:
    """How often each account used the product, by external id."""
    found: dict[str, int] = {}
    for row in DailyUsage.objects.select_related("account"):
        found[str(row.account.external_id)] = found.get(str(row.account.external_id), 0) + row.count
    return found


def before(**ago: int) -> str:
    return (NOW - timedelta(**ago)).isoformat()


def test_a_call_belongs_to_the_group_its_user_was_in_when_it_names_none(post: Post) -> None:
    for key in ("old", "new", "other"):
        AccountFactory(external_id=key)
    ContactFactory(external_id="u1", account=Account.objects.get(external_id="other"))
    post({"batch": [call("group", groupId="old", timestamp=before(days=9))]})
    post({"batch": [call("group", groupId="new", timestamp=before(days=2))]})

    post({"batch": [call(), call(timestamp=before(days=5)), call(timestamp=before(days=20))]})

    assert used() == {"new": 1, "old": 1, "other": 1}


def test_the_named_group_wins_when_the_user_joined_another(post: Post) -> None:
    AccountFactory(external_id="old")
    AccountFactory(external_id="new")
    post({"batch": [call("group", groupId="old")]})

    post({"batch": [call(context={"groupId": "new"})]})

    assert used() == {"new": 1}


def test_a_call_waits_and_is_counted_when_its_group_becomes_an_account(post: Post) -> None:
    post({"batch": [call(context={"groupId": "later"}, timestamp=before(days=3))]})
    assert not DailyUsage.objects.exists()
    account = AccountFactory(external_id="later")

    assert assign_waiting(now=NOW) == 1
    assert assign_waiting(now=NOW) == 0

    assert used() == {"later": 1}
    assert AccountActivity.objects.get().account_id == account.pk
    assert UserActivity.objects.get().last_day == NOW.date() - timedelta(days=3)
    assert RollingUsage.objects.get().last_7 == 1


def test_a_call_waits_and_is_counted_when_its_user_joins_a_group(post: Post) -> None:
    AccountFactory(external_id="acme")
    post({"batch": [call(timestamp=before(days=1))]})

    post({"batch": [call("group", groupId="acme")]})

    assert used() == {"acme": 1}


def test_a_call_waits_and_is_counted_when_its_user_becomes_a_contact(post: Post) -> None:
    post({"batch": [call(timestamp=before(days=1))]})
    contact = ContactFactory(external_id="u1")

    assign_waiting(now=NOW)

    assert used() == {str(contact.account.external_id): 1}
    contact.refresh_from_db()
    assert contact.last_seen_at == NOW - timedelta(days=1)


def test_a_call_is_counted_when_identify_finds_the_contact_by_address(post: Post) -> None:
    contact = ContactFactory(email="ann@customer.example", name="A.")
    post({"batch": [call()]})

    post({"batch": [call("identify", context={"traits": {"email": "Ann@Customer.example", "name": "Ann Lee"}})]})
    assign_waiting(now=NOW)

    assert used() == {str(contact.account.external_id): 1}
    contact.refresh_from_db()
    assert (contact.external_id, contact.name) == ("u1", "Ann Lee")


def test_calls_move_when_a_nearer_join_arrives_late(post: Post) -> None:
    AccountFactory(external_id="old")
    AccountFactory(external_id="new")
    post({"batch": [call("group", groupId="old", timestamp=before(days=9))]})
    post({"batch": [call(timestamp=before(days=8)), call(timestamp=before(days=1))]})
    assert used() == {"old": 2}

    post({"batch": [call("group", groupId="new", timestamp=before(days=3))]})

    assert used() == {"new": 1, "old": 1}
    old = RollingUsage.objects.get(account__external_id="old")
    assert (old.last_7, old.last_28, old.last_day) == (0, 1, NOW.date() - timedelta(days=8))
    assert AccountActivity.objects.get(account__external_id="old").last_event_at == NOW - timedelta(days=8)


def test_calls_follow_their_user_when_ids_are_merged(post: Post) -> None:
    AccountFactory(external_id="acme")
    post({"batch": [call(userId="a"), call(userId="b"), call("group", userId="c", groupId="acme")]})

    post({"batch": [call("alias", previousId="a", userId="b")]})
    post({"batch": [call("alias", previousId="b", userId="c")]})
    post({"batch": [call(userId="a")]})

    assert used() == {"acme": 3}
    assert [row.user_id for row in UserActivity.objects.all()] == ["c"]


def test_nothing_turns_in_a_circle_when_two_ids_are_merged_into_each_other(post: Post) -> None:
    for previous, user in (("a", "b"), ("b", "a"), ("a", "a"), ("a", "c")):
        assert post({"batch": [call("alias", previousId=previous, userId=user)]}).status_code == 200

    post({"batch": [call(userId="a")]})

    assert TrackedEvent.objects.get(kind="track").user_id == "b"


def test_the_latest_traits_win_when_identify_calls_come_out_of_order(post: Post) -> None:
    contact = ContactFactory(external_id="u1", name="Ann", title="")
    post({"batch": [call("identify", traits={"name": "Ann New", "title": "CEO"})]})

    post({"batch": [call("identify", traits={"name": "Ann Old", "plan": "pro"}, timestamp=before(days=1))]})

    contact.refresh_from_db()
    assert (contact.name, contact.title) == ("Ann New", "CEO")
    assert TrackedUser.objects.get().traits == {"name": "Ann New", "title": "CEO", "plan": "pro"}


def test_the_contact_stays_when_its_new_address_is_another_contacts(post: Post) -> None:
    contact = ContactFactory(external_id="u1", email="ann@customer.example")
    ContactFactory(account=contact.account, email="bob@customer.example")

    answer = post({"batch": [call("identify", traits={"email": "bob@customer.example"}), call()]})

    assert answer.status_code == 200
    contact.refresh_from_db()
    assert contact.email == "ann@customer.example"


@pytest.mark.parametrize(
    "traits", [{"email": 5, "name": ["x"]}, {"email": "no address", "phone": "1" * 99}, {"name": " "}]
)
def test_the_contact_stays_when_traits_are_nonsense(post: Post, traits: dict[str, Any]) -> None:
    contact = ContactFactory(external_id="u1")
    kept = Contact.objects.values().get()

    assert post({"batch": [call("identify", traits=traits)]}).status_code == 200
    assert Contact.objects.values().get(pk=contact.pk) == kept


def test_joins_that_only_repeat_are_forgotten_when_they_are_old(post: Post) -> None:
    for days, group in ((9, "a"), (8, "a"), (7, "b"), (6, "b"), (5, "a")):
        post({"batch": [call("group", groupId=group, timestamp=before(days=days))]})

    purge(now=NOW + timedelta(days=31))

    assert list(GroupJoin.objects.order_by("joined_at").values_list("group_id", flat=True)) == ["a", "b", "a"]


TABLES = ("usage_dailyusage", "usage_rollingusage", "usage_accountactivity", "usage_useractivity")


def rolled_up() -> dict[str, list[Any]]:
    """Every row that is kept for what was counted."""
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")
            found[table] = sorted(cursor.fetchall())
        return found


def take(calls: list[dict[str, Any]], key: str, at: datetime) -> None:
    ingest_batch(key=key, payload=parse(json.dumps({"batch": calls}).encode(), kind=None), received_at=at)


USERS, GROUPS = ("u1", "u2", "u3"), ("a", "b", "later")
CALLS = st.builds(
    lambda kind, user, group, minutes, named: {
        "type": kind,
        "userId": user,
        "event": f"E{minutes % 3}",
        "name": "Home",
        "groupId": group,
        "context": {"groupId": group} if named else {},
        "timestamp": before(minutes=minutes),
    },
    st.sampled_from(["track", "track", "track", "page", "group", "identify"]),
    st.sampled_from(USERS),
    st.sampled_from(GROUPS),
    st.integers(0, 60 * 24 * 70),
    st.booleans(),
)


class AnyOrder(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        ensure_months("usage_dailyusage", date(2025, 12, 1), date(2026, 4, 1))
        ensure_months("usage_trackedevent", date(2026, 3, 1), date(2026, 3, 1))

    @settings(max_examples=40, phases=[Phase.generate])
    @given(
        calls=st.lists(CALLS, max_size=30, unique_by=lambda each: each["timestamp"]),
        chance=st.randoms(use_true_random=False),
    )
    def test_the_same_rows_are_kept_when_calls_come_shuffled_repeated_and_late(
        self, calls: list[dict[str, Any]], chance: random.Random
    ) -> None:
        _record, key = create_write_key(name="app")
        for group in GROUPS:
            AccountFactory(external_id=group)
        for event in ("e0", "e1", "e2"):
            take([{"type": "track", "messageId": event, "userId": "nobody", "event": event}], key, NOW)
        for number, each in enumerate(calls):
            each["messageId"] = f"m{number}"
        turn_windows(now=NOW + timedelta(days=7))

        later = Account.objects.filter(external_id="later").get()
        beginning = transaction.savepoint()
        take(sorted(calls, key=lambda each: str(each["timestamp"])), key, NOW)
        expected = rolled_up()
        transaction.savepoint_rollback(beginning)

        Account.objects.filter(pk=later.pk).update(external_id=None)
        repeated = calls + chance.choices(calls, k=len(calls)) if calls else []
        chance.shuffle(repeated)
        while repeated:
            size = chance.randint(1, 6)
            take(repeated[:size], key, NOW + chance.choice([timedelta(), timedelta(days=7)]))
            repeated = repeated[size:]
        Account.objects.filter(pk=later.pk).update(external_id="later")
        assign_waiting(now=NOW + timedelta(days=7))

        assert rolled_up() == expected
