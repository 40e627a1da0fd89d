"""Taking tracking calls: two statements a batch, the second of which stores, counts and notes in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from accounts.models import Workspace
from accounts.services.keys import digest_of
from common.errors import DomainError
from common.partitions import ensure_months, first_of_month
from usage.models import RejectedEvent, WriteKey
from usage.services.attribution import ACTIVE, KINDS_OF_ACTIVITY, PLACE_OF_USER, settle
from usage.services.features import ensure_features
from usage.services.identity import IDENTITY, Dated, apply_identity
from usage.services.parse import Call, Payload, Refusal, refusal
from usage.services.rollup import CALENDAR, ROLL_UP, ensure_calendar
from usage.services.statements import run_prepared

FUTURE = timedelta(hours=24)
PAST = timedelta(days=5 * 366)
"""Each month of usage is a table of its own, so a clock that stands at 1970 must not make six hundred of them."""

ON_THE_WAY = timedelta(minutes=1)
"""A smaller difference between the time of sending and of receipt is the network's and not a wrong clock."""

KEY_USE_NOTED_EVERY = timedelta(minutes=1)


class UnknownWriteKey(DomainError):
    """Nobody may write with this key."""

    code = "unknown_write_key"
    status = 401


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: calls taken now, calls taken before, and calls refused."""

    accepted: int
    duplicates: int
    refused: Sequence[Refusal]


@dataclass(frozen=True, slots=True)
class _Ready:
    """What the database says before a batch is written."""

    write_key_id: int | None
    zone: ZoneInfo
    features: dict[str, int]


class _Row(msgspec.Struct):
    """One call on its way into the database; a batch goes as one JSON value, the cheapest way there is."""

    m: str
    t: datetime
    k: str
    n: str
    u: str
    a: str
    g: str
    f: int | None
    p: dict[str, Any]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, int]).decode

_PREFLIGHT = """
SELECT k.id, k.last_used_at, (SELECT time_zone FROM accounts_workspace), EXISTS (SELECT 1 FROM usage_usagecalendar),
    ARRAY(SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL),
    (SELECT coalesce(jsonb_object_agg(key, id), '{}') FROM usage_feature WHERE key = ANY(%s))
FROM (VALUES (1)) one LEFT JOIN usage_writekey k ON k.digest = %s AND k.revoked_at IS NULL
"""

_WRITE = f"""
WITH {CALENDAR},
sent AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb)
    AS call (m text, t timestamptz, k text, n text, u text, a text, g text, f bigint, p jsonb)
),
fresh AS (
    INSERT INTO usage_seenmessage (message_id, received_at) SELECT m, %s FROM sent
    ON CONFLICT DO NOTHING RETURNING message_id
),
named AS (
    SELECT sent.m, sent.t AS occurred_at, sent.k AS kind, sent.n AS name, sent.g AS group_id, sent.f AS feature_id,
        sent.p, coalesce(merged.user_id, sent.u) AS user_id,
        CASE WHEN merged.user_id IS NULL THEN sent.a ELSE '' END AS anonymous_id,
        (sent.t AT TIME ZONE %s)::date AS day
    FROM sent JOIN fresh ON fresh.message_id = sent.m
    LEFT JOIN usage_useralias merged ON merged.previous_id = CASE sent.u WHEN '' THEN sent.a ELSE sent.u END
),
placed AS MATERIALIZED (
    SELECT n.*, CASE WHEN n.group_id <> '' THEN grouped.id ELSE lone.account_id END AS account_id
    FROM named n LEFT JOIN accounts_account grouped ON grouped.external_id = n.group_id AND n.group_id <> ''
    LEFT JOIN LATERAL (
        SELECT place.account_id FROM (
            SELECT CASE n.group_id WHEN '' THEN nullif(n.user_id, '') END AS user_id, n.occurred_at
        ) e CROSS JOIN LATERAL ({PLACE_OF_USER}) place
    ) lone ON true
),
stored AS (
    INSERT INTO usage_trackedevent (
        received_at, message_id, occurred_at, kind, name, user_id, anonymous_id, group_id, account_id, feature_id,
        properties
    )
    SELECT %s, m, occurred_at, kind, name, user_id, anonymous_id, group_id, account_id, feature_id, p FROM placed
),
counted AS MATERIALIZED (
    SELECT account_id, feature_id, day, count(*)::integer AS count FROM placed
    WHERE account_id IS NOT NULL AND feature_id IS NOT NULL GROUP BY account_id, feature_id, day
),
active AS MATERIALIZED (
    SELECT account_id, user_id, occurred_at, day FROM placed
    WHERE account_id IS NOT NULL AND kind IN ({KINDS_OF_ACTIVITY})
),
{ROLL_UP},
{ACTIVE}
SELECT count(*) FROM fresh
"""


def ingest_batch(*, key: str, payload: Payload, received_at: datetime) -> Outcome:
    """Take a batch: store its calls, count them and note who was active, or do nothing at all.

    A message id that was taken before is not counted again. Refused calls are kept with their reason.
    Raises UnknownWriteKey.
    """
    shift = _clock_error(payload.sent_at, received_at)
    ready = _prepare(digest_of(key), payload.calls, shift, received_at)
    if ready.write_key_id is None:
        raise UnknownWriteKey("The write key is missing, unknown or revoked.")
    return _take(payload, shift, ready, received_at)


def ingest_parsed(*, payload: Payload, received_at: datetime) -> Outcome:
    """Take calls that no product sends now, such as those that were refused once; they are not kept if refused."""
    ready = _prepare("", payload.calls, timedelta(), received_at)
    return _take(payload, timedelta(), ready, received_at)


def _take(payload: Payload, shift: timedelta, ready: _Ready, received_at: datetime) -> Outcome:
    dated, late_refused = _date(payload.calls, shift, received_at, ready.zone)
    refused = sorted([*payload.refused, *late_refused], key=lambda each: each.index)
    identity = [each for each in dated if each.call.kind in IDENTITY]
    if identity or refused:
        with transaction.atomic():
            if ready.write_key_id is not None:
                _keep_refused(refused, ready.write_key_id, received_at)
            changed = apply_identity(calls=identity, zone=ready.zone.key, now=received_at)
            accepted = _write(dated, ready, received_at)
            settle(changed=changed)
    else:
        accepted = _write(dated, ready, received_at)
    return Outcome(accepted=accepted, duplicates=len(dated) - accepted + payload.repeated, refused=refused)


def write_key_of(key: str) -> WriteKey:
    """The record of a write key that may be used; raises UnknownWriteKey."""
    found = WriteKey.objects.filter(digest=digest_of(key), revoked_at=None).first() if key else None
    if found is None:
        raise UnknownWriteKey("The write key is missing, unknown or revoked.")
    return found


def _clock_error(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """How far the sender's clock is behind ours."""
    error = received_at - _aware(sent_at) if sent_at is not None else timedelta()
    return error if abs(error) >= ON_THE_WAY else timedelta()


def _aware(stamp: datetime) -> datetime:
    return stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)


def _prepare(digest: str, calls: Sequence[Call], shift: timedelta, received_at: datetime) -> _Ready:
    """Look the key up, and if it is good see that what the calls need is there: features, months, the calendar."""
    names = {call.feature: call.name for call in calls if call.feature}
    months = _months(calls, shift, received_at)
    row = run_prepared(_PREFLIGHT, (list(months), list(names), digest))
    key_id, noted_at, zone, has_calendar, missing_months, known = row or (None, None, None, True, [], "{}")
    if digest and key_id is None:
        return _Ready(write_key_id=None, zone=ZoneInfo("UTC"), features={})
    if key_id is not None and (noted_at is None or received_at - noted_at > KEY_USE_NOTED_EVERY):
        WriteKey.objects.filter(pk=key_id).update(last_used_at=received_at)
    if not has_calendar:
        ensure_calendar(now=received_at)
    for partition in missing_months:
        table, first = months[partition]
        with transaction.atomic():
            ensure_months(table, first, first)
    features = _decode(known)
    if len(features) < len(names):
        features = ensure_features(names=names)
    return _Ready(write_key_id=key_id, zone=ZoneInfo(zone) if zone else Workspace.current().zone, features=features)


def _months(calls: Sequence[Call], shift: timedelta, received_at: datetime) -> dict[str, tuple[str, date]]:
    """The partitions that the calls go to, by name, with table and first day.

    Within two days of a month's end, the workspace's zone decides which of two it is: then it is both.
    """
    months = {(received_at.year, received_at.month)}
    for call in calls:
        at = received_at if call.timestamp is None else _corrected(_aware(call.timestamp), shift)
        if _refused_date(at, received_at):
            continue
        months.add((at.year, at.month))
        if not 2 < at.day < 27:
            before, after = at - timedelta(days=2), at + timedelta(days=2)
            months |= {(before.year, before.month), (after.year, after.month)}
    found = {}
    for year, month in months:
        first = date(year, month, 1)
        found[f"usage_dailyusage_{first:%Y_%m}"] = ("usage_dailyusage", first)
    current = first_of_month(received_at.astimezone(UTC).date())
    found[f"usage_trackedevent_{current:%Y_%m}"] = ("usage_trackedevent", current)
    return found


def _corrected(stamp: datetime, shift: timedelta) -> datetime:
    """``stamp`` by our clock; one at the end of the calendar is left where it is, to be refused."""
    try:
        return stamp + shift
    except OverflowError:
        return stamp


def _refused_date(at: datetime, received_at: datetime) -> str:
    if at > received_at + FUTURE:
        return "in_the_future"
    return "too_old" if at < received_at - PAST else ""


def _date(
    calls: Sequence[Call], shift: timedelta, received_at: datetime, zone: ZoneInfo
) -> tuple[list[Dated], list[Refusal]]:
    """Put the calls on our clock; a time without an offset is the workspace's."""
    dated, refused = [], []
    for call in calls:
        at = received_at
        if call.timestamp is not None:
            stamp = call.timestamp
            if stamp.tzinfo is None and 1 < stamp.year < 9999:
                stamp = stamp.replace(tzinfo=zone)
            at = _corrected(_aware(stamp), shift)
        reason = _refused_date(at, received_at)
        if reason:
            refused.append(refusal(call, reason, _DATE_REFUSED[reason]))
        else:
            dated.append(Dated(call, at))
    return dated, refused


_DATE_REFUSED = {
    "in_the_future": "`timestamp` lies more than 24 hours ahead: check the sender's clock, or send `sentAt`.",
    "too_old": "`timestamp` lies more than five years back.",
}


def _keep_refused(refused: Sequence[Refusal], write_key_id: int, received_at: datetime) -> None:
    RejectedEvent.objects.bulk_create(
        RejectedEvent(
            received_at=received_at,
            write_key_id=write_key_id,
            code=each.code,
            message=each.message[:300],
            body=each.body,
        )
        for each in refused
    )


def _write(dated: Sequence[Dated], ready: _Ready, received_at: datetime) -> int:
    """Store and count the calls that were not taken before; returns how many those were."""
    if not dated:
        return 0
    features = ready.features
    # In the order of their ids, so that two deliveries of the same calls cannot wait for each other in a circle.
    batch = [
        _Row(
            call.message_id,
            at,
            call.kind,
            call.name,
            call.user_id,
            call.anonymous_id,
            call.group_id,
            features.get(call.feature),
            call.properties,
        )
        for call, at in sorted(dated, key=lambda each: each.call.message_id)
    ]
    row = run_prepared(_WRITE, (_encode(batch).decode(), received_at, ready.zone.key, received_at))
    return int(row[0]) if row else 0
