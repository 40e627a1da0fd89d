from surveys.services.answers import answer
from surveys.services.invitations import invite, mark_bounces, send_held_back, unsubscribe

__all__ = ["answer", "invite", "mark_bounces", "send_held_back", "unsubscribe"]
