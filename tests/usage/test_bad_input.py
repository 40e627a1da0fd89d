"""Bodies that no SDK sends: each is answered in JSON with what is wrong, and leaves nothing behind."""

import gzip
import json
import zlib
from typing import Any

import pytest
from django.test import Client

from tests.factories import AccountFactory
from tests.usage.conftest import Post, call
from usage.models import DailyUsage, Feature, RejectedEvent, SeenMessage, TrackedEvent

pytestmark = pytest.mark.django_db


def nothing_was_taken() -> bool:
    return not (
        TrackedEvent.objects.exists()
        or SeenMessage.objects.exists()
        or DailyUsage.objects.exists()
        or Feature.objects.exists()
    )


def batch_with(properties: bytes) -> bytes:
    """A batch of one call whose properties are written byte by byte."""
    return (
        b'{"batch": [{"type": "track", "messageId": "m1", "userId": "u1", "event": "E", "properties": %s}]}'
        % properties
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b" \n", "empty_body"),
        (b"{", "malformed_json"),
        (b"not json", "malformed_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "missing_batch"),
        (b'{"batch": {}}', "invalid_request"),
        (b'{"batch": [], "sentAt": "yesterday"}', "invalid_request"),
        (b'{"batch": [], "writeKey": 5}', "invalid_request"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (batch_with(b'{"a":' * 3_000 + b"1" + b"}" * 3_000), "too_deep"),
        (batch_with(b'{"a": NaN}'), "malformed_json"),
        (batch_with(b'{"a": -Infinity}'), "malformed_json"),
        (batch_with(b'{"a": ' + b"9" * 5_000 + b"}"), "number_out_of_range"),
        (batch_with(b'{"a": 1e1000000}'), "number_out_of_range"),
        (batch_with(b'{"a": "\xff"}'), "malformed_json"),
        (batch_with(b'{"a": 1, "a": 2}'), "duplicate_key"),
        (batch_with(b'{"a": 1, "a" : 2}'), "duplicate_key"),
        (b'{"batch": [], "batch": []}', "duplicate_key"),
        (b"\xff\xfe{\x00}\x00", "malformed_json"),
        (b"\x1f\x8bnot gzip", "malformed_gzip"),
        (gzip.compress(b'{"batch": []}', mtime=0)[:-9], "malformed_gzip"),
        (gzip.compress(b'{"batch": []}', mtime=0) + b"more", "malformed_gzip"),
    ],
)
def test_a_request_is_refused_whole_when_it_cannot_be_read(post: Post, body: bytes, code: str) -> None:
    answer = post(body)

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert nothing_was_taken()


BAD_CALLS: list[tuple[Any, str]] = [
    ("text", "not_an_object"),
    (5, "not_an_object"),
    ([], "not_an_object"),
    (None, "not_an_object"),
    (call(type="purchase"), "unknown_type"),
    (call(type=None), "unknown_type"),
    (call(type=5), "invalid_event"),
    (call(messageId=None), "missing_message_id"),
    (call(messageId=""), "missing_message_id"),
    (call(messageId={}), "invalid_event"),
    (call(messageId="m" * 201), "too_long"),
    (call(userId=None), "missing_user"),
    (call(userId=True), "invalid_event"),
    (call(userId="u" * 201), "too_long"),
    (call(event=None), "missing_event"),
    (call(event=["a"]), "invalid_event"),
    (call(event="e" * 201), "too_long"),
    (call(properties=[]), "invalid_event"),
    (call(context="web"), "invalid_event"),
    (call(context={"groupId": ["a"]}), "invalid_event"),
    (call(timestamp="yesterday"), "invalid_event"),
    (call(timestamp="2026-03-16T23:59:60Z"), "invalid_event"),
    (call(timestamp=1773662400), "invalid_event"),
    (call(properties={"a": "\x00"}), "unstorable_text"),
    (call(properties={"\x00": "a"}), "unstorable_text"),
    (call(event="a\x00b"), "unstorable_text"),
    (call(properties={"a": ["\ud83d"]}), "unstorable_text"),
    (call(userId="\udc00"), "unstorable_text"),
    (call(properties={"a": "x" * 33_000}), "event_too_large"),
    (call("group"), "missing_group"),
    (call("alias"), "missing_user"),
]


@pytest.mark.parametrize(("bad", "code"), BAD_CALLS)
def test_one_call_is_refused_and_the_others_taken_when_it_is_bad(post: Post, bad: Any, code: str) -> None:
    answer = post({"batch": [call(messageId="good"), bad]}, path="batch?errors=1")

    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert (error["index"], error["code"]) == (1, code)
    assert error["message"]
    assert TrackedEvent.objects.get().message_id == "good"
    kept = RejectedEvent.objects.get()
    assert kept.code == code
    assert json.loads(kept.body) == bad


@pytest.mark.parametrize(("bad", "code"), BAD_CALLS)
def test_the_request_fails_when_every_call_in_it_is_bad(post: Post, bad: Any, code: str) -> None:
    answer = post({"batch": [bad]})

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["errors"][0]["index"] == 0
    assert nothing_was_taken()


def test_text_is_kept_when_it_only_looks_like_an_escape(post: Post) -> None:
    properties = {"a": "\\u0000", "b": "\U0001f600 \u202e \u200b", "c": 'say "x": y', "d": 10**30}

    answer = post({"batch": [call(properties=properties)]})

    assert answer.status_code == 200
    assert TrackedEvent.objects.get().properties == properties


def test_a_body_is_too_large_when_it_holds_more_than_a_request_may(post: Post) -> None:
    for body in (b" " * 600_000, b" " * 3_000_000, b" " * 9_000_000):
        answer = post(body)

        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"


def test_a_bomb_is_stopped_at_the_limit_when_it_unpacks(post: Post) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()
    assert len(bomb) < 500_000

    answer = post(bomb, Content_Encoding="gzip")

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_a_batch_is_too_long_when_it_holds_more_calls_than_a_batch_may(post: Post) -> None:
    assert post({"batch": [{}] * 2_501}).json()["code"] == "batch_too_long"


def test_a_full_batch_is_taken_when_it_is_exactly_at_the_limit(post: Post) -> None:
    small = [{"type": "track", "messageId": str(n), "userId": "u", "event": "E"} for n in range(2_500)]

    assert post({"batch": small}).json()["accepted"] == 2_500


def test_an_empty_batch_is_taken_when_a_client_has_nothing_to_say(post: Post) -> None:
    assert post({"batch": []}).json() == {"success": True, "accepted": 0, "duplicates": 0, "rejected": 0}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain; charset=utf-16", "x"])
@pytest.mark.parametrize("encoding", ["gzip", ""])
def test_a_packed_body_is_read_when_it_is_labelled_wrongly(post: Post, content_type: str, encoding: str) -> None:
    packed = gzip.compress(json.dumps({"batch": [call()]}).encode())

    answer = post(packed, content_type=content_type, Content_Encoding=encoding)

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize(("encoding", "code"), [("br", "unsupported_encoding"), ("gzip", "malformed_gzip")])
def test_a_plain_body_is_refused_when_it_says_it_is_packed(post: Post, encoding: str, code: str) -> None:
    answer = post({"batch": [call()]}, Content_Encoding=encoding)

    assert answer.status_code == 400
    assert answer.json()["code"] == code


@pytest.mark.parametrize("key", ["unknown", "", "\u043a\u043b\u044e\u0447", "a" * 10_000])
@pytest.mark.parametrize("body", [b'{"batch": []}', b"{", json.dumps({"batch": [call()]}).encode()])
def test_nothing_is_taken_when_the_key_is_unknown(post: Post, key: str, body: bytes) -> None:
    AccountFactory(external_id="acme")

    answer = post(body, key=key)

    assert answer.status_code == (400 if body == b"{" and not key else 401)
    assert set(answer.json()) == {"success", "code", "message"}
    assert nothing_was_taken()
    assert not RejectedEvent.objects.exists()


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Bearer x", "Basic", "", "Digest a=b"])
def test_the_key_is_missing_when_the_header_cannot_be_read(client: Client, header: str) -> None:
    answer = client.post(
        "/v1/batch", data={"batch": [call()]}, content_type="application/json", headers={"Authorization": header}
    )

    assert answer.status_code == 401
    assert answer.json()["code"] == "unknown_write_key"


@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "patch"])
def test_only_posts_are_taken_when_a_client_tries_another_method(client: Client, method: str) -> None:
    answer = getattr(client, method)("/v1/batch")

    assert answer.status_code == 405
    assert answer["Allow"] == "POST, OPTIONS"
