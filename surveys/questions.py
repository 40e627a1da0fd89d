"""When an invitation or a reminder that is owed must not be sent any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Case, Q, Value, When

from outbox.models import Kind, Withdrawal
from outbox.questions import asks
from surveys.models import Invitation


@asks(Kind.SURVEY)
def invitations(messages: Collection[int], now: datetime) -> Mapping[int, Withdrawal]:
    """Those that were answered, expired, or are to a survey that was switched off."""
    return _lost("message", messages, off=Q(survey__is_live=False), now=now)


@asks(Kind.REMINDER)
def reminders(messages: Collection[int], now: datetime) -> Mapping[int, Withdrawal]:
    """The same of what they remind of, and those of a survey that reminds nobody any more."""
    off = Q(survey__is_live=False) | Q(survey__remind_after_days=None)
    return _lost("reminder__message", messages, off=off, now=now)


def _lost(path: str, messages: Collection[int], *, off: Q, now: datetime) -> dict[int, Withdrawal]:
    because = Case(
        When(response__isnull=False, then=Value(Withdrawal.ANSWERED)),
        When(off, then=Value(Withdrawal.SWITCHED_OFF)),
        When(expires_at__lte=now, then=Value(Withdrawal.TOO_LATE)),
    )
    owed = Invitation.objects.filter(**{f"{path}__in": messages}).annotate(because=because)
    return {pk: Withdrawal(why) for pk, why in owed.filter(because__isnull=False).values_list(path, "because")}
