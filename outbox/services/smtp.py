"""The e-mail channel: one message over a connection to the SMTP server, and what its answer means."""

from __future__ import annotations

import re
import smtplib
from contextlib import suppress
from datetime import datetime
from email.utils import parseaddr
from hashlib import sha256
from typing import cast

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from outbox.models import Message, MessageQuerySet
from outbox.services.enqueue import Email
from outbox.services.failures import Away, Failed, NeverDelivers, NoSuchMailbox, TryLater

POLICY = re.compile(r"^5\.7\.")


class Mail:
    """Carries e-mail over one connection, which is made anew after a failure."""

    def __init__(self) -> None:
        self._connection = get_connection()

    def due(self, now: datetime) -> MessageQuerySet:
        return Message.objects.due(now).filter(channel=Message.Channel.EMAIL)

    def send(self, message: Message, now: datetime) -> None:
        send_email(message, self._connection)

    def tried(self, message: Message, failure: Failed | None, now: datetime) -> bool:
        """When the server cannot be reached the run ends, so that an outage does not use up the tries of all."""
        if isinstance(failure, TryLater):
            self.close()
        return not isinstance(failure, Away)

    def close(self) -> None:
        # What was sent is sent: a goodbye that fails changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            self._connection.close()


def message_id(message: Message) -> str:
    """The Message-ID header: the same at every try, so that a mail delivered twice is recognised as one."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{sha256(message.dedupe_key.encode()).hexdigest()[:32]}@{domain}>"


def send_email(message: Message, connection: BaseEmailBackend) -> None:
    """Hand ``message`` to the SMTP server; raises a kind of Failed when it did not take it.

    A connection that drops after the body was sent is a TryLater: the server may have taken the message, and two
    copies with one Message-ID are better than none.
    """
    payload = cast("Email", message.payload)
    email = EmailMultiAlternatives(
        subject=message.subject,
        body=payload["text"],
        to=[message.recipient],
        headers={**payload["headers"], "Message-ID": message_id(message)},
        connection=connection,
    )
    if payload["html"]:
        email.attach_alternative(payload["html"], "text/html")
    _open(connection)
    try:
        email.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(*next(iter(error.recipients.values()))) from error
    except smtplib.SMTPDataError as error:
        raise (NeverDelivers if error.smtp_code >= 500 else TryLater)(
            _said(error.smtp_code, error.smtp_error)
        ) from error
    except smtplib.SMTPResponseException as error:
        # The sender was refused: the set-up is wrong, not this message.
        raise TryLater(_said(error.smtp_code, error.smtp_error)) from error
    except OSError as error:  # every other error of smtplib is one too
        raise TryLater(str(error) or type(error).__name__) from error
    except ValueError as error:
        raise NeverDelivers(str(error)) from error


def _open(connection: BaseEmailBackend) -> None:
    try:
        connection.open()
    except smtplib.SMTPResponseException as error:
        raise Away(_said(error.smtp_code, error.smtp_error)) from error
    except OSError as error:
        raise Away(str(error) or type(error).__name__) from error


def _refused(code: int, answer: bytes | str) -> Failed:
    said = _said(code, answer)
    if code < 500:
        return TryLater(said)
    # 5.7.x is a refusal by policy (relaying, reputation), which says nothing about the mailbox.
    return NeverDelivers(said) if POLICY.match(_words(answer)) else NoSuchMailbox(said)


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _said(code: int, answer: bytes | str) -> str:
    return f"{code} {_words(answer)}"[:1000].replace("\x00", "")
