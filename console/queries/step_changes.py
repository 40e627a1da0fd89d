"""What a draft changes against what is live, in short words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from console.queries.playbook_column import titles_of
from playbooks.definition.edit import RawStep


@dataclass(frozen=True, slots=True)
class Changes:
    """The parts that differ beside the steps, and the steps that came, changed and went, by their words."""

    parts: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    is_reordered: bool

    def __bool__(self) -> bool:
        return bool(self.parts or self.added or self.changed or self.removed or self.is_reordered)


def changes_between(live: Mapping[str, Any], draft: Mapping[str, Any]) -> Changes:
    """What differs between two definitions (JSON) that can be read."""
    before, after = _by_id(live), _by_id(draft)
    was, now = titles_of(live), titles_of(draft)
    parts = {
        "entry": _("Who enters"),
        "customers": _("For whom"),
        "audience": _("Of which accounts"),
        "goal": _("Goal"),
        "exit": _("Leave when"),
        "quiet_hours": _("Quiet hours"),
        "reentry_after_days": _("Entering again"),
        "priority": _("Priority"),
    }
    common = [key for key in before if key in after]
    return Changes(
        parts=tuple(words for key, words in parts.items() if (live.get(key) or None) != (draft.get(key) or None)),
        added=tuple(now[key] for key in after if key not in before),
        changed=tuple(now[key] for key in common if before[key] != after[key]),
        removed=tuple(was[key] for key in before if key not in after),
        is_reordered=common != [key for key in after if key in before],
    )


def _by_id(definition: Mapping[str, Any]) -> dict[str, RawStep]:
    return {step["id"]: step for step in definition["steps"]}
