"""What a draft of health would do to playbooks: whose entry condition comes to hold, and what work that makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, transaction

from accounts.attributes import Catalogue
from accounts.conditions import matching_ids, parse
from accounts.conditions.parse import leaves
from accounts.models import Workspace
from common.errors import DomainError
from common.sql import SQL, rows
from health.models import Simulation
from health.queries.definitions import depends_on_health
from health.queries.simulated_catalogue import SimulatedCatalogue
from playbooks.definition.steps import Act, ConditionEntry, DateEntry, Definition, EventEntry
from playbooks.models import Playbook
from playbooks.services.entering import load_live, may_enter

CONDITION = "condition"
AUDIENCE = "audience"
EVENT = "event"

DIFFERENCE = SQL("""
WITH before AS MATERIALIZED ({before}), after AS MATERIALIZED ({after}),
    entering AS (SELECT account_id FROM after EXCEPT SELECT account_id FROM before),
    leaving AS (SELECT account_id FROM before EXCEPT SELECT account_id FROM after)
SELECT (SELECT count(*) FROM entering), (SELECT count(*) FROM leaving),
    (SELECT count(*) FROM entering m WHERE {may_enter})
""")


@dataclass(frozen=True, slots=True)
class PlaybookLoad:
    """What publishing the draft would do to one playbook that looks at health.

    ``kind`` is ``condition`` when health is part of what an account enters by, ``audience`` when it only decides who
    may enter upon something that happens, and ``event`` when it is started by a change of health, which a formula
    is not. ``entering`` accounts would newly be meant and ``leaving`` no longer; ``runs`` of the former would begin,
    with up to ``tasks`` tasks. ``problem`` says why it cannot be told.
    """

    playbook: Playbook
    kind: str
    entering: int = 0
    leaving: int = 0
    runs: int = 0
    tasks: int = 0
    problem: str = ""


def playbook_loads(simulation: Simulation, *, now: datetime) -> list[PlaybookLoad]:
    """What the draft would do to each live playbook that looks at health, the most new runs first.

    One statement for each of them, and as many as their segments need to be read.
    """
    catalogue = Catalogue()
    sides = (
        SimulatedCatalogue(simulation=simulation, is_after=False),
        SimulatedCatalogue(simulation=simulation, is_after=True),
    )
    live = Playbook.objects.filter(status=Playbook.Status.LIVE).select_related("live_version").order_by("name")
    loads = [load for playbook in live for load in _load(playbook, catalogue, sides, now)]
    return sorted(loads, key=lambda load: -load.runs)


def _load(
    playbook: Playbook, catalogue: Catalogue, sides: tuple[Catalogue, Catalogue], now: datetime
) -> Iterable[PlaybookLoad]:
    """What the draft would do to ``playbook``; nothing when it does not look at health."""
    definition = load_live(playbook)
    who = definition.who_enters(Workspace.current().day(now))
    kind = _kind(definition)
    if kind == EVENT:
        yield PlaybookLoad(playbook, kind)
        return
    try:
        looked_at = {leaf.attribute.key for leaf in leaves(parse(who, catalogue=catalogue))}
        if not any(depends_on_health(key) for key in looked_at):
            return
        entering, leaving, allowed = _difference(playbook, definition, who, sides, now)
    except (DomainError, DataError) as error:
        yield PlaybookLoad(playbook, kind, problem=str(error))
        return
    runs = allowed if kind == CONDITION else 0
    tasks = sum(isinstance(step, Act) and step.action.doer is not None for step in definition.steps)
    yield PlaybookLoad(playbook, kind, entering, leaving, runs, runs * tasks)


def _kind(definition: Definition) -> str:
    if isinstance(definition.entry, ConditionEntry | DateEntry):
        return CONDITION
    is_health = isinstance(definition.entry, EventEntry) and definition.entry.event.partition(".")[0] == "health"
    return EVENT if is_health else AUDIENCE


def _difference(
    playbook: Playbook,
    definition: Definition,
    who: dict[str, Any],
    sides: tuple[Catalogue, Catalogue],
    now: datetime,
) -> tuple[int, int, int]:
    """How many accounts would newly be meant, no longer be, and how many of the former may enter."""
    before, after = (matching_ids(who, now=now, catalogue=side) for side in sides)
    key = SQL("%s::bigint", (playbook.pk,))
    with transaction.atomic():
        [(entering, leaving, allowed)] = rows(
            DIFFERENCE.format(before=before, after=after, may_enter=may_enter(definition, key, now))
        )
    return entering, leaving, allowed
