"""Whether what is owed to a contact may still be sent: each kind of message answers it in one place.

A module ``questions`` of an app above declares what it writes, and is found the way Django finds ``admin.py``. That a
contact may not be written to any more at all is asked here for every kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from accounts.models import Contact
from outbox.models import Kind, Message, Withdrawal

Question = Callable[[Collection[int], datetime], Mapping[int, Withdrawal]]
"""Takes the ids of messages of its kind and a time; returns those that are of no use any more, with why."""

QUESTIONS: dict[Kind, Question] = {}


def asks(kind: Kind) -> Callable[[Question], Question]:
    """Let the decorated function be asked about messages of ``kind``; raises ValueError for a kind that is taken."""

    def register(question: Question) -> Question:
        if kind in QUESTIONS:
            raise ValueError(f"messages of kind {kind} are asked about already")
        QUESTIONS[kind] = question
        return question

    return register


def to_withdraw(messages: Collection[int], *, now: datetime) -> dict[int, Withdrawal]:
    """Which of ``messages`` must not be sent any more, with why; two queries, and those of each kind among them."""
    owed = Message.objects.filter(pk__in=messages, place__isnull=False).values_list("pk", "place__kind")
    of_kind: dict[Kind, list[int]] = defaultdict(list)
    for pk, kind in owed:
        of_kind[Kind(kind)].append(pk)
    if not of_kind:
        return {}
    found: dict[int, Withdrawal] = {}
    for kind, pks in of_kind.items():
        if kind in QUESTIONS:
            found |= QUESTIONS[kind](pks, now)
    lost = Message.objects.filter(pk__in=messages, place__isnull=False).exclude(
        place__contact__in=Contact.objects.reachable()
    )
    return found | dict.fromkeys(lost.values_list("pk", flat=True), Withdrawal.NOT_REACHABLE)
