"""Rows of the queue: a task with what its list shows, for a page of tasks in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.utils.translation import gettext as _

from accounts.models import Workspace
from common.sql import SQL, rows, value
from health.models import NamedScore
from playbooks.models import TaskQuerySet
from playbooks.record import Teller

LISTED = SQL("""
SELECT t.id, t.title, split_part(t.guidance, E'\\n', 1), t.severity, t.due_at, t.due_at < {now}, t.snoozed_until,
       t.priority, t.account_id, a.name, u.name, (t.priority_reasons->>'mrr')::numeric,
       (t.priority_reasons->>'renewal_on')::date, h.score, h.band, h.stale,
       cardinality(array_remove(h.points, NULL)), jsonb_array_length(t.checklist),
       jsonb_array_length(jsonb_path_query_array(t.checklist, '$[*] ? (@.done != null)')), t.woken, t.why,
       t.priority_reasons
FROM (SELECT id, row_number() OVER () AS place FROM ({tasks}) tasks (id)) listed
JOIN playbooks_task t ON t.id = listed.id
JOIN accounts_account a ON a.id = t.account_id
LEFT JOIN accounts_user u ON u.id = t.owner_id
LEFT JOIN health_healthscore h ON h.account_id = t.account_id
    AND h.named_id = (SELECT id FROM health_namedscore WHERE key = {overall})
ORDER BY listed.place
""")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in a list: why it exists, its account's health, value (MRR a month) and renewal.

    ``items`` and ``ticked`` count its checklist. ``because`` is what got worse while it was snoozed, ``seen`` what the
    task keeps of why, ``note`` the first line of what to do. Value and renewal are those that its place in the queue
    was last made of.
    """

    id: int
    title: str
    note: str
    severity: int
    due_at: datetime
    is_overdue: bool
    snoozed_until: datetime | None
    priority: float
    account_id: int
    account: str
    owner: str | None
    mrr: Decimal | None
    renewal_on: date | None
    score: float | None
    band: str | None
    stale: int | None
    inputs: int | None
    items: int
    ticked: int
    because: dict[str, Any] | None
    seen: list[dict[str, Any]]
    priority_reasons: dict[str, Any]
    teller: Teller

    @property
    def why(self) -> list[str]:
        """What was seen, in sentences."""
        return self.teller.why(self.seen)

    @property
    def woken_words(self) -> str:
        """Why it is back before its time, where it is."""
        return self.teller.woken(self.because) if self.because else ""

    @property
    def reason(self) -> str:
        """Why it is here, in a line: what got worse, what was seen last, or what the person who made it wrote."""
        return self.woken_words or self.teller.last(self.seen) or self.note or _("Made by hand")


def task_rows(tasks: TaskQuerySet, *, now: datetime) -> list[TaskRow]:
    """The rows of these tasks, in their order; they may be a slice."""
    try:
        sql, params = tasks.values("pk").query.sql_with_params()
    except EmptyResultSet:
        return []
    listed = LISTED.format(tasks=SQL(sql, tuple(params)), now=value(now), overall=value(NamedScore.OVERALL))
    teller = Teller(Workspace.current().zone)
    return [
        TaskRow(*[*row, orjson.loads(woken or "null"), orjson.loads(seen), orjson.loads(reasons), teller])
        for *row, woken, seen, reasons in rows(listed)
    ]
