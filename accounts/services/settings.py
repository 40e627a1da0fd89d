"""What was set otherwise, kept in the transaction that set it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import SettingChange, User


def keep_change(*, setting: str, before: Any, after: Any, by: User | None, now: datetime) -> SettingChange | None:
    """Keep that ``setting`` was changed and by whom (None: the deployment itself); nothing when both are the same.

    ``before`` and ``after`` are what JSON can say. Call it under the lock of the row that holds the setting.
    """
    if before == after:
        return None
    return SettingChange.objects.create(setting=setting, before=before, after=after, by=by, changed_at=now)
