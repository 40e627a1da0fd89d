"""Starting a playbook by hand for some accounts, with what held the others back, and taking them out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Event, User
from common.errors import Conflict, DomainError, NotAllowed
from playbooks.models import Playbook, Run
from playbooks.services.entering import AT_ONCE, enter_by_hand
from playbooks.services.publishing import end_by_hand

MOST_BY_HAND = 5000


class Held(models.TextChoices):
    """What held an account back that should have entered by hand."""

    UNKNOWN = "unknown", gettext_lazy("there is no such account")
    ENDED = "ended", gettext_lazy("it is no customer any more")
    IN_IT = "in_it", gettext_lazy("it is in the playbook already")
    ELSEWHERE = "elsewhere", gettext_lazy("it is in another playbook with a priority")
    KEPT_OUT = "kept_out", gettext_lazy("it is kept out of playbooks")


@dataclass(frozen=True, slots=True)
class ByHand:
    """What came of it: the runs that began, and by account what held the others back."""

    runs: list[Run]
    held_back: dict[int, Held]


@transaction.atomic
def start_by_hand(*, playbook: Playbook, account_ids: Sequence[int], by: User, now: datetime) -> ByHand:
    """Let these accounts enter because a person says so, those that ``by`` may see.

    Raises NotAllowed for viewers, Conflict when the playbook is not on, and DomainError for too many at once.
    """
    if not by.can_edit:
        raise NotAllowed(_("You can look at playbooks but not start them; ask an admin for another role."))
    wanted = list(dict.fromkeys(account_ids))
    if len(wanted) > MOST_BY_HAND:
        message = _("Start it for at most %(most)s accounts at once.") % {"most": MOST_BY_HAND}
        raise DomainError(message, fields={"accounts": message})
    known = set(Account.objects.visible_to(by).filter(pk__in=wanted).values_list("pk", flat=True))
    live = set(Account.objects.live().filter(pk__in=known).values_list("pk", flat=True))
    asked = sorted(live)
    busy = dict(_busy(playbook, asked))
    runs: list[Run] = []
    for some in _chunks(asked):
        runs += enter_by_hand(playbook=playbook, account_ids=some, by=by, now=now)
    entered = {run.account_id for run in runs}
    held = {
        pk: Held.UNKNOWN if pk not in known else Held.ENDED if pk not in live else busy.get(pk, Held.KEPT_OUT)
        for pk in wanted
        if pk not in entered
    }
    return ByHand(runs, held)


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[place : place + AT_ONCE] for place in range(0, len(ids), AT_ONCE)] or [[]]


def _busy(playbook: Playbook, account_ids: list[int]) -> list[tuple[int, Held]]:
    """The accounts with a live run that may stand in the way; one of the playbook itself counts more."""
    live = Run.objects.live().filter(account__in=account_ids)
    elsewhere = live.filter(is_alone=True).exclude(playbook=playbook).values_list("account_id", flat=True)
    here = live.filter(playbook=playbook).values_list("account_id", flat=True)
    return [*((pk, Held.ELSEWHERE) for pk in elsewhere), *((pk, Held.IN_IT) for pk in here)]


def take_out(*, playbook: Playbook, started_at: datetime, by: User, now: datetime) -> int:
    """Take out the accounts that ``by`` let enter by hand at ``started_at`` and that are still in; returns how many.

    Tasks that were made stay. Raises Conflict when none is left.
    """
    data: dict[str, Any] = {"playbook": playbook.key}
    began = Event.objects.filter(kind="playbook.entered", user=by, happened_at=started_at, data__contains=data)
    runs = Run.objects.visible_to(by).filter(
        playbook=playbook, entered_at=started_at, account__in=began.values("account_id")
    )
    ended = end_by_hand(runs, by=by, now=now)
    if not ended:
        raise Conflict(_("None of them is in the playbook any more."), code="run_changed")
    return len(ended)
