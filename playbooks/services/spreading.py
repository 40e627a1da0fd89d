"""Work that would all come at once is spread over some time, so that nobody finds a week's tasks on one morning."""

from __future__ import annotations

from datetime import datetime, timedelta

SPREAD = timedelta(days=2)
FEW = 20
"""So many at once are no burst."""


def spread(count: int, now: datetime) -> list[datetime]:
    """When each of ``count`` should come: all at once when they are few, else evenly over SPREAD."""
    return [now if count <= FEW else now + SPREAD * place / count for place in range(count)]
