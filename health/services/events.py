"""What happens to scores, as events: of the overall one they are called ``health.…``, of others ``health.score.…``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.models import Event, User
from health.models import NamedScore


def health_event(
    what: str,
    *,
    named: NamedScore,
    account_id: int,
    happened_at: datetime,
    data: Mapping[str, Any],
    user: User | None = None,
) -> Event:
    """The event that ``what`` happened to one score of an account, not written yet.

    Events of a score beside the overall one have its key as ``named``.
    """
    prefix, told = ("health", {}) if named.is_overall else ("health.score", {"named": named.key})
    return Event(
        account_id=account_id, kind=f"{prefix}.{what}", happened_at=happened_at, user=user, data={**data, **told}
    )
