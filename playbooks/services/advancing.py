"""Runs go on: claim what is due, look at all accounts of a step at once, decide, and write all turns together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson
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
from playbooks.looking import asked, found
from playbooks.models import Playbook, PlaybookVersion, Run
from playbooks.recipients import zones_of_readers
from playbooks.record import Observer
from playbooks.services.claiming import FRESH, MOST_ATTEMPTS, TRIED, Claim, claim, give_back, give_up, leave_to_others
from playbooks.services.turns import Turn, write_turns

GONE = Found(is_live=False)


def advance_due(*, now: datetime, limit: int) -> int:
    """Take a turn of up to ``limit`` runs that are due at ``now``; returns how many were claimed.

    The lease is committed first, so that the attempt of a worker that dies is counted. A run whose turn failed before
    is claimed alone: what killed one worker must not use up its neighbours' attempts. After MOST_ATTEMPTS it is parked
    with its error, and the others go on.
    """
    with Workspace.read_once():
        count = _advance(claim(now=now, limit=limit, which=FRESH), now)
        while count < limit and (alone := _advance(claim(now=now, limit=1, which=TRIED), now)):
            count += alone
    return count


def _advance(claims: Sequence[Claim], now: datetime) -> int:
    if claims:
        _take_turns(claims, now)
        give_back(claims)
    return len(claims)


def _take_turns(claims: Sequence[Claim], now: datetime) -> None:
    alike: dict[int, dict[str, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for claimed in claims:
        if claimed.attempt > MOST_ATTEMPTS:
            give_up(claimed, _("A worker died in this step %(times)s times.") % {"times": MOST_ATTEMPTS}, now)
        else:
            alike[claimed.version_id][claimed.step].append(claimed)
    if not alike:
        return
    look = Look(Calendar.current(), Catalogue(), Observer(now), now)
    asking: dict[bytes, list[Group]] = defaultdict(list)
    for version in PlaybookVersion.objects.filter(pk__in=alike).select_related("playbook"):
        by_step = alike[version.pk]
        try:
            definition = load(version.definition)
        except DomainError as error:
            leave_to_others([claimed for some in by_step.values() for claimed in some], error, now)
            continue
        for step, some in by_step.items():
            group = Group(version.playbook, definition, step, some)
            asking[orjson.dumps(group.asked, option=orjson.OPT_SORT_KEYS)].append(group)
    write_turns([turn for groups in asking.values() for turn in _decide(groups, look)], look.calendar, now)


class Group:
    """Runs of one version that stand at one step."""

    def __init__(self, playbook: Playbook, definition: Definition, step: str, claims: Sequence[Claim]) -> None:
        self.playbook = playbook
        self.definition = definition
        self.step = step
        self.claims = claims
        self.asked = asked(definition, step)


@dataclass(frozen=True, slots=True)
class Look:
    """When runs are looked at, and what is read once for all of them."""

    calendar: Calendar
    catalogue: Catalogue
    observer: Observer
    now: datetime

    def at(self, groups: Sequence[Group]) -> Mapping[int, Mapping[str, Explanation]]:
        """What a turn of these groups, of which the same is asked, needs to know of each account, in one query."""
        account_ids = {claimed.account_id for group in groups for claimed in group.claims}
        return explain_several(groups[0].asked, account_ids, now=self.now, catalogue=self.catalogue)

    def zones(self, group: Group) -> Mapping[int, Mapping[str, ZoneInfo]]:
        """By account and step the zone of the contact that the step would write to; one query for each letter ahead."""
        roles = group.definition.readers_ahead(group.step)
        if not roles:
            return {}
        begun = Run.objects.filter(pk__in=[claimed.run_id for claimed in group.claims], event__contact__isnull=False)
        chosen = {account: contact for account, contact in begun.values_list("account", "event__contact") if contact}
        account_ids = [claimed.account_id for claimed in group.claims]
        return zones_of_readers(roles, account_ids, chosen, otherwise=self.calendar.zone)


def _decide(groups: Sequence[Group], look: Look) -> Iterator[Turn]:
    """The turns of runs of which the same is asked, after one look at all their accounts; what fails gives up."""
    try:
        explained = look.at(groups)
        zones = [look.zones(group) for group in groups]
    except (DomainError, DatabaseError) as error:
        for claimed in (claimed for group in groups for claimed in group.claims):
            give_up(claimed, error, look.now)
        return
    for group, zones_of in zip(groups, zones, strict=True):
        for claimed in group.claims:
            named = explained.get(claimed.account_id)
            position = Position(group.step, claimed.due_at, claimed.waiting_since)
            try:
                seen = found(named, look.observer, zones_of.get(claimed.account_id, {})) if named else GONE
                if claimed.is_held_out:
                    seen = seen._replace(is_held_out=True)
                decision = decide(group.definition, position, seen, look.now, look.calendar)
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one run, the others go on
                give_up(claimed, error, look.now)
            else:
                yield Turn(claimed, group.playbook, decision)
