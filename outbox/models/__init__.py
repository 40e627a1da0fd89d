from outbox.models.budget import ContactBudget, ContactSend, HeldBack, Kind
from outbox.models.destination import Destination
from outbox.models.message import Message, MessageQuerySet, Withdrawal

__all__ = [
    "ContactBudget",
    "ContactSend",
    "Destination",
    "HeldBack",
    "Kind",
    "Message",
    "MessageQuerySet",
    "Withdrawal",
]
