from __future__ import annotations

import smtplib
import time
from contextlib import suppress
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from outbox.models import Message
from outbox.services.smtp import NeverDelivers, NoSuchMailbox, ServerAway, TryLater, send_email

LEASE = timedelta(minutes=10)
"""Longer than a worker may spend on a run (the task's time limit), so that no two send the same message."""
RUN = timedelta(minutes=1)
MAX_ATTEMPTS = 16
"""With the waits below, about two days: as long as mail servers themselves try."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)

_chance = SystemRandom()


def deliver_due(*, now: datetime, limit: int) -> int:
    """Send up to ``limit`` messages that are due at ``now``; returns how many were sent.

    Each message is claimed in one short transaction, sent outside any, and its outcome written in another. A worker
    that dies in between leaves a lease that runs out, after which the message is tried again: it may arrive twice
    (with one Message-ID) and is never lost. When the server cannot be reached the run ends, so that an outage does
    not use up the tries of all that wait.
    """
    started = time.monotonic()
    _park_deadly(now=now)
    connection = get_connection()
    sent = 0
    for _turn in range(limit):
        at = now + timedelta(seconds=time.monotonic() - started)
        if at - now > RUN or (message := _claim(now=at)) is None:
            break
        try:
            send_email(message, connection)
        except NoSuchMailbox as failure:
            _settle(message, status=Message.Status.REFUSED, payload={}, error=failure.reason)
        except NeverDelivers as failure:
            _settle(message, status=Message.Status.PARKED, error=failure.reason)
        except TryLater as failure:
            _put_off(message, reason=failure.reason, now=at)
            _close(connection)
            if isinstance(failure, ServerAway):
                break
        else:
            sent += _settle(message, status=Message.Status.SENT, payload={}, error="", sent_at=at)
    _close(connection)
    return sent


@transaction.atomic
def _claim(*, now: datetime) -> Message | None:
    message = Message.objects.due(now).select_for_update(skip_locked=True).first()
    if message is not None:
        message.attempts += 1
        message.leased_until = now + LEASE
        message.save(update_fields=["attempts", "leased_until"])
    return message


def _settle(message: Message, **outcome: Any) -> int:
    """Write what came of a try; 0 when the lease had run out and another worker has taken the message over."""
    return Message.objects.filter(
        pk=message.pk, status=Message.Status.PENDING, attempts=message.attempts, leased_until=message.leased_until
    ).update(leased_until=None, **outcome)


def _put_off(message: Message, *, reason: str, now: datetime) -> None:
    if message.attempts >= MAX_ATTEMPTS:
        _settle(message, status=Message.Status.PARKED, error=reason)
    else:
        _settle(message, due_at=now + wait_after(message.attempts), error=reason)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many tries: twice as long each time up to six hours, a quarter more or less."""
    wait: timedelta = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * _chance.uniform(0.75, 1.25)


def _park_deadly(*, now: datetime) -> None:
    """Give up messages whose every try ended with the worker's death, so that the others go on."""
    Message.objects.filter(status=Message.Status.PENDING, leased_until__lte=now, attempts__gte=MAX_ATTEMPTS).update(
        status=Message.Status.PARKED, leased_until=None, error="the worker died at every try"
    )


def _close(connection: BaseEmailBackend) -> None:
    # What was sent is sent: a goodbye that fails changes nothing.
    with suppress(smtplib.SMTPException, OSError):
        connection.close()
