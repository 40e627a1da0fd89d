"""The private addresses at which calendars read people's tasks."""

from __future__ import annotations

import secrets
from datetime import datetime

from accounts.models import User
from accounts.services.keys import digest_of
from playbooks.models import CalendarFeed


def open_feed(*, user: User, now: datetime) -> str:
    """Give ``user`` a new token, which is shown this once; an older one stops working."""
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(
        user=user, defaults={"digest": digest_of(token), "created_at": now, "read_at": None}
    )
    return token


def close_feed(*, user: User) -> None:
    """Let no calendar read the tasks of ``user`` any more."""
    CalendarFeed.objects.filter(user=user).delete()


def read_feed(*, token: str, now: datetime) -> User | None:
    """Whose token it is, noting that it was used; None for one that does not work, or somebody who left."""
    feed = CalendarFeed.objects.select_related("user").filter(digest=digest_of(token), user__is_active=True).first()
    if feed is None:
        return None
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return feed.user
