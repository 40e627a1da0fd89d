"""Runs go on: claim what is due, look at all accounts of a step at once, decide, and write all turns together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import DatabaseError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.conditions import explain
from accounts.models import Account
from common.errors import DomainError
from playbooks.decide import Found, Position, decide
from playbooks.definition.calendar import Calendar
from playbooks.definition.parse import load
from playbooks.definition.steps import Definition
from playbooks.models import PlaybookVersion
from playbooks.record import observation
from playbooks.services.claiming import FRESH, MOST_ATTEMPTS, TRIED, Claim, claim, give_up, leave_to_others
from playbooks.services.turns import Turn, write_turns


def advance_due(*, now: datetime, limit: int) -> int:
    """Take a turn of up to ``limit`` runs that are due at ``now``; returns how many were claimed.

    The lease and the count of attempts are committed first, so that the attempt of a worker that dies is counted.
    A run whose turn failed before is claimed alone: what killed one worker must not use up its neighbours' attempts.
    After MOST_ATTEMPTS it is parked with its error, and the others go on.
    """
    claimed = claim(now=now, limit=limit, which=FRESH)
    _take_turns(claimed, now)
    count = len(claimed)
    while count < limit and (again := claim(now=now, limit=1, which=TRIED)):
        _take_turns(again, now)
        count += len(again)
    return count


def _take_turns(claims: Sequence[Claim], now: datetime) -> None:
    alike: dict[int, dict[str, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for claimed in claims:
        if claimed.attempts > MOST_ATTEMPTS:
            give_up(claimed, _("A worker died in this step %(times)s times.") % {"times": MOST_ATTEMPTS}, now)
        else:
            alike[claimed.version_id][claimed.step].append(claimed)
    if not alike:
        return
    calendar = Calendar.current()
    turns: list[Turn] = []
    for version in PlaybookVersion.objects.filter(pk__in=alike).select_related("playbook"):
        by_step = alike[version.pk]
        try:
            definition = load(version.definition)
        except DomainError as error:
            leave_to_others([claimed for group in by_step.values() for claimed in group], error, now)
            continue
        for step, group in by_step.items():
            turns += _decide(version, definition, step, group, calendar, now)
    write_turns(turns, calendar, now)


def _decide(
    version: PlaybookVersion,
    definition: Definition,
    step: str,
    claims: Sequence[Claim],
    calendar: Calendar,
    now: datetime,
) -> Iterator[Turn]:
    """The turns of runs that stand at one step, after one look at all their accounts; what fails gives up."""
    try:
        found = _look(definition, step, [claimed.account_id for claimed in claims], now)
    except (DomainError, DatabaseError) as error:
        for claimed in claims:
            give_up(claimed, error, now)
        return
    for claimed in claims:
        position = Position(step, claimed.due_at, claimed.waiting_since)
        try:
            decision = decide(definition, position, found[claimed.account_id], now, calendar)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one run, the others go on
            give_up(claimed, error, now)
        else:
            yield Turn(claimed, version.playbook, decision)


def _look(definition: Definition, step: str, account_ids: Sequence[int], now: datetime) -> Mapping[int, Found]:
    """What a turn from ``step`` needs to know of each account, in one query a condition."""
    alive = set(
        Account.objects.filter(Q(ended_at=None) | Q(ended_at__gt=now), pk__in=account_ids).values_list("pk", flat=True)
    )
    goal = explain(definition.goal, account_ids, now=now) if definition.goal is not None else {}
    leave = explain(definition.exit, account_ids, now=now) if definition.exit is not None else {}
    looks = {name: explain(condition, account_ids, now=now) for name, condition in definition.looks_ahead(step).items()}
    return {
        account_id: Found(
            is_live=account_id in alive,
            goal=observation(goal[account_id], at=now) if account_id in goal else None,
            exit=observation(leave[account_id], at=now) if account_id in leave else None,
            looks={
                name: observation(explained[account_id], at=now)
                for name, explained in looks.items()
                if account_id in explained
            },
        )
        for account_id in account_ids
    }
