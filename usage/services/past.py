"""Looking back: the windows of usage as they were on each of some days, rolled from the days themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date

from django.db import transaction

from common.sql import SQL, execute

LONGEST = 57
"""So many days reach into the windows of one day: 28, the 28 before, and one, since whole days end yesterday."""

ROLL = SQL("""
CREATE TEMP TABLE usage_past AS
WITH days AS (
    SELECT r.account_id, r.feature_id, r.first_day, g.day::date AS day, coalesce(d.count, 0) AS count, d.day AS used_on
    FROM usage_rollingusage r
    CROSS JOIN generate_series({first}::date - {longest}, {last}::date, interval '1 day') g (day)
    LEFT JOIN usage_dailyusage d
        ON d.account_id = r.account_id AND d.feature_id = r.feature_id AND d.day = g.day::date
        AND d.day BETWEEN {first}::date - {longest} AND {last}::date AND d.feature_id = ANY({features})
    WHERE r.feature_id = ANY({features})
), summed AS (
    SELECT *, sum(count) OVER up_to AS used, max(used_on) OVER up_to AS last_used
    FROM days WINDOW up_to AS (PARTITION BY account_id, feature_id ORDER BY day)
)
SELECT account_id, feature_id, first_day, {first}::date - {longest} AS begins,
    array_agg(used ORDER BY day) AS used, array_agg(last_used ORDER BY day) AS last_used
FROM summed GROUP BY account_id, feature_id, first_day
""")


@contextmanager
def roll_past(*, first: date, last: date, features: Collection[int]) -> Iterator[None]:
    """Within this, conditions may look back on the days from ``first`` to ``last`` at the usage of these features.

    The table is the connection's own.
    """
    execute(SQL("DROP TABLE IF EXISTS pg_temp.usage_past"))
    named = {"first": SQL("%s", (first,)), "last": SQL("%s", (last,)), "longest": SQL("%s", (LONGEST,))}
    with transaction.atomic():
        execute(SQL("SET LOCAL work_mem = '256MB'"))  # it sorts each day of each account once
        execute(ROLL.format(features=SQL("%s::int[]", (list(features),)), **named))
        execute(SQL("CREATE INDEX ON pg_temp.usage_past (account_id, feature_id)"))
    execute(SQL("ANALYZE pg_temp.usage_past"))
    try:
        yield
    finally:
        execute(SQL("DROP TABLE IF EXISTS pg_temp.usage_past"))
