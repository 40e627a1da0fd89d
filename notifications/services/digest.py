"""The daily mail: in the morning of a working day, where its reader is, with what was not read by then."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.calendar import Calendar
from accounts.models import User, Workspace
from notifications.kinds import Channel
from notifications.models import Digest, Notification
from notifications.services.mail import owe_digest

HOUR = 8
"""Not before eight in the morning of the reader."""
MOST = 200


def send_digests(*, now: datetime) -> int:
    """Owe the daily mail of everybody whose morning has come and who has something unread for it; returns how many.

    One a person and day, whatever runs twice or at once. On a day off nothing is written; it waits for the next day.
    """
    workspace, calendar = Workspace.current(), Calendar.current()
    waiting = Notification.objects.filter(channel=Channel.DIGEST, read_at=None, mailed_at=None)
    written = 0
    for user in User.objects.filter(is_active=True, pk__in=waiting.values("user")).order_by("pk"):
        local = now.astimezone(ZoneInfo(user.time_zone) if user.time_zone else workspace.zone)
        if local.hour >= HOUR and calendar.is_business_day(local.date()):
            written += _send(user, local.date(), now)
    return written


@transaction.atomic
def _send(user: User, day: date, now: datetime) -> bool:
    Digest.objects.bulk_create([Digest(user=user, day=day)], ignore_conflicts=True)
    taken = Notification.objects.filter(user=user, channel=Channel.DIGEST, read_at=None, mailed_at=None)
    unread = list(taken.select_related("account").select_for_update(of=("self",), skip_locked=True)[:MOST])
    if not unread:
        return False
    owe_digest(user, unread, day=day, now=now)
    Notification.objects.filter(pk__in=[one.pk for one in unread]).update(mailed_at=now)
    return True
