"""What everybody has on their hands, for the whole staff in one query."""

from __future__ import annotations

from datetime import datetime

from accounts.calendar import Calendar
from accounts.models import Workspace
from common.sql import SQL, rows, value
from playbooks.capacity import Load, Week
from playbooks.queries.queue import AWAKE

LOADS = SQL("""
WITH days AS (
    SELECT * FROM unnest({days}::date[], {shares}::float8[]) AS days (day, share)
), time AS (
    SELECT u.id, sum(d.share) AS days FROM accounts_user u CROSS JOIN days d
    WHERE NOT EXISTS (SELECT FROM accounts_leave l WHERE l.user_id = u.id AND d.day BETWEEN l.starts_on AND l.ends_on)
    GROUP BY u.id
), work AS (
    SELECT owner_id, count(*) FILTER (WHERE {awake}) AS open,
           count(*) FILTER (WHERE {awake} AND due_at < {now}) AS overdue,
           sum(minutes) FILTER (WHERE due_at < {ends_at} AND coalesce(snoozed_until < {ends_at}, true)) AS due
    FROM playbooks_task WHERE status = 'open' GROUP BY owner_id
), books AS (
    SELECT owner_id, count(*) AS accounts FROM accounts_account WHERE ended_at IS NULL GROUP BY owner_id
)
SELECT u.id, u.is_senior,
       EXISTS (SELECT FROM accounts_leave l WHERE l.user_id = u.id AND {today} BETWEEN l.starts_on AND l.ends_on),
       round(CASE WHEN u.is_active THEN u.weekly_hours * 60 / 5.0 * coalesce(time.days, 0) ELSE 0 END)::int,
       coalesce(work.due, 0)::int, coalesce(books.accounts, 0), coalesce(work.open, 0), coalesce(work.overdue, 0)
FROM accounts_user u
LEFT JOIN time ON time.id = u.id LEFT JOIN work ON work.owner_id = u.id LEFT JOIN books ON books.owner_id = u.id
ORDER BY u.id
""")


def staff_loads(now: datetime) -> dict[int, Load]:
    """The load of everybody, those who left included, by their ids; ``playbooks.capacity`` has the formula."""
    week = Week.at(now, Calendar.current())
    return {
        row[0]: Load(*row)
        for row in rows(
            LOADS.format(
                days=value(list(week.days)),
                shares=value(list(week.days.values())),
                now=value(now),
                awake=AWAKE.format(now=value(now)),
                ends_at=value(week.ends_at),
                today=SQL("%s::date", (Workspace.current().day(now),)),
            )
        )
    }
