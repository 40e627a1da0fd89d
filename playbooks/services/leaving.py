"""What happens to the accounts and tasks of somebody who leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.calendar import Calendar
from accounts.models import Account, User
from common.errors import DomainError, NotAllowed
from playbooks.capacity import Load, Week, spread
from playbooks.covers import Choice
from playbooks.models import Assignment, Task
from playbooks.services.assigning import Move, give_accounts
from playbooks.services.choosing import here, weights_of


@dataclass(frozen=True, slots=True)
class Share:
    """What one colleague gets of the work of somebody who leaves: ``minutes`` of it are due in the week at hand."""

    user: User
    load: Load
    accounts: int
    tasks: int
    minutes: int

    @property
    def left(self) -> int:
        """The minutes that they can still take on afterwards."""
        return self.load.left - self.minutes

    @property
    def hours_before(self) -> float:
        return round(self.load.left / 60, 1)

    @property
    def hours_after(self) -> float:
        return round(self.left / 60, 1)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who would get which account and which task, and what that makes for each; tasks of accounts go along."""

    choices: dict[int, Choice]
    tasks: list[Move]
    shares: list[Share]


def plan_hand_over(*, leaver: User, now: datetime, to: User | None = None) -> HandOver:
    """Who would get the accounts and open tasks of ``leaver``: ``to``, or all CSMs by the hours that they have left.

    An account goes with its open tasks, those that need most first, so that the rest evens out. A task on somebody
    else's account goes to whoever owns that, if they are here. Raises DomainError when nobody is here to give to.
    """
    people = {user.pk: (user, load) for user, load in here([to.email] if to else [], now).items() if user != leaver}
    if not people:
        message = _("Nobody is here who could take it; choose somebody who is.")
        raise DomainError(message, code="nobody_here", fields={"to": message})
    accounts = {account.pk: account for account in Account.objects.live().filter(owner=leaver)}
    weights = weights_of(list(accounts.values()), now)
    ordered = sorted(accounts, key=lambda pk: (-weights[pk], pk))
    tasks = list(Task.objects.open().filter(owner=leaver).select_related("account").order_by("-minutes", "pk"))
    elsewhere = [task for task in tasks if task.account_id not in accounts]
    loose = [task for task in elsewhere if task.account.owner_id not in people]
    chosen = spread(
        [*(weights[pk] for pk in ordered), *(task.minutes for task in loose)], [load for _user, load in people.values()]
    )
    owners = dict(zip(ordered, (load.user_id for load in chosen), strict=False))
    takers = {task.pk: task.account.owner_id or 0 for task in elsewhere}
    takers |= dict(zip((task.pk for task in loose), (load.user_id for load in chosen[len(ordered) :]), strict=True))
    return HandOver(
        choices={pk: Choice(people[owner][0]) for pk, owner in owners.items()},
        tasks=[Move(pk, leaver.pk, taker) for pk, taker in takers.items()],
        shares=_shares(people, owners, takers, tasks, now),
    )


def _shares(
    people: Mapping[int, tuple[User, Load]],
    owners: Mapping[int, int],
    takers: Mapping[int, int],
    tasks: Iterable[Task],
    now: datetime,
) -> list[Share]:
    ends_at = Week.at(now, Calendar.current()).ends_at
    accounts, counts, minutes = Counter(owners.values()), Counter[int](), Counter[int]()
    for task in tasks:
        taker = takers.get(task.pk) or owners[task.account_id]
        counts[taker] += 1
        minutes[taker] += task.minutes if task.due_at < ends_at else 0
    return [
        Share(user, load, accounts[pk], counts[pk], minutes[pk])
        for pk, (user, load) in sorted(people.items(), key=lambda one: one[1][0].name)
    ]


@transaction.atomic
def hand_over(
    *, leaver: User, by: User, now: datetime, to: User | None = None, reason: str = "", end_access: bool = False
) -> Assignment | None:
    """Give every account and open task of ``leaver`` to others as ``plan_hand_over`` says; None when there was nothing.

    With ``end_access`` they cannot sign in any more. Undone by ``undo_assignment``. Raises NotAllowed for who does
    not lead, and for who would lock themselves out.
    """
    if not by.leads:
        raise NotAllowed(_("Only leaders and admins hand over somebody's work; ask one."))
    if end_access and leaver == by:
        raise NotAllowed(_("You cannot end your own access; ask another admin."))
    if end_access and leaver.is_admin and not by.is_admin:
        raise NotAllowed(_("Only an admin can end the access of an admin; ask one."))
    plan = plan_hand_over(leaver=leaver, now=now, to=to)
    if end_access:
        end_access = bool(User.objects.filter(pk=leaver.pk, is_active=True).update(is_active=False))
    return give_accounts(
        choices=plan.choices,
        tasks=plan.tasks,
        by=by,
        now=now,
        reason=reason,
        leaver=leaver,
        ended_access=end_access,
    )
