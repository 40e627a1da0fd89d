"""A rehearsal of 90 days over 10,000 accounts, beside the statements that read the same days."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from accounts.models import User
from bench.base import NOW, make_base, size_of
from bench.runner import Result, measure, timed
from common.partitions import ensure_months
from common.sql import SQL, execute, rows
from playbooks.models import Playbook, Rehearsal, RehearsedRun
from playbooks.services import rehearse_next, save_draft, start_rehearsal
from usage.models import Feature

LONGEST = 10.0
DAYS = 150
LOW = {"attribute": "usage.feature-1.7d", "operator": "lt", "value": 10}
DEFINITION = {
    "audience": {"attribute": "customer_days", "operator": "gte", "value": 30},
    "entry": {"kind": "condition", "condition": LOW},
    "exit": {"attribute": "tickets.open", "operator": "gte", "value": 20},
    "reentry_after_days": 30,
    "steps": [
        {"id": "wait", "kind": "wait", "days": 7},
        {"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"},
        {"id": "call", "kind": "task", "title": "Ask why"},
    ],
}
# Of forty accounts one is quiet in any week, and one of two such weeks is followed by another.
USE = SQL("""
INSERT INTO usage_dailyusage (account_id, feature_id, day, count)
SELECT a.id, {feature}, d::date, 3 FROM accounts_account a, generate_series({first}::date, {last}::date, '1 day') d,
    LATERAL (SELECT extract(epoch FROM d)::bigint / 604800 AS week) w
WHERE abs(hashint8(a.id * 2003 + week * 17)) %% 40 > 0 AND abs(hashint8(a.id * 2003 + (week - 1) * 17)) %% 80 > 0
ON CONFLICT (account_id, feature_id, day) DO UPDATE SET count = 3
""")
BY_HAND = """
SELECT account_id, sum(count) FROM usage_dailyusage
WHERE feature_id = %(feature)s AND day > %(day)s::date - 7 AND day <= %(day)s GROUP BY account_id
"""


def run(scale: float) -> Result:
    """Time the whole of a rehearsal; raises when nobody entered, recovered or fired in it, or it takes too long."""
    make_base(size_of(scale))
    feature, today = Feature.objects.get(key="feature-1").pk, NOW.date()
    ensure_months("usage_dailyusage", today - timedelta(days=DAYS), today)
    named = {"first": SQL("%s", (today - timedelta(days=DAYS),)), "last": SQL("%s", (today,))}
    execute(USE.format(feature=SQL("%s", (feature,)), **named))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    admin = User.objects.create_user("bench@example.com", role=User.Role.ADMIN)
    playbook = Playbook.objects.create(key="bench", name="Bench")
    save_draft(playbook=playbook, definition=DEFINITION, number=0, by=admin, now=NOW)

    def ours() -> None:
        start_rehearsal(playbook=playbook, is_draft=True, by=admin, now=NOW)
        rehearse_next(now=NOW)

    def by_hand() -> None:
        with connection.cursor() as cursor:
            for ago in range(1, 91):
                cursor.execute(BY_HAND, {"feature": feature, "day": today - timedelta(days=ago)})
                cursor.fetchall()

    result = measure(
        name="rehearsal",
        unit="s",
        ours=timed(ours),
        floor=timed(by_hand),
        floor_is="the hand-written SQL that sums the seven days before each of the 90 days, and nothing else",
        scale=scale,
        rounds=3,
    )
    _check(result)
    return result


def _check(result: Result) -> None:
    rehearsal = Rehearsal.objects.latest("pk")
    states = {state for (state,) in rows(SQL("SELECT DISTINCT state FROM playbooks_rehearsedrun"))}
    fired = RehearsedRun.objects.filter(rehearsal=rehearsal, fired_on__isnull=False).exists()
    if rehearsal.problem or not fired or not {"recovered", "finished"} <= states:
        raise RuntimeError(f"the rehearsal found {states}; {rehearsal.problem}")
    if result.scale >= 1 and result.ours > LONGEST:
        raise RuntimeError(f"the rehearsal took {result.ours:.1f} s")
