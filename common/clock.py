"""The one clock. Services take ``now`` as an argument; only the outermost callers ask here."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day that ``instant`` falls on in ``zone``."""
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of ``day`` in ``zone``, in UTC; a local day has 23 to 25 hours."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def add_days(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall-clock time ``days`` local days later, in UTC.

    A wall-clock time that a change of clocks skips is read with the offset in force before the change,
    so the result is never earlier than the same count of whole local days.
    """
    return (instant.astimezone(zone) + timedelta(days=days)).astimezone(UTC)  # arithmetic within a zone is the wall's
