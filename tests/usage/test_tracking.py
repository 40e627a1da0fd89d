"""What is taken, what it is counted for, and what the answer says."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.models import Touched, Workspace
from tests.factories import NOW, AccountFactory, ContactFactory, FeatureFactory
from tests.usage.conftest import Post, call
from usage.models import (
    AccountActivity,
    DailyUsage,
    Feature,
    RejectedEvent,
    RollingUsage,
    SeenMessage,
    TrackedEvent,
    UserActivity,
    WriteKey,
)
from usage.services import assign_waiting, create_write_key, features, purge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def at_noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def counts() -> dict[tuple[str | None, str, date], int]:
    return {
        (row.account.external_id, row.feature.key, row.day): row.count
        for row in DailyUsage.objects.select_related("account", "feature")
    }


TODAY = NOW.date()


def test_a_call_is_stored_and_counted_when_its_group_is_an_account(post: Post) -> None:
    account = AccountFactory(external_id="acme")

    answer = post({"batch": [call(context={"groupId": "acme"}, properties={"to": "Ann"})]})

    assert answer.status_code == 200
    assert answer.json() == {"success": True, "accepted": 1, "duplicates": 0, "rejected": 0}
    assert counts() == {("acme", "message-sent", TODAY): 1}
    kept = RollingUsage.objects.get()
    assert (kept.account_id, kept.last_7, kept.last_28, kept.prior_28) == (account.pk, 1, 1, 0)
    assert TrackedEvent.objects.get().properties == {"to": "Ann"}
    assert AccountActivity.objects.get().last_event_at == NOW
    assert UserActivity.objects.get().last_day == TODAY
    assert Touched.objects.filter(account_id=account.pk).exists()
    assert Feature.objects.get().name == "Message sent"


@pytest.mark.parametrize(
    ("path", "kind"), [(p, k) for k in ("track", "identify", "group", "page", "screen", "alias") for p in (k, k[0])]
)
def test_one_call_is_taken_when_it_is_sent_to_the_address_of_its_kind(post: Post, path: str, kind: str) -> None:
    sent = call(kind, groupId="acme", previousId="u0")
    del sent["type"]

    assert post(sent, path=path).status_code == 200
    assert TrackedEvent.objects.get().kind == kind


def test_a_call_counts_once_when_it_is_delivered_again(post: Post) -> None:
    AccountFactory(external_id="acme")
    one, two = (call(context={"groupId": "acme"}) for _ in range(2))
    post({"batch": [one]})

    again = post({"batch": [two, one, two]})

    assert again.json() == {"success": True, "accepted": 1, "duplicates": 2, "rejected": 0}
    assert counts() == {("acme", "message-sent", TODAY): 2}


def test_a_page_is_activity_and_no_feature_when_it_is_seen(post: Post) -> None:
    AccountFactory(external_id="acme")

    post({"batch": [call("page", name="Home", context={"groupId": "acme"})]})

    assert AccountActivity.objects.count() == UserActivity.objects.count() == 1
    assert not Feature.objects.exists()
    assert not DailyUsage.objects.exists()


def test_nobody_was_active_when_a_server_only_says_who_somebody_is(post: Post) -> None:
    AccountFactory(external_id="acme")

    post({"batch": [call("identify", traits={"name": "Ann"}), call("group", groupId="acme")]})

    assert not AccountActivity.objects.exists()


def test_an_anonymous_visitor_takes_no_seat_until_it_is_merged_into_a_user(post: Post) -> None:
    AccountFactory(external_id="acme")
    post({"batch": [call(userId=None, anonymousId="a1", context={"groupId": "acme"})]})
    assert not UserActivity.objects.exists()

    post({"batch": [call("alias", previousId="a1", userId="u1")]})

    assert UserActivity.objects.get().user_id == "u1"
    assert counts() == {("acme", "message-sent", TODAY): 1}


def test_a_late_event_lands_on_its_own_day_in_the_workspaces_zone(post: Post) -> None:
    Workspace.objects.create(time_zone="Pacific/Auckland")
    AccountFactory(external_id="acme")
    where = {"context": {"groupId": "acme"}}

    post({"batch": [call(timestamp="2026-03-09T10:59:00Z", **where), call(timestamp="2026-03-09T11:01:00Z", **where)]})

    assert set(counts()) == {
        ("acme", "message-sent", date(2026, 3, 9)),
        ("acme", "message-sent", date(2026, 3, 10)),
    }


def test_a_time_without_offset_is_the_workspaces_when_an_event_carries_one(post: Post) -> None:
    Workspace.objects.create(time_zone="Europe/Sofia")

    post({"batch": [call(timestamp="2026-03-10T01:30:00")]})

    assert TrackedEvent.objects.get().occurred_at == datetime(2026, 3, 9, 23, 30, tzinfo=UTC)


def test_times_move_by_the_senders_error_when_its_clock_is_wrong(post: Post) -> None:
    wrong_by = timedelta(days=40, hours=3)
    sent = {"sentAt": (NOW - wrong_by).isoformat(), "batch": [call(timestamp=(NOW - wrong_by).isoformat())]}

    post(sent)

    assert TrackedEvent.objects.get().occurred_at == NOW


def test_times_stay_when_the_request_only_took_a_moment(post: Post) -> None:
    stamp = NOW - timedelta(hours=5)

    post({"sentAt": (NOW - timedelta(seconds=20)).isoformat(), "batch": [call(originalTimestamp=stamp.isoformat())]})

    assert TrackedEvent.objects.get().occurred_at == stamp


@pytest.mark.parametrize(
    ("stamp", "code"),
    [
        (NOW + timedelta(hours=25), "in_the_future"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "in_the_future"),
        (datetime(1, 1, 1, tzinfo=UTC), "too_old"),
        (datetime(1970, 1, 1, tzinfo=UTC), "too_old"),
    ],
)
def test_an_event_is_refused_and_kept_when_its_time_cannot_be(post: Post, stamp: datetime, code: str) -> None:
    good, bad = call(), call(timestamp=stamp.isoformat())

    answer = post({"batch": [good, bad]}, path="batch?errors=1")

    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    (error,) = answer.json()["errors"]
    assert (error["index"], error["messageId"], error["code"]) == (1, bad["messageId"], code)
    assert RejectedEvent.objects.get().code == code


def test_times_at_the_end_of_the_calendar_are_refused_when_a_clock_is_wrong(post: Post) -> None:
    for year, sent in (("0001", "9999"), ("9999", "0001")):
        answer = post(
            {"sentAt": f"{sent}-01-01T00:00:00Z", "batch": [call(timestamp=f"{year}-12-31T23:59:59")]},
        )
        assert answer.status_code == 400
        assert answer.json()["code"] in {"too_old", "in_the_future"}


def test_an_event_is_taken_when_it_lies_less_than_a_day_ahead(post: Post) -> None:
    AccountFactory(external_id="acme")
    ahead = NOW + timedelta(hours=23)

    post({"batch": [call(timestamp=ahead.isoformat(), context={"groupId": "acme"})]})

    assert counts() == {("acme", "message-sent", TODAY + timedelta(days=1)): 1}
    assert RollingUsage.objects.get().last_7 == 0


def test_names_are_one_feature_when_only_their_spelling_differs(post: Post) -> None:
    FeatureFactory(key="message-sent", name="Messaging")
    AccountFactory(external_id="acme")

    post({"batch": [call(event=name, context={"groupId": "acme"}) for name in ("Message Sent", "message-sent")]})

    assert counts() == {("acme", "message-sent", TODAY): 2}
    assert Feature.objects.get().name == "Messaging"


def test_a_feature_has_a_key_when_its_name_has_no_latin_letter(post: Post) -> None:
    post({"batch": [call(event="Отправлено"), call(event="x" * 200)]})

    for feature in Feature.objects.all():
        feature.full_clean()
    assert Feature.objects.count() == 2


def test_events_are_kept_without_a_feature_when_names_are_made_up_without_end(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "MOST_FEATURES", 3)
    AccountFactory(external_id="acme")

    answer = post({"batch": [call(event=f"Opened {n}", context={"groupId": "acme"}) for n in range(9)]})

    assert answer.json()["accepted"] == 9
    assert Feature.objects.count() == len(counts()) == 3
    assert AccountActivity.objects.exists()


def test_the_key_is_taken_from_the_body_when_there_is_no_header(client: Client, write_key: str) -> None:
    sent = {"writeKey": write_key, **call()}

    answer = client.post("/v1/t", data=json.dumps(sent), content_type="text/plain")

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_any_origin_may_write_when_it_asks_first(client: Client) -> None:
    answer = client.options("/v1/batch", headers={"Origin": "https://app.example"})

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer


def test_a_contact_was_last_seen_when_its_user_was_active(post: Post) -> None:
    contact = ContactFactory(external_id="u1")

    post({"batch": [call(), call(timestamp=(NOW - timedelta(days=3)).isoformat())]})

    contact.refresh_from_db()
    assert contact.last_seen_at == NOW
    assert UserActivity.objects.get().account_id == contact.account_id


def test_use_of_a_key_is_noted_when_it_writes(post: Post) -> None:
    post({"batch": [call()]})

    assert WriteKey.objects.get().last_used_at == NOW


def test_a_refused_call_is_taken_when_it_is_replayed_in_time(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    AccountFactory(external_id="acme")
    where = {"context": {"groupId": "acme"}}
    early = call(timestamp=(NOW + timedelta(hours=30)).isoformat(), **where)
    nameless = call(**where)
    del nameless["messageId"]
    post({"batch": [early, nameless, call(event="", **where)]})
    assert not DailyUsage.objects.exists()

    with time_machine.travel(NOW + timedelta(hours=12), tick=False):
        call_command("replay_rejected")
        call_command("replay_rejected")

    assert counts() == {
        ("acme", "message-sent", TODAY + timedelta(days=1)): 1,
        ("acme", "message-sent", TODAY): 1,
    }
    assert capsys.readouterr().out == "2 taken, 1 still refused.\n0 taken, 1 still refused.\n"
    assert RejectedEvent.objects.filter(replayed_at=None).get().code == "missing_event"


def test_a_key_works_when_the_command_made_it(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_write_key", "Web app")
    printed = capsys.readouterr().out.strip()

    answer = client.post("/v1/track", data={"writeKey": printed, **call()}, content_type="application/json")

    assert answer.status_code == 200
    assert printed not in str(WriteKey.objects.values().get())


def test_message_ids_are_forgotten_when_they_are_old(post: Post) -> None:
    post({"batch": [call()]})

    assert purge(now=NOW + timedelta(days=29)) == 0
    assert purge(now=NOW + timedelta(days=31)) == 1
    assert not SeenMessage.objects.exists()


def test_a_key_writes_no_more_when_it_is_revoked(post: Post) -> None:
    WriteKey.objects.update(revoked_at=NOW)

    answer = post({"batch": [call()]})

    assert answer.status_code == 401
    assert not TrackedEvent.objects.exists()


def test_nothing_waits_when_every_call_was_placed(post: Post) -> None:
    create_write_key(name="other")
    AccountFactory(external_id="acme")
    post({"batch": [call(context={"groupId": "acme"})]})

    assert assign_waiting(now=NOW) == 0
