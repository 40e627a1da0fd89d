"""Telling that what a run had to send was given up: its account's timeline, and through it who can do something."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Event
from accounts.services.ledger import record_many
from outbox.models import Message
from playbooks.models import Run

SWEEP = 500


@transaction.atomic
def tell_given_up(*, now: datetime) -> int:
    """Record each message of a run that was given up since this was last asked; returns how many.

    Once for each time: a message that is sent again and given up again is told again.
    """
    parked = list(
        Message.objects.parked()
        .filter(told_at=None, dedupe_key__startswith="run:")
        .select_for_update(of=("self",), skip_locked=True)
        .defer("payload")
        .order_by("pk")[:SWEEP]
    )
    Message.objects.filter(pk__in=[message.pk for message in parked]).update(told_at=now)
    run_of = {message.pk: int(message.dedupe_key.split(":")[1]) for message in parked}
    runs = Run.objects.select_related("playbook").in_bulk(run_of.values())
    record_many(
        [
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
            if (run := runs.get(run_of[message.pk])) is not None
        ],
        touches=False,
    )
    return len(parked)
