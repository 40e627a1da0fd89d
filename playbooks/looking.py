"""What a turn has to know of an account: which conditions to look at, and what they found as ``decide`` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from accounts.conditions import Explanation
from playbooks.decide import Found
from playbooks.definition.steps import Definition
from playbooks.record import Observer

GOAL, EXIT, STANDING = "goal", "exit", "standing"
OF_STEPS = "step "
"""What the names of the steps' own conditions begin with, so that no step can be called like one of the others."""

IS_LIVE = {"attribute": "is_live", "operator": "is", "value": True}


def asked(definition: Definition, step: str) -> dict[str, Any]:
    """The conditions by name that a turn from ``step`` looks at."""
    always = {STANDING: IS_LIVE, GOAL: definition.goal, EXIT: definition.exit}
    ahead = definition.looks_ahead(step)
    return {name: condition for name, condition in always.items() if condition is not None} | {
        f"{OF_STEPS}{name}": condition for name, condition in ahead.items()
    }


def found(explained: Mapping[str, Explanation], observer: Observer, zones: Mapping[str, ZoneInfo]) -> Found:
    """What the conditions of ``asked`` found for one account; ``zones`` are those of its readers by step."""
    looks = {name: observer.observe(one) for name, one in explained.items() if name != STANDING}
    return Found(
        is_live=explained[STANDING].holds,
        goal=looks.get(GOAL),
        exit=looks.get(EXIT),
        looks={name.removeprefix(OF_STEPS): one for name, one in looks.items() if name.startswith(OF_STEPS)},
        zones=zones,
    )
