"""Counts per account, feature and day, and the rolling windows that are kept with them.

A window counts the days up to ``UsageCalendar.as_of``. Whoever adds counts shares the lock of that row, and the
day's turn takes it alone, so a count is in a window exactly once: added by its writer, or moved in by the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice

from django.db import connection, transaction

from accounts.models import Workspace
from accounts.services.ledger import touch
from common.partitions import ensure_months
from common.sql import SQL, execute
from usage.models import UsageCalendar

WINDOWS = (
    ("last_7", 0, 7),
    ("last_28", 0, 28),
    ("prior_28", 28, 56),
    ("whole_28", 1, 29),
    ("whole_prior_28", 29, 57),
)
"""Each window's column, and the days ``(as_of - begins, as_of - ends]`` as (ends, begins).

The whole ones leave out the day that has only begun: beside a window of whole days it would look like a fall.
"""

CHUNK = 50_000


def in_window(as_of: str, ends: int, begins: int) -> str:
    """SQL over ``day``: whether it lies in the window of the day ``as_of``."""
    return f"(day > {as_of} - {begins} AND day <= {as_of} - {ends})"


_columns = [column for column, _ends, _begins in WINDOWS]
_sums = ", ".join(
    f"coalesce(sum(count) FILTER (WHERE {in_window('as_of', ends, begins)}), 0)" for _column, ends, begins in WINDOWS
)

CALENDAR = "calendar AS MATERIALIZED (SELECT as_of FROM usage_usagecalendar FOR SHARE)"
"""The day that the windows end on, kept from turning until the transaction ends."""

ROLL_UP = f"""
daily AS (
    INSERT INTO usage_dailyusage (account_id, feature_id, day, count)
    SELECT account_id, feature_id, day, count FROM counted ORDER BY account_id, feature_id, day
    ON CONFLICT (account_id, feature_id, day) DO UPDATE SET count = usage_dailyusage.count + excluded.count
),
rolling AS (
    INSERT INTO usage_rollingusage (account_id, feature_id, {", ".join(_columns)}, first_day, last_day)
    SELECT account_id, feature_id, {_sums}, min(day), max(day) FROM counted CROSS JOIN calendar
    GROUP BY account_id, feature_id ORDER BY account_id, feature_id
    ON CONFLICT (account_id, feature_id) DO UPDATE SET
        {", ".join(f"{column} = usage_rollingusage.{column} + excluded.{column}" for column in _columns)},
        first_day = least(usage_rollingusage.first_day, excluded.first_day),
        last_day = greatest(usage_rollingusage.last_day, excluded.last_day)
)"""
"""CTEs that add ``counted (account_id, feature_id, day, count)``, each key once, to the days and to the windows.

Rows are taken in the order of their keys, so that two writers never wait for each other in a circle.
"""


def ensure_calendar(*, now: datetime) -> None:
    """Let the windows of a new deployment end on the workspace's today."""
    UsageCalendar.objects.get_or_create(id=1, defaults={"as_of": Workspace.current().day(now)})


def turn_windows(*, now: datetime) -> int:
    """Move the windows on to the workspace's today; returns by how many days, zero when they are there already.

    Only the days that enter or leave a window are read. The windows never turn back.
    """
    ensure_calendar(now=now)
    today = Workspace.current().day(now)
    with transaction.atomic():
        calendar = UsageCalendar.objects.select_for_update(no_key=True).get()
        before = calendar.as_of
        if today <= before:
            return 0
        execute(_turn(before, today))
        calendar.as_of = today
        calendar.save(update_fields=["as_of"])
    return (today - before).days


def _turn(before: date, today: date) -> SQL:
    """The statement that moves every window from ending on ``before`` to ending on ``today``."""
    old, new = f"DATE '{before:%Y-%m-%d}'", f"DATE '{today:%Y-%m-%d}'"
    changes = ", ".join(
        f"coalesce(sum(count) FILTER (WHERE {in_window(new, ends, begins)}), 0)"
        f" - coalesce(sum(count) FILTER (WHERE {in_window(old, ends, begins)}), 0) AS {column}"
        for column, ends, begins in WINDOWS
    )
    edges = sorted({edge for _column, *edges in WINDOWS for edge in edges})
    moved = " OR ".join(f"(day > {old} - {edge} AND day <= {new} - {edge})" for edge in edges)
    return SQL(
        f"""
        WITH moved AS (
            SELECT account_id, feature_id, {changes} FROM usage_dailyusage
            WHERE {moved} GROUP BY account_id, feature_id
        )
        UPDATE usage_rollingusage r SET {", ".join(f"{column} = r.{column} + moved.{column}" for column in _columns)}
        FROM moved WHERE r.account_id = moved.account_id AND r.feature_id = moved.feature_id
            AND ({" OR ".join(f"moved.{column} <> 0" for column in _columns)})
        """
    )


def rebuild_windows(pairs: Iterable[tuple[int, int]]) -> None:
    """Work out the windows of these (account, feature) pairs anew from their days; call it in a transaction.

    For what adding cannot undo: days whose count went back to zero are removed, and with them their first and last day.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return
    keys = SQL(
        "unnest(%s::bigint[], %s::bigint[]) AS wanted (account_id, feature_id)",
        ([account for account, _feature in wanted], [feature for _account, feature in wanted]),
    )
    execute(
        SQL(
            "DELETE FROM usage_dailyusage d USING {} WHERE d.account_id = wanted.account_id"
            " AND d.feature_id = wanted.feature_id AND d.count = 0"
        ).format(keys)
    )
    execute(
        SQL(
            "DELETE FROM usage_rollingusage r USING {} WHERE r.account_id = wanted.account_id"
            " AND r.feature_id = wanted.feature_id"
        ).format(keys)
    )
    execute(
        SQL(
            f"""
            WITH {CALENDAR}
            INSERT INTO usage_rollingusage (account_id, feature_id, {", ".join(_columns)}, first_day, last_day)
            SELECT account_id, feature_id, {_sums}, min(day), max(day)
            FROM usage_dailyusage JOIN {{}} USING (account_id, feature_id) CROSS JOIN calendar
            GROUP BY account_id, feature_id
            """
        ).format(keys)
    )


def add_daily_usage(rows: Iterable[tuple[int, int, date, int]], *, now: datetime) -> int:
    """Add counts of ``(account id, feature id, day, count)`` from elsewhere than tracking; returns how many rows came.

    A count may be negative, to take back what was added before. Rows of the same key add up. The days are the
    workspace's; an account counts as heard at the start of its first and its last day here.
    """
    ensure_calendar(now=now)
    zone = Workspace.current().zone
    added = 0
    accounts: set[int] = set()
    with transaction.atomic():
        for chunk in _chunks(rows):
            added += len(chunk)
            accounts.update(row[0] for row in chunk)
            for month in {day.replace(day=1) for _account, _feature, day, _count in chunk}:
                ensure_months("usage_dailyusage", month, month)
            _add_chunk(chunk, zone.key)
            rebuild_windows((account, feature) for account, feature, _day, count in chunk if count < 0)
        touch(accounts)
    return added


def add_active_users(rows: Iterable[tuple[int, str, date]]) -> None:
    """Note that users were active, as ``(account id, user id, day)``, for data from elsewhere than tracking."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE usage_active_incoming (account_id bigint, user_id text, day date) ON COMMIT DROP"
        )
        with cursor.copy("COPY usage_active_incoming FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            """
            INSERT INTO usage_useractivity (account_id, user_id, first_day, last_day)
            SELECT account_id, user_id, min(day), max(day) FROM usage_active_incoming
            GROUP BY account_id, user_id ORDER BY account_id, user_id
            ON CONFLICT (account_id, user_id) DO UPDATE SET
                first_day = least(usage_useractivity.first_day, excluded.first_day),
                last_day = greatest(usage_useractivity.last_day, excluded.last_day)
            """
        )
        cursor.execute("DROP TABLE usage_active_incoming")


def _chunks(rows: Iterable[tuple[int, int, date, int]]) -> Iterator[list[tuple[int, int, date, int]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _add_chunk(chunk: list[tuple[int, int, date, int]], zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE usage_incoming (account_id bigint, feature_id bigint, day date, count integer)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY usage_incoming FROM STDIN") as copy:
            for row in chunk:
                copy.write_row(row)
        cursor.execute(
            f"""
            WITH {CALENDAR},
            counted AS MATERIALIZED (
                SELECT account_id, feature_id, day, sum(count)::integer AS count FROM usage_incoming GROUP BY 1, 2, 3
            ),
            {ROLL_UP}
            INSERT INTO usage_accountactivity (account_id, first_event_at, last_event_at)
            SELECT account_id, min(day)::timestamp AT TIME ZONE %s, max(day)::timestamp AT TIME ZONE %s
            FROM counted WHERE count > 0 GROUP BY account_id ORDER BY account_id
            ON CONFLICT (account_id) DO UPDATE SET
                first_event_at = least(usage_accountactivity.first_event_at, excluded.first_event_at),
                last_event_at = greatest(usage_accountactivity.last_event_at, excluded.last_event_at)
            """,
            [zone, zone],
        )
        cursor.execute("DROP TABLE usage_incoming")
