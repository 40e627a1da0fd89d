from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from common.clock import add_days, local_day, start_of_day

SOFIA, NEW_YORK, SHANGHAI = ZoneInfo("Europe/Sofia"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("start", "days", "zone", "expected"),
    [
        # Sofia springs forward on 29 March 2026: those seven days have 167 hours.
        (datetime(2026, 3, 25, 7, 0, tzinfo=UTC), 7, SOFIA, datetime(2026, 4, 1, 6, 0, tzinfo=UTC)),
        # and falls back on 25 October: 169 hours.
        (datetime(2026, 10, 22, 6, 0, tzinfo=UTC), 7, SOFIA, datetime(2026, 10, 29, 7, 0, tzinfo=UTC)),
        (datetime(2026, 3, 5, 17, 0, tzinfo=UTC), 7, NEW_YORK, datetime(2026, 3, 12, 16, 0, tzinfo=UTC)),
        (datetime(2026, 3, 25, 7, 0, tzinfo=UTC), 7, SHANGHAI, datetime(2026, 4, 1, 7, 0, tzinfo=UTC)),
        # 03:30 does not exist in Sofia on 29 March 2026.
        (datetime(2026, 3, 28, 1, 30, tzinfo=UTC), 1, SOFIA, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_days_keep_the_wall_clock_when_the_clocks_change(
    start: datetime, days: int, zone: ZoneInfo, expected: datetime
) -> None:
    assert add_days(start, days, zone) == expected


def test_day_is_the_local_one_when_utc_is_on_another() -> None:
    late = datetime(2026, 3, 16, 23, 0, tzinfo=UTC)

    assert local_day(late, SOFIA) == date(2026, 3, 17)
    assert local_day(late, NEW_YORK) == date(2026, 3, 16)
    assert start_of_day(date(2026, 3, 17), SOFIA) == datetime(2026, 3, 16, 22, 0, tzinfo=UTC)
