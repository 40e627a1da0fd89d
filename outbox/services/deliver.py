from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Protocol

from django.db import transaction

from outbox.models import Message, MessageQuerySet, Withdrawal
from outbox.questions import to_withdraw
from outbox.services.failures import Failed, NeverDelivers, NoSuchMailbox, TryLater
from outbox.services.hooks import Hooks
from outbox.services.smtp import Mail
from outbox.services.withdrawing import withdraw

LEASE = timedelta(minutes=10)
"""Longer than a worker may spend on a run (the task's time limit), so that no two send the same message."""
RUN = timedelta(minutes=1)
LOOK = 25
"""So many messages are looked at together before they go: of a thing that changes meanwhile, no more are sent."""
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
    batch: Collection[int] = ()
    for turn in range(limit):
        at = now + timedelta(seconds=time.monotonic() - started)
        if at - now > RUN:
            break
        message = _claim(carrier, batch, now=at)
        if message is None:
            batch = _still_owed(carrier, now=at, most=min(LOOK, limit - turn))
            message = _claim(carrier, batch, now=at)
        if message is None:
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


def _still_owed(carrier: Carrier, *, now: datetime, most: int) -> Collection[int]:
    """The next messages that are due and may still be sent; those that may not are withdrawn on the way."""
    lost: dict[int, Withdrawal] = {}
    while due := list(carrier.due(now).exclude(pk__in=lost).values_list("pk", flat=True)[:most]):
        lost |= to_withdraw(due, now=now)
        withdraw(messages={pk: lost[pk] for pk in due if pk in lost}, now=now)
        if owed := [pk for pk in due if pk not in lost]:
            return owed
    return ()


@transaction.atomic
def _claim(carrier: Carrier, batch: Collection[int], *, now: datetime) -> Message | None:
    if not batch:
        return None
    due = carrier.due(now).filter(pk__in=batch)
    message = due.select_for_update(of=("self",), skip_locked=True).first()
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
