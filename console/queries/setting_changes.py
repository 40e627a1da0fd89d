"""Who changed a setting, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import SettingChange

MOST = 50


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change, with what was set before and after it in words."""

    change: SettingChange
    before: str
    after: str


def changes_of(setting: str, say: Callable[[Any], str]) -> list[ChangeRow]:
    """The changes of ``setting``, the latest first, in the words of ``say``; one query."""
    found = SettingChange.objects.filter(setting=setting).select_related("by")
    return [ChangeRow(change, say(change.before), say(change.after)) for change in found[:MOST]]
