"""When nobody is written to: quiet hours, in the zone of whoever would read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``start`` o'clock until ``end`` o'clock, over midnight when ``start`` is the later one; and weekends."""

    start: int
    end: int
    weekends: bool

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet that ``now`` falls in is over, in UTC; None when it is not quiet in ``zone``."""
        local = now.astimezone(zone)
        if not self._is_quiet(local):
            return None
        day = local.date()
        if local.hour >= self.end:
            day += timedelta(days=1)
        while self.weekends and day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return datetime.combine(day, time(self.end), tzinfo=zone).astimezone(UTC)

    def _is_quiet(self, local: datetime) -> bool:
        if self.weekends and local.weekday() >= SATURDAY:
            return True
        if self.start <= self.end:
            return self.start <= local.hour < self.end
        return local.hour >= self.start or local.hour < self.end
