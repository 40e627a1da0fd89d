"""Computing health: any number of accounts in one statement a score, one computation of an account at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import DataError, transaction

from accounts.attributes import Attribute, Context, Scope, facts_relation
from accounts.conditions.parse import leaves
from accounts.services.ledger import record_many, take_touched
from common.partitions import ensure_months
from common.sql import SQL, execute, rows, value
from health.models import HealthDay, NamedScore, Version
from health.queries.definitions import ScoreDefinition, load_definitions
from health.queries.statement import keep_health
from health.services.events import health_event

logger = logging.getLogger(__name__)

LOCKS = 0x4848
BLOCK = 10_000


def block_of(column: str) -> str:
    """SQL: the block of the account whose id is ``column``; accounts of one block are computed one after another."""
    return f"({column} / {BLOCK})::int"


@transaction.atomic
def compute_health(*, scope: Scope, now: datetime) -> int:
    """Compute every named score of the live accounts in ``scope`` and keep it: score, history of the day, band changes.

    Returns how many scores were computed. Accounts that no profile decides lose their score. What is broken in the
    definitions is left out (see ``Definitions.problems``). Safe to run twice and at once: the later run waits and
    sees what the earlier one changed.

    Scores of an earlier version are first computed anew with it, so that what the version in force then changes is
    the formula's doing alone.
    """
    context = Context.at(now)
    ensure_months(HealthDay._meta.db_table, context.today, context.today)
    _wait_for_turn(scope)
    version = Version.objects.in_force(now)
    for former in _superseded(version, scope):
        _keep(former, _of_version(former, scope), context)
    return _keep(version, scope, context)


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
            f"SELECT pg_advisory_xact_lock({LOCKS}, block) FROM (SELECT DISTINCT {block_of('a.id')} AS block"
            " FROM accounts_account a WHERE {} ORDER BY 1) blocks"
        ).format(scope.on("a.id"))
    )


def _superseded(version: Version | None, scope: Scope) -> list[Version]:
    """The versions other than ``version`` that scores in ``scope`` still come from, the oldest first."""
    if version is None:
        return []
    others = rows(
        SQL(
            "SELECT DISTINCT p.version_id FROM health_healthscore h JOIN health_profile p ON p.id = h.profile_id"
            " WHERE {} AND p.version_id <> {}"
        ).format(scope.on("h.account_id"), value(version.pk))
    )
    return list(Version.objects.filter(pk__in=[pk for (pk,) in others]).order_by("number"))


def _of_version(version: Version, scope: Scope) -> Scope:
    """The accounts in ``scope`` with a score that comes from ``version``."""
    return Scope.query(
        SQL(
            "SELECT h.account_id FROM health_healthscore h JOIN health_profile p ON p.id = h.profile_id"
            " WHERE {} AND p.version_id = {}"
        ).format(scope.on("h.account_id"), value(version.pk))
    )


def _keep(version: Version | None, scope: Scope, context: Context) -> int:
    """Compute and keep each named score; returns how many scores there are now in ``scope``.

    When a value of some attribute cannot be read, it finds which and computes without.
    """
    failing: set[str] = set()
    definitions = load_definitions(version)
    total = 0
    for place in range(len(definitions.scores)):
        while True:
            definition = definitions.scores[place]
            try:
                with transaction.atomic():
                    [(scored, moves)] = rows(keep_health(definition, scope=scope, context=context))
                break
            except DataError:
                found = failing_attributes(definition, scope, context) - failing
                if not found:
                    raise
                logger.warning("health is computed without %s: some value cannot be read", ", ".join(sorted(found)))
                failing |= found
                definitions = load_definitions(version, failing=failing)
        total += scored
        _record_moves(definition.named, json.loads(moves), version, context.now)
    return total


def _record_moves(
    named: NamedScore, moves: Iterable[tuple[int, str, str, float | None, bool]], version: Version | None, now: datetime
) -> None:
    """Write a change of band as an event; what a new formula did is of another kind than what the customer did."""
    by_formula = {"version": version.number} if version else {}
    record_many(
        [
            health_event(
                "band_restated" if restated else "band_changed",
                named=named,
                account_id=account_id,
                happened_at=now,
                data={"from": before, "to": after, "score": score, **(by_formula if restated else {})},
            )
            for account_id, before, after, score, restated in moves
        ],
        touches=False,
    )


def failing_attributes(definition: ScoreDefinition, scope: Scope, context: Context) -> set[str]:
    """The keys of the attributes in use whose values cannot be read for some account in scope."""
    failing = set()
    for attribute in _in_use(definition):
        relation = facts_relation([attribute], scope=scope, context=context)
        try:
            with transaction.atomic():
                rows(SQL("SELECT count({}) FROM ({}) facts").format(SQL(relation.value(attribute)), relation.sql))
        except DataError:
            failing.add(attribute.key)
    return failing


def _in_use(definition: ScoreDefinition) -> Iterable[Attribute]:
    trees = [ready.segment for ready in definition.profiles]
    trees += [measure.applies_when for measure in definition.measures.values() if measure.applies_when]
    used = {leaf.attribute for tree in trees for leaf in leaves(tree)}
    return used | {measure.attribute for measure in definition.measures.values()}
