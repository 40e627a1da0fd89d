from surveys.services.answers import answer
from surveys.services.invitations import invite, mark_bounces, send_held_back, unsubscribe
from surveys.services.reminders import remind, remind_held_back, set_reminder

__all__ = [
    "answer",
    "invite",
    "mark_bounces",
    "remind",
    "remind_held_back",
    "send_held_back",
    "set_reminder",
    "unsubscribe",
]
