"""What a ready playbook is, and the words that many of them are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ready:
    """One ready playbook.

    ``make`` gives its definition (JSON), with texts in the language that is active; where ``asks_feature`` it is given
    the key of the feature that it is about, and "" otherwise. ``place`` orders the gallery.
    """

    key: str
    place: int
    icon: str
    name: str | Promise
    description: str | Promise
    make: Callable[[str], Json]
    asks_feature: bool = False


READY: dict[str, Ready] = {}


def register(ready: Ready) -> Ready:
    """Make a ready playbook known under its key; raises ValueError for a key that is taken."""
    if ready.key in READY:
        raise ValueError(f"ready playbook {ready.key} is declared twice")
    READY[ready.key] = ready
    return ready


def fact(attribute: str, operator: str, value: Any = None) -> Json:
    """A comparison."""
    leaf = {"attribute": attribute, "operator": operator}
    return leaf if value is None else {**leaf, "value": value}


def every(*conditions: Json) -> Json:
    """The condition that all of these hold."""
    return {"all": list(conditions)}


def when(condition: Json) -> Json:
    """The entry of an account of which the condition becomes true."""
    return {"kind": "condition", "condition": condition}


def task(step: str, title: str, guidance: str, *, severity: int = 2, due: int = 2, assign: str = "owner") -> Json:
    """A step that gives somebody work; severity from 1 (low) to 4 (urgent), due in days."""
    return {
        "id": step,
        "kind": "task",
        "title": title,
        "guidance": guidance,
        "severity": severity,
        "due_in_days": due,
        "assign": assign,
    }


def wait(step: str, **length: int) -> Json:
    """A step that waits: ``hours``, ``days`` or ``business_days``."""
    return {"id": step, "kind": "wait", **length}


def still(step: str, condition: Json, otherwise: str = "recovered") -> Json:
    """A step that looks again and goes on only while the condition holds."""
    return {"id": step, "kind": "check", "condition": condition, "otherwise": otherwise}
