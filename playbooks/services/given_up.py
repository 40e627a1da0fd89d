"""Telling that what a run had to send was given up: its account's timeline, and through it who can do something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Event
from accounts.services.ledger import record_many
from outbox.models import Message
from playbooks.models import Run
from surveys.models import Invitation

SWEEP = 500
BY_RUN = re.compile(r"run:(\d{1,18}):", re.ASCII)
"""How a run's step names what it owes: a message, or the occasion of an invitation."""


@transaction.atomic
def tell_given_up(*, now: datetime) -> int:
    """Record what runs had to send and was given up since this was last asked; returns how many messages.

    Once for each time: a message that is sent again and given up again is told again. What no run owes is passed by.
    """
    parked = list(
        Message.objects.parked()
        .filter(told_at=None)
        .select_for_update(of=("self",), skip_locked=True)
        .defer("payload")
        .order_by("pk")[:SWEEP]
    )
    Message.objects.filter(pk__in=[message.pk for message in parked]).update(told_at=now)
    run_of = _runs_of(parked)
    runs = Run.objects.select_related("playbook").in_bulk(run_of.values())
    events = [
        Event(
            account_id=run.account_id,
            kind="playbook.given_up",
            happened_at=now,
            data={
                "playbook": run.playbook.key,
                "name": run.playbook.name,
                "run": run.pk,
                "message": message.pk,
                "channel": message.channel,
                "recipient": message.recipient,
                "error": message.error,
            },
        )
        for message in parked
        if (run := runs.get(run_of.get(message.pk, 0))) is not None
    ]
    record_many(events, touches=False)
    return len(events)


def _runs_of(messages: Sequence[Message]) -> dict[int, int]:
    """By message the run that owes it."""
    names = {message.pk: message.dedupe_key for message in messages}
    names |= Invitation.objects.filter(message__in=messages).values_list("message", "occasion")
    return {pk: int(found[1]) for pk, name in names.items() if (found := BY_RUN.match(name))}
