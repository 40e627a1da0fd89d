"""Ready playbooks: definitions to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ready:
    """One ready playbook: ``description`` says in one line what it does."""

    key: str
    name: str
    description: str
    definition: dict[str, Any]


def ready_playbooks() -> list[Ready]:
    """Every ready playbook, in the order in which they are offered."""
    return []
