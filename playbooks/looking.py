"""What a turn has to know of an account: which conditions to look at, and what they found as ``decide`` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from accounts.conditions import Explanation
from playbooks.decide import Found
from playbooks.definition.steps import Definition
from playbooks.record import Observer

GOAL, EXIT, STANDING = "\0goal", "\0exit", "\0standing"
"""The names of what every turn looks at; no step's id can hold that sign."""

IS_LIVE = {"attribute": "is_live", "operator": "is", "value": True}


def asked(definition: Definition, step: str) -> dict[str, Any]:
    """The conditions by name that a turn from ``step`` looks at."""
    always = {STANDING: IS_LIVE, GOAL: definition.goal, EXIT: definition.exit}
    looked_at = {name: condition for name, condition in always.items() if condition is not None}
    return looked_at | definition.looks_ahead(step)


def found(explained: Mapping[str, Explanation], observer: Observer, zones: Mapping[str, ZoneInfo]) -> Found:
    """What the conditions of ``asked`` found for one account; ``zones`` are those of its readers by step."""
    looks = {name: observer.observe(one) for name, one in explained.items() if name != STANDING}
    return Found(explained[STANDING].holds, looks.get(GOAL), looks.get(EXIT), looks, zones)
