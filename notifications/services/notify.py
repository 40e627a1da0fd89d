"""Telling people: a row for each of them, and a mail where somebody wants one at once, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from accounts.models import User
from accounts.services.ledger import take_events
from notifications.kinds import KINDS, Channel, Kind, Staff
from notifications.models import Notification, Preference
from notifications.services.mail import owe_one

CONSUMER = "notifications"
READ_KEPT = timedelta(days=90)
KEPT = timedelta(days=365)
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Notice:
    """What ``user_id`` is to be told, once for each ``key``, of what happened ``at``."""

    kind: Kind
    user_id: int
    account_id: int | None
    data: Mapping[str, Any]
    key: str
    at: datetime


def notify(
    *,
    kind: Kind,
    user_ids: Iterable[int],
    account_id: int | None,
    data: Mapping[str, Any],
    key: str,
    now: datetime,
    by_mail: bool = False,
) -> int:
    """Tell these people, as each wants to be told, or also by mail at once; returns how many were told.

    In the caller's transaction. ``key`` names the reason: a second call with the same key tells nobody again.
    """
    notices = [Notice(kind, user_id, account_id, data, key, now) for user_id in user_ids]
    return _tell(notices, now, channel=Channel.AT_ONCE if by_mail else None)


@transaction.atomic
def consume_events(*, now: datetime, limit: int) -> int:
    """Take up to ``limit`` events and tell those whom they concern; returns how many were taken.

    Taking an event and telling of it are one transaction: nobody is told twice, and nothing is lost.
    """
    events = take_events(consumer=CONSUMER, limit=limit)
    kinds: dict[str, list[Kind]] = defaultdict(list)
    for kind in KINDS.values():
        kinds[kind.event].append(kind)
    wanted = [event for event in events if event.kind in kinds]
    models.prefetch_related_objects(wanted, "account")
    staff = Staff()
    _tell(
        [
            Notice(kind, user_id, event.account_id, event.data, f"event:{event.pk}:{kind.key}", event.happened_at)
            for event in wanted
            for kind in kinds[event.kind]
            for user_id in dict.fromkeys(kind.concerns(event, staff))
            if user_id is not None and user_id != event.user_id
        ],
        now,
    )
    return len(events)


@transaction.atomic
def _tell(notices: Sequence[Notice], now: datetime, *, channel: Channel | None = None) -> int:
    people = User.objects.filter(is_active=True).in_bulk({notice.user_id for notice in notices})
    chosen = {
        (user_id, kind): wanted
        for user_id, kind, wanted in Preference.objects.filter(user__in=people).values_list("user", "kind", "channel")
    }
    told = []
    for notice in notices:
        wanted = Channel(chosen.get((notice.user_id, notice.kind.key), notice.kind.channel))
        if notice.user_id in people and wanted != Channel.OFF:
            told.append(
                Notification(
                    user=people[notice.user_id],
                    kind=notice.kind.key,
                    account_id=notice.account_id,
                    data=dict(notice.data),
                    key=notice.key,
                    channel=channel or wanted,
                    created_at=notice.at,
                )
            )
    if not told:
        return 0
    Notification.objects.bulk_create(told, ignore_conflicts=True)
    mailed = [one for one in told if one.channel == Channel.AT_ONCE]
    models.prefetch_related_objects(mailed, "account")
    for one in mailed:
        owe_one(one, now=now)
    return len(told)


def prune(*, now: datetime) -> int:
    """Delete what was read long ago and what is older still; returns how much."""
    old = models.Q(created_at__lt=now - KEPT) | models.Q(created_at__lt=now - READ_KEPT, read_at__isnull=False)
    some = Notification.objects.filter(old).order_by("created_at").values("pk")[:AT_ONCE]
    return Notification.objects.filter(pk__in=some).delete()[0]
