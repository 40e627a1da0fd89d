from outbox.models.budget import ContactBudget, ContactSend, HeldBack, Kind
from outbox.models.message import Message, MessageQuerySet

__all__ = ["ContactBudget", "ContactSend", "HeldBack", "Kind", "Message", "MessageQuerySet"]
