"""What came of one try that did not deliver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass
class Failed(Exception):
    """One try that did not deliver; ``reason`` is for the operator."""

    reason: str


@dataclass
class TryLater(Failed):
    """The other side is away, busy, or not set up well: the message may pass later, after ``wait`` if it said so."""

    wait: timedelta | None = None


class Away(TryLater):
    """Nobody answers there, or lets us in: no other message to the same place would pass now either."""


class NeverDelivers(Failed):
    """This message was refused for good; sending it again unchanged cannot help."""


class NoSuchMailbox(NeverDelivers):
    """The mail server says that there is no such recipient."""
