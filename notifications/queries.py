from __future__ import annotations

from accounts.models import User
from common.sql import SQL, rows, value
from notifications.kinds import KINDS

MOST_COUNTED = 100
UNREAD = SQL("""
SELECT count(*) FROM (
    SELECT FROM notifications_notification WHERE user_id = {user} AND read_at IS NULL AND kind = ANY({kinds})
    LIMIT {most}
) unread
""")


def unread_of(user: User) -> int:
    """How many notifications somebody has not read, up to MOST_COUNTED."""
    [(unread,)] = rows(UNREAD.format(user=value(user.pk), kinds=value(list(KINDS)), most=value(MOST_COUNTED)))
    return int(unread)
