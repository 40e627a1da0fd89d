"""How the values of attributes are spread over the accounts of the company: one query, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DataError, transaction

from accounts.attributes import Attribute, Context, Scope, Type, facts_relation
from common.sql import SQL, rows, value

MOST_ACCOUNTS = 100_000
"""No more accounts than these are looked at: a picture of that many is as good as one of all."""
MOST_VALUES = 12
"""Up to so many different values, each has a bar of its own."""
BARS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def live_accounts(context: Context) -> Scope:
    """The live accounts that pictures are made of, at most ``MOST_ACCOUNTS``."""
    return Scope.query(
        SQL(
            "SELECT id FROM accounts_account WHERE ended_at IS NULL OR ended_at > {}"
            f" ORDER BY id LIMIT {MOST_ACCOUNTS}"
        ).format(value(context.now))
    )


def distribution(attribute: Attribute, *, context: Context) -> dict[str, Any] | None:
    """The values of an attribute over the live accounts; None when they cannot be read.

    For a number ``{"bins": [{"from", "to", "count"}], "missing", "quantiles": {"p5", .. "p95"}, "min", "max"}``, where
    the outermost hundredths share one bin at each end; for a choice or yes-or-no ``{"counts": {value: count},
    "missing"}``. One query.
    """
    relation = facts_relation([attribute], scope=live_accounts(context), context=context, with_heard=False)
    found = SQL(f"SELECT {relation.value(attribute)} AS v FROM ({{}}) facts").format(relation.sql)
    try:
        with transaction.atomic():
            return _numbers(found) if attribute.type.is_numeric else _choices(found, attribute.type)
    except DataError:
        return None


def known_counts(attributes: Iterable[Attribute], *, context: Context) -> tuple[Mapping[str, int], int]:
    """For how many live accounts each attribute has a value, by its key, and how many accounts there are; one query."""
    relation = facts_relation(attributes, scope=live_accounts(context), context=context, with_heard=False)
    counted = [f"count({relation.value(attribute)})" for attribute in relation.attributes]
    [(accounts, *known)] = rows(
        SQL(f"SELECT {', '.join(['count(*)', *counted])} FROM ({{}}) facts").format(relation.sql)
    )
    return {attribute.key: count for attribute, count in zip(relation.attributes, known, strict=True)}, accounts


def _choices(found: SQL, type_: Type) -> dict[str, Any]:
    counted = dict(rows(SQL("SELECT v::text, count(*) FROM ({}) f GROUP BY 1 ORDER BY 2 DESC, 1").format(found)))
    missing = counted.pop(None, 0)
    if type_ == Type.BOOLEAN:
        counted = {name: counted.get(name, 0) for name in ("true", "false")}
    return {"counts": counted, "missing": missing}


def _numbers(found: SQL) -> dict[str, Any]:
    """Bins of a round width (1, 2 or 5 times a power of ten), about ``BARS`` of them between the first and last 1 %."""
    counted = rows(
        SQL(f"""
            WITH f AS MATERIALIZED (SELECT nullif(v::float8, 'NaN') AS v FROM ({{}}) found),
            s AS (
                SELECT count(*) - count(v) AS missing, count(DISTINCT v) AS different, min(v) AS least, max(v) AS most,
                    percentile_cont(ARRAY[0.01, 0.99, {", ".join(map(str, QUANTILES))}]) WITHIN GROUP (ORDER BY v) AS q
                FROM f
            ), w AS (SELECT *, (q[2] - q[1]) / {BARS} AS raw FROM s),
            p AS (SELECT *, CASE WHEN raw > 0 THEN power(10, floor(log(raw::numeric))::int) ELSE 1 END AS power FROM w),
            t AS (
                SELECT *, power * CASE WHEN raw <= power * 1.0001 THEN 1 WHEN raw <= power * 2.0001 THEN 2
                    WHEN raw <= power * 5.0001 THEN 5 ELSE 10 END AS step FROM p
            )
            SELECT missing, different, least, most, q, step,
                CASE WHEN different <= {MOST_VALUES} THEN v
                    ELSE greatest(least(floor(v / step), floor(q[2] / step) + 1), floor(q[1] / step) - 1) END AS bin,
                count(v), min(v), max(v)
            FROM t LEFT JOIN f ON f.v IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 7
        """).format(found)
    )
    missing, different, least, most, quantiles, step = counted[0][:6]
    if not different:
        return {"bins": [], "missing": missing, "quantiles": {}, "min": None, "max": None}
    bins = [tuple(row[6:]) for row in counted]
    return {
        "bins": _apart(bins) if different <= MOST_VALUES else _stepped(bins, step, quantiles),
        "missing": missing,
        "quantiles": {
            f"p{round(share * 100)}": round(found, 6) for share, found in zip(QUANTILES, quantiles[2:], strict=True)
        },
        "min": least,
        "max": most,
    }


Counted = tuple[float, int, float, float]


def _apart(bins: Sequence[Counted]) -> list[dict[str, float]]:
    """A bin for each value."""
    return [{"from": found, "to": found, "count": count} for found, count, _least, _most in bins]


def _stepped(bins: Sequence[Counted], step: float, quantiles: Sequence[float]) -> list[dict[str, float]]:
    """Bins of one width, and one at each end for what lies beyond."""
    first, last = quantiles[0] // step, quantiles[1] // step
    shown = []
    for place, count, least, most in bins:
        start = least if place < first else place * step
        # A bin ends before its end; what lies at the very end is in it all the same.
        end = max(most, start) + step / 1000 if place > last else (place + 1) * step
        shown.append({"from": round(start, 9), "to": round(end, 9), "count": count})
    return shown
