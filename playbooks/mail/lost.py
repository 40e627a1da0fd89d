"""Mails of runs that were written and did not go out."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outbox.models import Message, Withdrawal
from playbooks.models import WrittenEmail


def lost_words(emails: Collection[int]) -> dict[int, str]:
    """By id those of ``emails`` that will not arrive, as things stand, with what became of each; one query."""
    if not emails:
        return {}
    lost = [Message.Status.PARKED, Message.Status.REFUSED, Message.Status.WITHDRAWN]
    found = WrittenEmail.objects.filter(pk__in=emails, message__status__in=lost).select_related("contact", "message")
    return {email.pk: _words(email, email.message) for email in found.defer("message__payload") if email.message}


def _words(email: WrittenEmail, message: Message) -> str:
    words = {"subject": email.subject, "contact": email.contact.name, "tries": message.attempts}
    match message.status:
        case Message.Status.WITHDRAWN:
            words["because"] = str(Withdrawal(message.withdrawn_because).label)
            return _("“%(subject)s” to %(contact)s was withdrawn before it was sent: %(because)s.") % words
        case Message.Status.REFUSED:
            return _("“%(subject)s” to %(contact)s came back: there is no such mailbox.") % words
    given_up = ngettext(
        "“%(subject)s” to %(contact)s was given up after %(tries)s try.",
        "“%(subject)s” to %(contact)s was given up after %(tries)s tries.",
        message.attempts,
    )
    return given_up % words
