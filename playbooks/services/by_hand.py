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
from accounts.models.account import AccountQuerySet
from common.errors import Conflict, DomainError, NotAllowed
from playbooks.definition.steps import LIVE
from playbooks.models import Playbook, Run
from playbooks.services.entering import AT_ONCE, enter_by_hand, load_live
from playbooks.services.publishing import end_by_hand

MOST_BY_HAND = 5000


class Held(models.TextChoices):
    """What held an account back that should have entered by hand."""

    UNKNOWN = "unknown", gettext_lazy("there is no such account")
    ENDED = "ended", gettext_lazy("it is no customer any more")
    CUSTOMER = "customer", gettext_lazy("it is a customer, and the playbook is for those who are none any more")
    IN_IT = "in_it", gettext_lazy("it is in the playbook already")
    ELSEWHERE = "elsewhere", gettext_lazy("it is in another playbook with a priority")


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
    asked = sorted(meant_by(playbook, Account.objects.filter(pk__in=known)).values_list("pk", flat=True))
    runs: list[Run] = []
    for some in _chunks(asked):
        runs += enter_by_hand(playbook=playbook, account_ids=some, by=by, now=now)
    entered = {run.account_id for run in runs}
    held = dict.fromkeys(wanted, Held.UNKNOWN) | dict.fromkeys(known, _other_standing(playbook))
    held |= dict.fromkeys(asked, Held.IN_IT) | dict.fromkeys(_elsewhere(playbook, asked), Held.ELSEWHERE)
    return ByHand(runs, {pk: held[pk] for pk in wanted if pk not in entered})


def meant_by(playbook: Playbook, accounts: AccountQuerySet) -> AccountQuerySet:
    """Those of the accounts that the playbook is for: customers, or those who are none any more."""
    return accounts.live() if load_live(playbook).customers == LIVE else accounts.filter(ended_at__isnull=False)


def _other_standing(playbook: Playbook) -> Held:
    return Held.ENDED if load_live(playbook).customers == LIVE else Held.CUSTOMER


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[place : place + AT_ONCE] for place in range(0, len(ids), AT_ONCE)] or [[]]


def _elsewhere(playbook: Playbook, account_ids: list[int]) -> set[int]:
    """The accounts that another playbook with a priority has, and that this one does not have itself."""
    live = Run.objects.live().filter(account__in=account_ids)
    others = live.filter(is_alone=True).exclude(playbook=playbook).values_list("account_id", flat=True)
    return set(others) - set(live.filter(playbook=playbook).values_list("account_id", flat=True))


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
