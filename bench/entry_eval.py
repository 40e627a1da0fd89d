"""Who enters: twenty playbooks looked at for all accounts, beside the bare SQL of the same conditions."""

from __future__ import annotations

from typing import Any

from django.db import connection

from bench.base import NOW, make_base, size_of
from bench.runner import Result, measure, timed
from common.sql import SQL, rows
from playbooks.models import EntryMatch, Playbook
from playbooks.services import evaluate_entries, publish
from usage.models import Feature

PLAYBOOKS = 20
ACCOUNTS_AT_1 = 10
"""So many times the accounts of other benches: 100,000 at full scale."""
CHANGE = 0.001
"""The share of accounts that changes its seats before each round."""

BY_HAND = """
    SELECT a.id FROM accounts_account a
    JOIN usage_accountactivity ac ON ac.account_id = a.id
    LEFT JOIN usage_rollingusage r ON r.account_id = a.id AND r.feature_id = %(feature)s
    LEFT JOIN (SELECT account_id, count(*) AS open FROM accounts_ticket WHERE solved_at IS NULL GROUP BY 1) t
        ON t.account_id = a.id
    WHERE (a.ended_at IS NULL OR a.ended_at > %(now)s) AND a.touch_model IN ('high_touch', 'low_touch')
        AND a.plan_id IN (SELECT plan_id FROM usage_planfeature WHERE feature_id = %(feature)s)
        AND coalesce(r.last_28, 0) < 5 AND a.seats >= %(seats)s AND t.open >= 1
"""


def run(scale: float) -> Result:
    """The floor reads for each playbook who matches; ours also tells whom that is new for, and lets them enter.

    All that match have been seen before the first round, as when playbooks have been on for a while; between rounds
    one account in a thousand changes.
    """
    make_base(ACCOUNTS_AT_1 * size_of(scale))
    features = [Feature.objects.get(key=f"feature-{n}").pk for n in range(1, PLAYBOOKS + 1)]
    for n in range(1, PLAYBOOKS + 1):
        playbook = Playbook.objects.create(key=f"bench-{n}", name=f"Bench {n}")
        publish(playbook=playbook, definition=_definition(n), author=None, note="", now=NOW)
    evaluate_entries(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    entered: list[int] = []

    def ours() -> None:
        entered.append(evaluate_entries(now=NOW))

    def by_hand() -> list[set[int]]:
        found = []
        with connection.cursor() as cursor:
            for n, feature in enumerate(features, start=1):
                cursor.execute(BY_HAND, {"feature": feature, "seats": 10 * n, "now": NOW})
                found.append({pk for (pk,) in cursor.fetchall()})
        return found

    def once() -> float:
        _change()
        return timed(ours)()

    result = measure(
        name="entry_eval",
        unit="s",
        ours=once,
        floor=timed(by_hand),
        floor_is=f"the hand-written SQL of the same {PLAYBOOKS} conditions, read one after the other",
        scale=scale,
    )
    for playbook, matching in zip(Playbook.objects.order_by("pk"), by_hand(), strict=True):
        if set(EntryMatch.objects.filter(playbook=playbook).values_list("account_id", flat=True)) != matching:
            raise RuntimeError(f"{playbook} is looked at otherwise than by hand")
    return result


def _definition(n: int) -> dict[str, Any]:
    return {
        "audience": {"attribute": "touch_model", "operator": "in", "value": ["high_touch", "low_touch"]},
        "entry": {
            "kind": "condition",
            "condition": {
                "all": [
                    {"attribute": f"usage.feature-{n}.28d", "operator": "lt", "value": 5},
                    {"attribute": "seats", "operator": "gte", "value": 10 * n},
                    {"attribute": "tickets.open", "operator": "gte", "value": 1},
                ]
            },
        },
        "reentry_after_days": 30,
        "steps": [{"id": "wait", "kind": "wait", "days": 7}],
    }


def _change() -> None:
    every = int(1 / CHANGE)
    rows(
        SQL(
            "UPDATE accounts_account SET seats = 5 + (random() * 400)::int"
            f" WHERE id %% {every} = (random() * {every})::int RETURNING id"
        )
    )
