"""Who a rule of assignment says should have accounts: for any number of them in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import Sum

from accounts.calendar import Calendar
from accounts.conditions import matching
from accounts.models import Account, AccountTeamMember, User, Workspace
from common.text import normal_email
from playbooks import rules
from playbooks.capacity import STANDING_MINUTES, Load, Week, spread, take_turns
from playbooks.covers import Choice, stand_ins
from playbooks.models import RoundRobin, Task
from playbooks.queries.capacity import staff_loads
from playbooks.rules import DIFFICULT, LEAST_LOADED, ROUND_ROBIN, Rule, people


def choose_owner(*, rule: Rule, account: Account, now: datetime) -> Choice | None:
    """Who should own the account, as ``choose_owners``."""
    return choose_owners(rule=rule, accounts=[account], now=now).get(account.pk)


def choose_owners(*, rule: Rule, accounts: Sequence[Account], now: datetime) -> dict[int, Choice]:
    """Who should own each of the accounts by ``rule``, by the accounts' ids.

    Whoever is chosen but on leave is replaced by who covers for them, if anybody does. An account for which the rule
    finds nobody is left out: nobody has the role, or everybody it may choose among is away.
    """
    meant = choose(rule=rule, accounts=accounts, now=now)
    covers = stand_ins(set(meant.values()), now)
    return {
        account: Choice(covers[user.pk].user, covers[user.pk]) if user.pk in covers else Choice(user)
        for account, user in meant.items()
    }


def choose_person(*, rule: Rule, account: Account, now: datetime) -> User | None:
    """Who should do something for the account by ``rule``; whether they are on leave is for ``create_task`` to ask.

    Under the own-book rule a rule that looks for somebody finds only who sees the account.
    """
    seers = None
    if Workspace.current().csms_see_only_their_book:
        team = account.team.values_list("user", flat=True)
        covers = stand_ins([account.owner] if account.owner else [], now)
        seers = {account.owner_id, *team, *(stands_in.user.pk for stands_in in covers.values())}
    return choose(rule=rule, accounts=[account], now=now, seers=seers).get(account.pk)


def would_choose(*, rule: Rule, accounts: Sequence[Account], now: datetime) -> dict[int, User]:
    """Whom work by ``rule`` would go to if all of it were made ``now``, by the accounts' ids; nothing is changed.

    Under the own-book rule a rule that looks for somebody is taken to find the CSM, who sees the account for certain.
    """
    if rule.looks_for_somebody and Workspace.current().csms_see_only_their_book:
        rule = Rule(rules.OWNER)
    with transaction.atomic():
        chosen = choose_owners(rule=rule, accounts=accounts, now=now)
        transaction.set_rollback(True)  # the turns of a round robin are not taken
    return {account: choice.user for account, choice in chosen.items()}


def choose(
    *, rule: Rule, accounts: Sequence[Account], now: datetime, seers: Container[int | None] | None = None
) -> dict[int, User]:
    """Whom ``rule`` means for each of the accounts, by the accounts' ids, leave of those whom it names aside.

    ``seers`` are the only CSMs whom a rule that looks for somebody may find, if they are given. Takes turns of
    ``round_robin``, so call it in the transaction that gives the work.
    """
    match rule.to:
        case rules.OWNER:
            return {one.pk: one.owner for one in accounts if one.owner is not None and one.owner.is_active}
        case rules.LEAST_LOADED | rules.ROUND_ROBIN:
            return _found(rule, accounts, now, seers)
        case rules.SENIOR:
            return _by_difficulty(rule, accounts, now, seers)
        case _ if rule.is_named:
            found = people([rule.to])
            return {account.pk: person for account in accounts for person in found}
    return {
        member.account_id: member.user
        for member in AccountTeamMember.objects.filter(
            account__in=accounts, role=rule.to, user__in=User.objects.working()
        ).select_related("user")
    }


def _by_difficulty(
    rule: Rule, accounts: Sequence[Account], now: datetime, seers: Container[int | None] | None
) -> dict[int, User]:
    listed = Account.objects.filter(pk__in=[account.pk for account in accounts])
    difficult = set(matching(listed, rule.difficult or DIFFICULT, now=now).values_list("pk", flat=True))
    hard = [account for account in accounts if account.pk in difficult]
    easy = [account for account in accounts if account.pk not in difficult]
    chosen = _found(replace(rule, to=LEAST_LOADED), hard, now, seers, seniors=True)
    return chosen | choose(rule=replace(rule, to=rule.otherwise), accounts=easy, now=now, seers=seers)


def _found(
    rule: Rule,
    accounts: Sequence[Account],
    now: datetime,
    seers: Container[int | None] | None,
    *,
    seniors: bool = False,
) -> dict[int, User]:
    pool = here(rule.among, now)
    if seers is not None:
        pool = {user: load for user, load in pool.items() if user.role != User.Role.CSM or user.pk in seers}
    if seniors:
        pool = {user: load for user, load in pool.items() if user.is_senior}
    if not pool or not accounts:
        return {}
    by_id = {user.pk: user for user in pool}
    if rule.to == ROUND_ROBIN:
        chosen = _take_turns(rule, len(accounts), by_id)
    else:
        weights = weights_of(accounts, now)
        chosen = [load.user_id for load in spread([weights[one.pk] for one in accounts], list(pool.values()))]
    return {account.pk: by_id[user] for account, user in zip(accounts, chosen, strict=True)}


def here(among: Sequence[str], now: datetime) -> dict[User, Load]:
    """The CSMs, or the people with these addresses, who are not on leave at ``now``, with what they have to do."""
    found = people(among) if among else list(User.objects.working().filter(role=User.Role.CSM))
    loads = staff_loads(now)
    return {user: loads[user.pk] for user in found if not loads[user.pk].is_away}


def weights_of(accounts: Sequence[Account], now: datetime) -> dict[int, int]:
    """The minutes that each of the accounts brings to who gets it: its open work of the week, and its standing part."""
    week = Week.at(now, Calendar.current())
    due = (
        Task.objects.open()
        .filter(account__in=[account.pk for account in accounts], due_at__lt=week.ends_at)
        .values_list("account")
        .annotate(Sum("minutes"))
        .order_by()
    )
    minutes = dict(due)
    return {account.pk: STANDING_MINUTES + minutes.get(account.pk, 0) for account in accounts}


@transaction.atomic
def _take_turns(rule: Rule, count: int, by_id: Mapping[int, User]) -> list[int]:
    addresses = sorted({normal_email(address) for address in rule.among})
    pool = sha256("\n".join(addresses).encode()).hexdigest() if addresses else ""
    RoundRobin.objects.bulk_create([RoundRobin(pool=pool)], ignore_conflicts=True)
    cursor = RoundRobin.objects.select_for_update().get(pool=pool)
    turns = take_turns(count, by_id, cursor.last)
    cursor.last = turns[-1]
    cursor.save(update_fields=["last"])
    return turns
