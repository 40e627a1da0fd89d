"""Runs go on: claim what is due, look at all accounts of a step at once, decide, and write all turns together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.calendar import Calendar
from accounts.conditions import Explanation, explain_several
from accounts.models import Workspace
from common.errors import DomainError
from playbooks.decide import Found, Position, decide
from playbooks.definition.parse import load
from playbooks.definition.steps import Definition
from playbooks.models import PlaybookVersion, Run
from playbooks.recipients import zones_of_readers
from playbooks.record import Observer
from playbooks.services.claiming import FRESH, MOST_ATTEMPTS, TRIED, Claim, claim, give_up, leave_to_others
from playbooks.services.turns import Turn, write_turns

IS_LIVE = {"attribute": "is_live", "operator": "is", "value": True}
GONE = Found(is_live=False)


class Always(Enum):
    """What is asked of an account in every turn, whatever step it is at."""

    LIVE = auto()
    GOAL = auto()
    EXIT = auto()


def advance_due(*, now: datetime, limit: int) -> int:
    """Take a turn of up to ``limit`` runs that are due at ``now``; returns how many were claimed.

    The lease and the count of attempts are committed first, so that the attempt of a worker that dies is counted.
    A run whose turn failed before is claimed alone: what killed one worker must not use up its neighbours' attempts.
    After MOST_ATTEMPTS it is parked with its error, and the others go on.
    """
    with Workspace.read_once():
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
    look, turns = Look(Calendar.current(), Catalogue(), Observer(now), now), list[Turn]()
    for version in PlaybookVersion.objects.filter(pk__in=alike).select_related("playbook"):
        by_step = alike[version.pk]
        try:
            definition = load(version.definition)
        except DomainError as error:
            leave_to_others([claimed for group in by_step.values() for claimed in group], error, now)
            continue
        for step, group in by_step.items():
            turns += _decide(version, definition, step, group, look)
    write_turns(turns, look.calendar, now)


@dataclass(frozen=True, slots=True)
class Look:
    """When runs are looked at, and what is read once for all of them."""

    calendar: Calendar
    catalogue: Catalogue
    observer: Observer
    now: datetime

    def at(self, definition: Definition, step: str, claims: Sequence[Claim]) -> Mapping[int, Found]:
        """What a turn from ``step`` needs to know of each account, in one query, and one more for each letter ahead."""
        account_ids = [claimed.account_id for claimed in claims]
        asked = dict[str | Always, Any](definition.looks_ahead(step).items())
        asked[Always.LIVE] = IS_LIVE
        if definition.goal is not None:
            asked[Always.GOAL] = definition.goal
        if definition.exit is not None:
            asked[Always.EXIT] = definition.exit
        explained = explain_several(asked, account_ids, now=self.now, catalogue=self.catalogue)
        zones = self._zones(definition, step, claims)
        return {account_id: self._found(named, zones.get(account_id, {})) for account_id, named in explained.items()}

    def _zones(
        self, definition: Definition, step: str, claims: Sequence[Claim]
    ) -> Mapping[int, Mapping[str, ZoneInfo]]:
        """By account and step the zone of the contact that the step would write to."""
        roles = definition.readers_ahead(step)
        if not roles:
            return {}
        begun = Run.objects.filter(pk__in=[claimed.run_id for claimed in claims], event__contact__isnull=False)
        asked = {account: contact for account, contact in begun.values_list("account", "event__contact") if contact}
        ids = [claimed.account_id for claimed in claims]
        return zones_of_readers(roles, ids, asked, otherwise=self.calendar.zone)

    def _found(self, named: Mapping[str | Always, Explanation], zones: Mapping[str, ZoneInfo]) -> Found:
        observe = self.observer.observe
        return Found(
            is_live=named[Always.LIVE].holds,
            goal=observe(named[Always.GOAL]) if Always.GOAL in named else None,
            exit=observe(named[Always.EXIT]) if Always.EXIT in named else None,
            looks={name: observe(explanation) for name, explanation in named.items() if isinstance(name, str)},
            zones=zones,
        )


def _decide(
    version: PlaybookVersion, definition: Definition, step: str, claims: Sequence[Claim], look: Look
) -> Iterator[Turn]:
    """The turns of runs that stand at one step, after one look at all their accounts; what fails gives up."""
    try:
        found = look.at(definition, step, claims)
    except (DomainError, DatabaseError) as error:
        for claimed in claims:
            give_up(claimed, error, look.now)
        return
    for claimed in claims:
        position = Position(step, claimed.due_at, claimed.waiting_since)
        try:
            seen = found.get(claimed.account_id, GONE)
            if claimed.is_held_out:
                seen = replace(seen, is_held_out=True)
            decision = decide(definition, position, seen, look.now, look.calendar)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one run, the others go on
            give_up(claimed, error, look.now)
        else:
            yield Turn(claimed, version.playbook, decision)
