"""What somebody does with what they were told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import User
from notifications.models import Notification, Preference


def mark_read(*, user: User, ids: list[int], now: datetime) -> int:
    """Mark those of one's own notifications as read; returns how many were not."""
    return Notification.objects.filter(user=user, pk__in=ids, read_at=None).update(read_at=now)


def mark_all_read(*, user: User, now: datetime) -> int:
    """Mark all of one's own notifications as read; returns how many were not."""
    return Notification.objects.filter(user=user, read_at=None).update(read_at=now)


def unread_again(*, user: User, read_at: datetime) -> int:
    """Take back what ``mark_all_read`` did at this instant; returns how many are unread again."""
    return Notification.objects.filter(user=user, read_at=read_at).update(read_at=None)


@transaction.atomic
def set_preferences(*, user: User, channels: Mapping[str, str]) -> None:
    """Keep how somebody wants to be told, by kind."""
    Preference.objects.bulk_create(
        [Preference(user=user, kind=kind, channel=channel) for kind, channel in channels.items()],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["channel"],
    )
