"""What to say when the database cannot answer just now: a limit was reached, or it is not there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RETRY_AFTER_SECONDS = 2

UNANSWERED = (OperationalError, InterfaceError)
"""What the database's driver raises when the fault is not the statement's."""

OVERLOADED = {
    "53000",  # insufficient resources
    "53100",  # disk full
    "53200",  # out of memory
    "53300",  # too many connections
    "53400",  # configuration limit exceeded
    "40001",  # serialization failure
    "40P01",  # deadlock
    "55P03",  # lock not available
    "57014",  # statement timeout
}


@dataclass(frozen=True, slots=True)
class TryLater:
    """An answer that puts the client off: a status, a code, and a sentence."""

    status: int
    code: str
    message: str | Promise


def try_later(error: Exception) -> TryLater:
    """How to answer one of ``UNANSWERED``: 429 when too much was asked at once, 503 when the database is not there."""
    if getattr(error.__cause__, "sqlstate", None) in OVERLOADED:
        return TryLater(429, "overloaded", _("Too much is coming in at once: send the same again in a moment."))
    return TryLater(503, "unavailable", _("The database does not answer: send the same again in a moment."))
