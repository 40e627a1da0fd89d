from surveys.services.answers import answer
from surveys.services.invitations import invite, mark_bounces, unsubscribe

__all__ = ["answer", "invite", "mark_bounces", "unsubscribe"]
