from notifications.services.digest import send_digests
from notifications.services.notify import consume_events, notify, prune
from notifications.services.reading import mark_all_read, mark_read, set_preferences, unread_again

__all__ = [
    "consume_events",
    "mark_all_read",
    "mark_read",
    "notify",
    "prune",
    "send_digests",
    "set_preferences",
    "unread_again",
]
