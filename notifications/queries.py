from __future__ import annotations

from accounts.models import User
from notifications.kinds import KINDS
from notifications.models import Notification

MOST_COUNTED = 100


def unread_of(user: User) -> int:
    """How many notifications somebody has not read, up to MOST_COUNTED."""
    return Notification.objects.filter(user=user, read_at=None, kind__in=KINDS)[:MOST_COUNTED].count()
