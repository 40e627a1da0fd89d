from __future__ import annotations

import time
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Protocol

from django.db import transaction

from outbox.models import Message, MessageQuerySet
from outbox.services.failures import Failed, NeverDelivers, NoSuchMailbox, TryLater
from outbox.services.hooks import Hooks
from outbox.services.smtp import Mail

LEASE = timedelta(minutes=10)
"""Longer than a worker may spend on a run (the task's time limit), so that no two send the same message."""
RUN = timedelta(minutes=1)
MAX_ATTEMPTS = 16
"""With the waits below, about two days: as long as mail servers themselves try."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)

_chance = SystemRandom()


class Carrier(Protocol):
    """What brings messages of some channels to where they go."""

    def due(self, now: datetime) -> MessageQuerySet:
        """The messages that it could bring at ``now``, the longest waiting first."""

    def send(self, message: Message, now: datetime) -> None:
        """Bring one; raises a kind of Failed when it did not arrive."""

    def tried(self, message: Message, failure: Failed | None, now: datetime) -> bool:
        """Learn what came of a try (None: it arrived); returns whether the run goes on."""

    def close(self) -> None:
        """Let go of what it holds."""


def deliver_due(*, now: datetime, limit: int) -> int:
    """Send up to ``limit`` mails that are due at ``now``; returns how many were sent."""
    return _deliver(Mail(), now=now, limit=limit)


def deliver_hooks_due(*, now: datetime, limit: int) -> int:
    """Send up to ``limit`` messages to Slack and webhooks that are due at ``now``; returns how many were sent."""
    return _deliver(Hooks(), now=now, limit=limit)


def _deliver(carrier: Carrier, *, now: datetime, limit: int) -> int:
    """Each message is claimed in one short transaction, sent outside any, and its outcome written in another.

    A worker that dies in between leaves a lease that runs out, after which the message is tried again: it may arrive
    twice (with one Message-ID or idempotency key) and is never lost.
    """
    started = time.monotonic()
    _park_deadly(now=now)
    sent = 0
    for _turn in range(limit):
        at = now + timedelta(seconds=time.monotonic() - started)
        if at - now > RUN or (message := _claim(carrier, now=at)) is None:
            break
        failure: Failed | None = None
        try:
            carrier.send(message, at)
        except NoSuchMailbox as refused:
            failure = refused
            _settle(message, status=Message.Status.REFUSED, payload={}, error=refused.reason)
        except NeverDelivers as refused:
            failure = refused
            _settle(message, status=Message.Status.PARKED, error=refused.reason)
        except TryLater as later:
            failure = later
            _put_off(message, later, now=at)
        else:
            sent += _settle(message, status=Message.Status.SENT, payload={}, error="", sent_at=at)
        if not carrier.tried(message, failure, at):
            break
    carrier.close()
    return sent


@transaction.atomic
def _claim(carrier: Carrier, *, now: datetime) -> Message | None:
    message = carrier.due(now).select_for_update(of=("self",), skip_locked=True).first()
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


def _put_off(message: Message, failure: TryLater, *, now: datetime) -> None:
    if message.attempts >= MAX_ATTEMPTS:
        _settle(message, status=Message.Status.PARKED, error=failure.reason)
    else:
        wait = max(wait_after(message.attempts), failure.wait or timedelta())
        _settle(message, due_at=now + wait, error=failure.reason)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many tries: twice as long each time up to six hours, a quarter more or less."""
    wait: timedelta = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * _chance.uniform(0.75, 1.25)


def _park_deadly(*, now: datetime) -> None:
    """Give up messages whose every try ended with the worker's death, so that the others go on."""
    Message.objects.filter(status=Message.Status.PENDING, leased_until__lte=now, attempts__gte=MAX_ATTEMPTS).update(
        status=Message.Status.PARKED, leased_until=None, error="the worker died at every try"
    )
