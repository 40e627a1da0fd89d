"""The days behind a bench's company: daily usage for 90 days, and the rolling windows worked out from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import Workspace
from common.partitions import ensure_months
from usage.models import UsageCalendar
from usage.services.rollup import WINDOWS, in_window

DAYS = 90

WEEKS = DAYS // 7

# An account uses four fifths of the features of its plan, each on one day of about nine weeks in ten: that makes 250
# rows an account, and each key once, without trying every day.
_MAKE = f"""
    INSERT INTO usage_dailyusage (account_id, feature_id, day, count)
    SELECT account_id, feature_id, %(today)s::date - ago, 1 + (random() * random() * 12)::int
    FROM generate_series({WEEKS}, 0, -1) AS weeks (week) CROSS JOIN LATERAL (
        SELECT account_id, feature_id, week * 7 + floor(random() * 7)::int AS ago FROM usage_rollingusage
        WHERE account_id >= %(first)s AND random() < 0.9
    ) used WHERE ago < {DAYS}
"""
_columns = ", ".join(column for column, _ends, _begins in WINDOWS)
_sums = ", ".join(
    f"coalesce(sum(count) FILTER (WHERE {in_window('%(today)s::date', ends, begins)}), 0)"
    for _column, ends, begins in WINDOWS
)
_ROLL_UP = f"""
    INSERT INTO usage_rollingusage (account_id, feature_id, {_columns}, first_day, last_day)
    SELECT account_id, feature_id, {_sums}, min(day), max(day) FROM usage_dailyusage
    GROUP BY account_id, feature_id ORDER BY account_id, feature_id
"""
_HEARD = """
    UPDATE usage_accountactivity SET first_event_at = used.first_day, last_event_at = least(
        used.last_day::timestamp AT TIME ZONE %(zone)s + random() * interval '1 day', %(now)s::timestamptz
    )
    FROM (
        SELECT account_id, min(first_day) AS first_day, max(last_day) AS last_day FROM usage_rollingusage GROUP BY 1
    ) used WHERE usage_accountactivity.account_id = used.account_id
"""


def make_days(*, first: int, now: datetime) -> int:
    """Put days behind the windows of the accounts from ``first`` on; returns how many rows of daily usage there are.

    The windows then say what the days do. Indexes are made after the rows, as for a load of any such size.
    """
    workspace = Workspace.current()
    today = workspace.day(now)
    given: dict[str, Any] = {"today": today, "first": first, "now": now, "zone": workspace.zone.key}
    UsageCalendar.objects.update_or_create(id=1, defaults={"as_of": today})
    with transaction.atomic(), connection.cursor() as cursor:
        ensure_months("usage_dailyusage", today - timedelta(days=DAYS), today)
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 'usage_dailyusage'::regclass"
        )
        (key,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE usage_dailyusage DROP CONSTRAINT {key}")
        cursor.execute(_MAKE, given)
        cursor.execute(f"ALTER TABLE usage_dailyusage ADD CONSTRAINT {key} PRIMARY KEY (account_id, feature_id, day)")
        cursor.execute("TRUNCATE usage_rollingusage")
        cursor.execute(_ROLL_UP, given)
        cursor.execute(_HEARD, given)
        cursor.execute("SELECT count(*) FROM usage_dailyusage")
        (total,) = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE usage_dailyusage, usage_rollingusage, usage_accountactivity")
    return int(total)
