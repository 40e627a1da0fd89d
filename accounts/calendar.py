"""When a wait ends: in the workspace's zone, by its calendar."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

from accounts.models import Workspace
from common.clock import add_days

SATURDAY = 5
MORNING = time(9)
EVENING = time(17)


@dataclass(frozen=True)
class Calendar:
    """The workspace's zone and its holidays (of a country by ISO code; none when it is empty or not known)."""

    zone: ZoneInfo
    country: str = ""
    _days_off: holidays.HolidayBase = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        off = holidays.HolidayBase()
        # The library reads in only the country that it is asked for; its list of them would take half a second.
        with suppress(NotImplementedError):
            off = holidays.country_holidays(self.country) if self.country else off
        object.__setattr__(self, "_days_off", off)

    @classmethod
    def current(cls) -> Calendar:
        """The workspace's calendar."""
        workspace = Workspace.current()
        return cls(zone=workspace.zone, country=workspace.holiday_country)

    def is_business_day(self, day: date) -> bool:
        """Whether people work on ``day``: neither a Saturday, a Sunday nor a holiday."""
        return day.weekday() < SATURDAY and day not in self._days_off

    def business_day(self, day: date) -> date:
        """``day``, or the first day after it on which people work."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def ahead_of(self, day: date, now: datetime) -> float:
        """The part of the working day ``day`` that lies ahead at ``now``, from 0 to 1; 0 on a day off.

        It is told by the clock on the wall, from nine to five, so that a change of clocks makes no day longer.
        """
        if not self.is_business_day(day):
            return 0.0
        local = now.astimezone(self.zone).replace(tzinfo=None)
        begins, ends = datetime.combine(day, MORNING), datetime.combine(day, EVENING)
        return min(1.0, max(0.0, (ends - local) / (ends - begins)))

    def day(self, instant: datetime) -> date:
        """The day that it is there at ``instant``."""
        return instant.astimezone(self.zone).date()

    def morning(self, day: date) -> datetime:
        """Nine o'clock on ``day``, in UTC: when what waits for a day goes on."""
        return datetime.combine(day, MORNING, tzinfo=self.zone).astimezone(UTC)

    def add(self, start: datetime, *, hours: int = 0, days: int = 0, business_days: int = 0) -> datetime:
        """``start`` and so much later, in UTC: hours pass as hours; days and business days keep the wall-clock time."""
        whole_days = days
        if business_days:
            day = self.day(start)
            while business_days > 0:
                day += timedelta(days=1)
                whole_days += 1
                business_days -= self.is_business_day(day)
        return add_days(start, whole_days, self.zone) + timedelta(hours=hours)
