"""What to do first: the number that the queue is ordered by, kept in the row so that a page is one index scan.

priority = value × urgency × severity, where

- value is the account's MRR as a multiple of the average paying customer's, held between ¼ and 5
  (1 while nobody pays);
- urgency is 1 until a week before the task is due, rises by ⅐ a day to 2 on the day it is due, and by ½ for each
  day overdue, up to 5; days are those of the workspace;
- severity is 1 (low) to 4 (urgent).

The MRR that was weighed and the day of renewal are kept with it, for lists to show.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.attributes import Catalogue, Context, Scope, facts_relation
from common.sql import SQL, execute, rows, value
from playbooks.models import Yardstick

PRIORITIES = SQL("""
WITH figure AS (
    SELECT t.id, t.severity, facts.v0 AS mrr, facts.v1 AS renewal_on,
           {today} - (t.due_at AT TIME ZONE {zone})::date AS days_over,
           CASE WHEN {average} > 0
                THEN round(greatest(0.25, least(5, coalesce(facts.v0, 0) / {average})), 2) END AS value
    FROM playbooks_task t JOIN ({facts}) facts ON facts.account_id = t.account_id
    WHERE t.status = 'open' AND {which}
), weighed AS (
    SELECT *, round(CASE WHEN days_over > 0 THEN least(5, 2 + days_over / 2.0)
                         ELSE greatest(1, 2 + days_over / 7.0) END, 2) AS urgency
    FROM figure
), numbered AS (
    SELECT id, round(coalesce(value, 1) * urgency * severity, 2)::float8 AS priority,
           jsonb_build_object('mrr', mrr, 'average', {average}, 'value', coalesce(value, 1), 'days_over', days_over,
                              'urgency', urgency, 'severity', severity, 'renewal_on', renewal_on) AS reasons
    FROM weighed
)
UPDATE playbooks_task t SET priority = n.priority, priority_reasons = n.reasons
FROM numbered n
WHERE n.id = t.id AND (t.priority, t.priority_reasons) IS DISTINCT FROM (n.priority, n.reasons)
""")


@transaction.atomic
def refresh_priorities(*, now: datetime) -> int:
    """Measure the average customer anew and number every open task again; returns how many changed."""
    _measure_average(now)
    return _number(
        Scope.query(SQL("SELECT account_id FROM playbooks_task WHERE status = 'open'")), SQL("TRUE"), now=now
    )


def number_tasks(task_ids: Iterable[int], *, now: datetime) -> int:
    """Number just these tasks; returns how many changed."""
    ids = list(task_ids)
    if not ids:
        return 0
    return _number(
        Scope.query(SQL("SELECT account_id FROM playbooks_task WHERE id = ANY(%s)", (ids,))),
        SQL("t.id = ANY(%s)", (ids,)),
        now=now,
    )


def _number(scope: Scope, which: SQL, *, now: datetime) -> int:
    context = Context.at(now)
    yardstick = Yardstick.objects.first() or _measure_average(now)
    catalogue = Catalogue()
    facts = facts_relation([catalogue["mrr"], catalogue["renewal_on"]], scope=scope, context=context, with_heard=False)
    return execute(
        PRIORITIES.format(
            today=SQL("%s::date", (context.today,)),
            zone=value(context.zone.key),
            average=SQL("%s::numeric", (yardstick.average_mrr,)),
            facts=facts.sql,
            which=which,
        )
    )


def _measure_average(now: datetime) -> Yardstick:
    facts = facts_relation([Catalogue()["mrr"]], scope=Scope.everything(), context=Context.at(now))
    [[average]] = rows(SQL("SELECT round(avg(v0), 2) FROM ({}) facts WHERE v0 > 0").format(facts.sql))
    return Yardstick.objects.update_or_create(defaults={"average_mrr": average, "measured_at": now}, id=1)[0]
