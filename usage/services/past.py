"""Looking back: the windows of usage as they were on each of some days, rolled from the days themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date

from common.sql import SQL, execute

LONGEST = 57
"""So many days reach into the windows of one day: 28, the 28 before, and one, since whole days end yesterday."""

ROLL = SQL("""
CREATE TEMP TABLE usage_past AS
WITH pairs AS (
    SELECT account_id, feature_id, first_day FROM usage_rollingusage WHERE feature_id = ANY({features})
), days AS (
    SELECT p.account_id, p.feature_id, p.first_day, g.day::date AS day, coalesce(d.count, 0) AS count, d.day AS used_on
    FROM pairs p CROSS JOIN generate_series({first}::date - {longest}, {last}::date, interval '1 day') g (day)
    LEFT JOIN usage_dailyusage d
        ON d.account_id = p.account_id AND d.feature_id = p.feature_id AND d.day = g.day::date
        AND d.day BETWEEN {first}::date - {longest} AND {last}::date
), summed AS (
    SELECT account_id, feature_id, first_day, day, sum(count) OVER up_to AS upto, max(used_on) OVER up_to AS last_day
    FROM days WINDOW up_to AS (PARTITION BY account_id, feature_id ORDER BY day)
), rolled AS (
    SELECT account_id, feature_id, first_day, day, last_day,
        upto - lag(upto, 7) OVER by_day AS last_7,
        upto - lag(upto, 28) OVER by_day AS last_28,
        lag(upto, 28) OVER by_day - lag(upto, 56) OVER by_day AS prior_28,
        lag(upto, 1) OVER by_day - lag(upto, 29) OVER by_day AS whole_28,
        lag(upto, 29) OVER by_day - lag(upto, 57) OVER by_day AS whole_prior_28
    FROM summed WINDOW by_day AS (PARTITION BY account_id, feature_id ORDER BY day)
)
SELECT * FROM rolled WHERE day >= {first}::date AND first_day <= day
""")


@contextmanager
def roll_past(*, first: date, last: date, features: Collection[int]) -> Iterator[None]:
    """Within this, conditions may look back on the days from ``first`` to ``last`` at the usage of these features.

    The table is the connection's own.
    """
    execute(SQL("DROP TABLE IF EXISTS pg_temp.usage_past"))
    named = {"first": SQL("%s", (first,)), "last": SQL("%s", (last,)), "longest": SQL("%s", (LONGEST,))}
    execute(ROLL.format(features=SQL("%s::int[]", (list(features),)), **named))
    execute(SQL("CREATE INDEX ON pg_temp.usage_past (day)"))
    execute(SQL("ANALYZE pg_temp.usage_past"))
    try:
        yield
    finally:
        execute(SQL("DROP TABLE IF EXISTS pg_temp.usage_past"))
