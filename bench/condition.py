"""Membership of a segment: the compiled condition beside the bare SQL that somebody would write for it."""

from __future__ import annotations

from datetime import date

from django.db import connection

from accounts.conditions import matching_ids
from bench.base import NOW, make_base, size_of
from bench.runner import Result, measure, timed
from common.sql import rows
from usage.models import Feature

CONDITION = {
    "all": [
        {"attribute": "touch_model", "operator": "in", "value": ["high_touch", "low_touch"]},
        {"attribute": "seats", "operator": "gte", "value": 50},
        {"attribute": "usage.feature-16.28d", "operator": "lt", "value": 20},
        {
            "any": [
                {"attribute": "tickets.open", "operator": "gt", "value": 1},
                {"attribute": "days_to_renewal", "operator": "lte", "value": 90},
                {"not": {"attribute": "touch.days_since", "operator": "lt", "value": 60}},
            ]
        },
    ]
}

BY_HAND = """
    SELECT a.id FROM accounts_account a
    JOIN usage_accountactivity ac ON ac.account_id = a.id
    LEFT JOIN usage_rollingusage r ON r.account_id = a.id AND r.feature_id = %(feature)s
    LEFT JOIN (SELECT account_id, count(*) AS open FROM accounts_ticket WHERE solved_at IS NULL GROUP BY 1) t
        ON t.account_id = a.id
    LEFT JOIN (SELECT account_id, min(renews_on) AS renews_on FROM revenue_subscription
        WHERE NOT is_trial AND started_on <= %(today)s AND (ended_on IS NULL OR ended_on > %(today)s)
            AND renews_on >= %(today)s GROUP BY 1) s ON s.account_id = a.id
    LEFT JOIN (SELECT account_id, max(happened_at) AS last_at FROM accounts_touchpoint GROUP BY 1) p
        ON p.account_id = a.id
    WHERE a.touch_model IN ('high_touch', 'low_touch') AND a.seats >= 50
        AND a.plan_id IN (SELECT plan_id FROM usage_planfeature WHERE feature_id = %(feature)s)
        AND coalesce(r.last_28, 0) < 20
        AND (t.open > 1 OR s.renews_on - %(today)s::date <= 90
            OR (%(today)s::date - (p.last_at AT TIME ZONE 'Europe/Sofia')::date < 60) IS NOT TRUE)
"""


def run(scale: float) -> Result:
    """Time parsing, compiling and running one condition over four sources, and the statement alone."""
    make_base(size_of(scale))
    given: dict[str, int | date] = {"feature": Feature.objects.get(key="feature-16").pk, "today": NOW.date()}

    def compiled() -> list[int]:
        return [row[0] for row in rows(matching_ids(CONDITION, now=NOW))]

    def by_hand() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(BY_HAND, given)
            return [row[0] for row in cursor.fetchall()]

    found = compiled()
    if not found or sorted(found) != sorted(by_hand()):
        raise AssertionError(f"{len(found)} accounts by the condition, {len(by_hand())} by hand")
    return measure(
        name="condition",
        unit="s",
        ours=timed(compiled),
        floor=timed(by_hand),
        floor_is="the bare SQL for the same accounts",
        scale=scale,
        rounds=15,
    )
