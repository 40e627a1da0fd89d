"""From the body of a tracking request to typed calls, or to the reason why not. Nothing here asks the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import msgspec
from django.utils.text import slugify

from common.text import storable
from usage.services.strict_json import BadRequest, read_json

KINDS = ("track", "identify", "group", "page", "screen", "alias")
ACTIVITY = ("track", "page", "screen")
"""The kinds that say that somebody used the product; the others say who they are, and may come from a server's job."""

MAX_BODY = 500 * 1024
MAX_EVENT = 32 * 1024
MAX_BATCH = 2_500
MAX_TEXT = 200
FEATURE_KEY = 64

_Id = str | int | float | None


class _Incoming(msgspec.Struct, rename="camel"):
    """One call as the SDKs send it."""

    type: str | None = None
    message_id: _Id = None
    user_id: _Id = None
    anonymous_id: _Id = None
    group_id: _Id = None
    previous_id: _Id = None
    event: str | None = None
    name: str | None = None
    timestamp: datetime | None = None
    original_timestamp: datetime | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class _Envelope(msgspec.Struct, rename="camel"):
    """What stands around the calls of a request."""

    sent_at: datetime | None = None
    write_key: str | None = None
    batch: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call that can be taken: ``properties`` are its traits where it is about a person or a group."""

    index: int
    kind: str
    message_id: str
    name: str
    feature: str
    user_id: str
    anonymous_id: str
    group_id: str
    previous_id: str
    timestamp: datetime | None
    properties: dict[str, Any]
    body: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call that cannot be taken, and why; ``body`` is the call as JSON."""

    index: int
    message_id: str
    code: str
    message: str
    body: str


@dataclass(frozen=True, slots=True)
class Payload:
    """A request's calls in the order they were sent, each message id once, and those that are refused."""

    write_key: str
    sent_at: datetime | None
    calls: Sequence[Call]
    refused: Sequence[Refusal]
    repeated: int


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_encode = msgspec.json.Encoder().encode


def parse(body: bytes, *, kind: str | None) -> Payload:
    """Read a request: one call of ``kind``, or a batch when that is None.

    Raises BadRequest when the body is no JSON, is no object, or holds more than a request may.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object.", code="not_an_object")
    try:
        envelope = msgspec.convert(document, _Envelope)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{error}.", code="invalid_request") from error
    if kind is None:
        items = envelope.batch
        if items is None:
            raise BadRequest("`batch` is missing: send a list of calls.", code="missing_batch")
        if len(items) > MAX_BATCH:
            raise BadRequest(f"A batch holds at most {MAX_BATCH:,} calls.", code="batch_too_long")
    else:
        items = [{**document, "type": kind}]
    calls: dict[str, Call] = {}
    refused: list[Refusal] = []
    repeated = 0
    for index, item in enumerate(items):
        try:
            call = _call(index, item)
        except _Refused as reason:
            refused.append(Refusal(index, _said_id(item), reason.code, reason.message, _kept(item)))
        else:
            repeated += call.message_id in calls
            calls.setdefault(call.message_id, call)
    return Payload(
        write_key=envelope.write_key or "",
        sent_at=envelope.sent_at,
        calls=list(calls.values()),
        refused=refused,
        repeated=repeated,
    )


def refusal(call: Call, code: str, message: str) -> Refusal:
    """Refuse a call that could be read."""
    return Refusal(call.index, call.message_id, code, message, _kept(call.body))


def _call(index: int, item: Any) -> Call:
    if not isinstance(item, dict):
        raise _Refused("not_an_object", "A call must be a JSON object.")
    _check_stored(item)
    try:
        sent = msgspec.convert(item, _Incoming)
    except msgspec.ValidationError as error:
        raise _Refused("invalid_event", f"{error}.") from error
    kind = sent.type
    if kind not in KINDS:
        raise _Refused("unknown_type", f"`type` must be one of {', '.join(KINDS)}.")
    message_id = _text(sent.message_id, "messageId")
    if not message_id:
        raise _Refused("missing_message_id", "`messageId` is missing: without it a repeated delivery counts twice.")
    user_id, anonymous_id = _text(sent.user_id, "userId"), _text(sent.anonymous_id, "anonymousId")
    group_id = _text(sent.group_id if kind == "group" else (sent.context or {}).get("groupId"), "groupId")
    previous_id = _text(sent.previous_id, "previousId") if kind == "alias" else ""
    name = _text(sent.event if kind == "track" else sent.name, "event" if kind == "track" else "name")
    _check_needed(
        kind, user_id=user_id, anonymous_id=anonymous_id, group_id=group_id, previous_id=previous_id, name=name
    )
    if kind in {"identify", "group"}:
        properties = {**_traits_in_context(sent), **(sent.traits or {})}
    else:
        properties = sent.properties or {}
    return Call(
        index=index,
        kind=kind,
        message_id=message_id,
        name=name,
        feature=feature_key(name) if kind == "track" else "",
        user_id=user_id,
        anonymous_id="" if user_id else anonymous_id,
        group_id=group_id,
        previous_id=previous_id,
        timestamp=sent.timestamp or sent.original_timestamp,
        properties=properties,
        body=item,
    )


def _check_stored(item: dict[str, Any]) -> None:
    """Refuse what the database cannot keep."""
    try:
        encoded = _encode(item)
    except UnicodeEncodeError:
        raise _Refused("unstorable_text", "A text holds half of a surrogate pair: send whole characters.") from None
    except (RecursionError, ValueError, OverflowError):
        raise _Refused("invalid_event", "The call holds a value that cannot be kept.") from None
    if len(encoded) > MAX_EVENT:
        raise _Refused("event_too_large", f"A call holds at most {MAX_EVENT // 1024} KB.")
    if b"\\u0000" in encoded and not _all_storable(item):
        raise _Refused("unstorable_text", "A text holds the NUL character: leave it out.")


def _all_storable(value: Any) -> bool:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return all(storable(key) and _all_storable(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_all_storable, value))
    return True


def _check_needed(kind: str, *, user_id: str, anonymous_id: str, group_id: str, previous_id: str, name: str) -> None:
    if kind == "track" and not name:
        raise _Refused("missing_event", "`event` is missing: name what the user did.")
    if kind == "alias" and not (previous_id and user_id):
        raise _Refused("missing_user", "`alias` needs `previousId` and `userId`.")
    if kind == "group" and not group_id:
        raise _Refused("missing_group", "`group` needs `groupId`.")
    if not (user_id or anonymous_id or (group_id and kind != "group")):
        raise _Refused("missing_user", "`userId` or `anonymousId` is missing.")


def _text(value: Any, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Refused("invalid_event", f"`{field}` must be a text or a number.")
        value = str(value)
    text: str = value.strip()
    if len(text) > MAX_TEXT:
        raise _Refused("too_long", f"`{field}` holds at most {MAX_TEXT} characters.")
    return text


def _traits_in_context(sent: _Incoming) -> dict[str, Any]:
    traits = (sent.context or {}).get("traits")
    return cast("dict[str, Any]", traits) if isinstance(traits, dict) else {}


def _said_id(item: Any) -> str:
    said = item.get("messageId") if isinstance(item, dict) else None
    return said[:MAX_TEXT].encode(errors="replace").decode().replace("\x00", "") if isinstance(said, str) else ""


def _kept(item: Any) -> str:
    """A refused call as JSON that can be stored: text that cannot be stays escaped."""
    try:
        return json.dumps(item, ensure_ascii=True)
    except RecursionError:
        return ""


@lru_cache(maxsize=10_000)
def feature_key(name: str) -> str:
    """The key of the feature that an event's name stands for: `Message sent` and `message-sent` are one feature."""
    key = slugify(name)
    if key and len(key) <= FEATURE_KEY:
        return key
    digest = sha256(name.casefold().encode()).hexdigest()[:12]
    return f"{key[: FEATURE_KEY - 13] or 'event'}-{digest}"
