"""Computing health: any number of accounts in one statement, one computation of an account at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import DataError, transaction

from accounts.attributes import Attribute, Context, Scope, facts_relation
from accounts.conditions.parse import leaves
from accounts.models import Event
from accounts.services.ledger import record_many, take_touched
from common.partitions import ensure_months
from common.sql import SQL, execute, rows
from health.models import HealthDay
from health.queries.definitions import Definitions, load_definitions
from health.queries.statement import keep_health

logger = logging.getLogger(__name__)

LOCKS = 0x4848
BLOCK = 10_000


@transaction.atomic
def compute_health(*, scope: Scope, now: datetime) -> int:
    """Compute the health of the live accounts in ``scope`` and keep it: score, history of the day, band changes.

    Returns how many accounts were scored. Accounts that no profile decides lose their score. What is broken in the
    definitions is left out (see ``Definitions.problems``). Safe to run twice and at once: the later run waits and
    sees what the earlier one changed.
    """
    context = Context.at(now)
    ensure_months(HealthDay._meta.db_table, context.today, context.today)
    _wait_for_turn(scope)
    scored, moves = _keep(scope, context)
    record_many(
        [
            Event(
                account_id=account_id,
                kind="health.band_changed",
                happened_at=now,
                data={"from": before, "to": after, "score": score},
            )
            for account_id, before, after, score in moves
        ],
        touches=False,
    )
    return scored


@transaction.atomic
def compute_touched(*, now: datetime, limit: int) -> int:
    """Compute the accounts that up to ``limit`` notices name, and return how many notified accounts there were."""
    account_ids = take_touched(limit=limit)
    if account_ids:
        compute_health(scope=Scope.ids(account_ids), now=now)
    return len(account_ids)


def _wait_for_turn(scope: Scope) -> None:
    """Hold the accounts' blocks until the transaction ends, lowest first, so that two computations cannot deadlock.

    Without it a slow sweep could overwrite what a later look at a touched account found. What is read after this
    includes all that the computation before it committed.
    """
    execute(
        SQL(
            f"SELECT pg_advisory_xact_lock({LOCKS}, block) FROM (SELECT DISTINCT (a.id / {BLOCK})::int AS block"
            " FROM accounts_account a WHERE {} ORDER BY 1) blocks"
        ).format(scope.on("a.id"))
    )


def _keep(scope: Scope, context: Context) -> tuple[int, list[tuple[int, str, str, float | None]]]:
    """Run the statement; when a value of some attribute cannot be read, find which and run it without."""
    failing: set[str] = set()
    while True:
        definitions = load_definitions(failing=failing)
        try:
            with transaction.atomic():
                [(scored, moves)] = rows(keep_health(definitions, scope=scope, context=context))
        except DataError:
            found = _failing(definitions, scope, context)
            if not found:
                raise
            logger.warning("health is computed without %s: some value cannot be read", ", ".join(sorted(found)))
            failing |= found
            continue
        return scored, json.loads(moves)


def _failing(definitions: Definitions, scope: Scope, context: Context) -> set[str]:
    """The keys of the attributes in use whose values cannot be read for some account in scope."""
    failing = set()
    for attribute in _in_use(definitions):
        relation = facts_relation([attribute], scope=scope, context=context)
        try:
            with transaction.atomic():
                rows(SQL("SELECT count({}) FROM ({}) facts").format(SQL(relation.value(attribute)), relation.sql))
        except DataError:
            failing.add(attribute.key)
    return failing


def _in_use(definitions: Definitions) -> Iterable[Attribute]:
    used = {leaf.attribute for ready in definitions.profiles for leaf in leaves(ready.segment)}
    return used | {weighted.attribute for ready in definitions.profiles for weighted in ready.measures}
