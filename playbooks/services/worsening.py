"""Snoozed until it gets worse: how things stood, what worse is, and waking all tasks for which it came about.

Things are worse than they were when somebody snoozed a task when one of these holds, looked at in this order:

- the account's health fell into a lower band, or by five points or more;
- a number that the task was made for moved further to the bad side: below what it was where the playbook looked for
  little, above it where the playbook looked for much;
- the renewal has come within 30 days, and was further away.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from accounts.attributes import Catalogue, Context, Scope, facts_relation, read_facts
from accounts.models import Account, Event
from accounts.services.ledger import record_many
from common.sql import SQL, join, rows, value
from health.models import HealthScore, NamedScore
from playbooks.models import Task
from playbooks.record import supports

WORSE_BY = 5
NEAR_DAYS = 30
FALLING = frozenset({"lt", "lte"})
RISING = frozenset({"gt", "gte"})

WORSE = SQL("""
WITH sleeping AS MATERIALIZED (
    SELECT id, account_id, snoozed_for AS was FROM playbooks_task
    WHERE status = 'open' AND snoozed_until > {now} AND snoozed_for IS NOT NULL
), facts AS MATERIALIZED (
    SELECT account_id, {renewal} AS renewal_on, jsonb_build_object({pairs}) AS found FROM ({facts}) facts
), health AS (
    SELECT s.id, 1 AS rank, jsonb_build_object('kind', 'health', 'from', s.was->'score', 'to', h.score) AS reason
    FROM sleeping s
    JOIN health_healthscore h ON h.account_id = s.account_id
        AND h.named_id = (SELECT id FROM health_namedscore WHERE key = {overall})
    WHERE h.score <= (s.was->>'score')::float8 - {worse_by}
        OR h.score < (s.was->>'score')::float8
            AND array_position({bands}, h.band::text) < array_position({bands}, s.was->>'band')
), numbers AS (
    SELECT DISTINCT ON (s.id) s.id, 2 AS rank,
        jsonb_build_object('kind', 'number', 'from', w->'found', 'to', facts.found->(w->>'attribute')) || w AS reason
    FROM sleeping s JOIN facts USING (account_id),
        LATERAL jsonb_array_elements(s.was->'watched') WITH ORDINALITY AS watched (w, place)
    WHERE CASE WHEN w->>'way' = 'down'
        THEN (facts.found->>(w->>'attribute'))::numeric < (w->>'found')::numeric
        ELSE (facts.found->>(w->>'attribute'))::numeric > (w->>'found')::numeric END
    ORDER BY s.id, place
), renewals AS (
    SELECT s.id, 3 AS rank, jsonb_build_object('kind', 'renewal', 'on', facts.renewal_on) AS reason
    FROM sleeping s JOIN facts USING (account_id)
    WHERE facts.renewal_on BETWEEN {today} AND {today} + {near}
        AND coalesce((s.was->>'days_to_renewal')::int, {near} + 1) > {near}
), worst AS (
    SELECT DISTINCT ON (id) id, reason
    FROM (SELECT * FROM health UNION ALL SELECT * FROM numbers UNION ALL SELECT * FROM renewals) every
    ORDER BY id, rank
)
UPDATE playbooks_task t
SET snoozed_until = NULL, snoozed_for = NULL, woken = worst.reason || jsonb_build_object('at', {now}::timestamptz)
FROM worst WHERE worst.id = t.id AND t.status = 'open' AND t.snoozed_for IS NOT NULL
RETURNING t.id, t.account_id, t.title, worst.reason
""")
BANDS = ["poor", "watch", "good"]


def state_of(task: Task, *, now: datetime) -> dict[str, Any]:
    """How things stand for the task's account at ``now``, as ``snoozed_for`` keeps it."""
    catalogue, context = Catalogue(), Context.at(now)
    watched = {finding["attribute"]: finding for finding in _numbers(task) if finding["attribute"] in catalogue}
    keys = ["renewal_on", *watched]
    facts = read_facts([catalogue[key] for key in keys], [task.account_id], context=context)[task.account_id]
    health = HealthScore.objects.overall().filter(account=task.account_id).only("score", "band").first()
    renewal = facts["renewal_on"].value
    return {
        "at": now.isoformat(),
        "score": health.score if health else None,
        "band": health.band if health else "",
        "days_to_renewal": (renewal - context.today).days if renewal else None,
        "watched": [
            {
                **{name: finding[name] for name in ("attribute", "label", "type", "unit")},
                "way": "down" if finding["operator"] in FALLING else "up",
                "found": float(facts[key].value),
            }
            for key, finding in watched.items()
            if facts[key].value is not None
        ],
    }


def _numbers(task: Task) -> list[dict[str, Any]]:
    """The findings among the task's reasons that held a number against a limit, each attribute's last one."""
    return [
        finding
        for reason in task.why
        for finding in reason.get("findings", ())
        if supports(finding) and finding["operator"] in FALLING | RISING and finding["type"] not in ("date", "datetime")
    ]


@transaction.atomic
def wake_worsened(*, now: datetime) -> int:
    """Bring back every task that was snoozed until it gets worse and for which it did; returns how many."""
    watched = rows(
        SQL(
            "SELECT DISTINCT w->>'attribute' FROM playbooks_task, jsonb_array_elements(snoozed_for->'watched') w"
            " WHERE status = 'open' AND snoozed_until > {} AND snoozed_for IS NOT NULL"
        ).format(value(now))
    )
    catalogue, context = Catalogue(), Context.at(now)
    wanted = [catalogue[key] for [key] in watched if key in catalogue]
    renewal = catalogue["renewal_on"]
    scope = Scope.query(SQL("SELECT account_id FROM sleeping"))
    facts = facts_relation([renewal, *wanted], scope=scope, context=context, with_heard=False)
    pairs = [SQL(f"{{}}, {facts.value(one)}").format(value(one.key)) for one in wanted]
    woken = rows(
        WORSE.format(
            now=value(now),
            renewal=SQL(facts.value(renewal)),
            pairs=join(", ", pairs),
            facts=facts.sql,
            overall=value(NamedScore.OVERALL),
            worse_by=value(WORSE_BY),
            bands=SQL("%s::text[]", (BANDS,)),
            today=SQL("%s::date", (context.today,)),
            near=value(NEAR_DAYS),
        )
    )
    accounts = Account.objects.in_bulk({account for _pk, account, _title, _reason in woken})
    record_many(
        [
            Event(
                account=accounts[account],
                kind="task.woken",
                happened_at=now,
                data={"task": pk, "title": title, "because": orjson.loads(reason)},
            )
            for pk, account, title, reason in woken
        ],
        touches=False,
    )
    return len(woken)
