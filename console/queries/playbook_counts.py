"""How many accounts a draft is about now: who would enter, and for how many the conditions of its steps hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.attributes import Catalogue, Context, Scope, facts_relation
from accounts.conditions import ConditionError, matching_ids, parse
from accounts.conditions.compile import where
from accounts.conditions.parse import leaves
from accounts.models import Account, Workspace
from common.sql import SQL, join, rows
from playbooks.definition.steps import Branch, Check, Definition, WaitUntil
from playbooks.models import Playbook
from playbooks.today import is_watched, lets_in

SAMPLE = 3

ENTERING = SQL("""
WITH m AS MATERIALIZED ({matching})
SELECT count(*), count(*) FILTER (WHERE lets_in),
       (array_agg(account_id ORDER BY account_id) FILTER (WHERE lets_in))[1:{sample}]
FROM (SELECT account_id, {lets_in} AS lets_in FROM m) found
""")


@dataclass(frozen=True, slots=True)
class Entering:
    """How many accounts are as entry and audience ask, how many of those the rules would let in, and some of these.

    Unless the entry ``is_watched`` nobody enters before something happens, or somebody says so.
    """

    matching: int
    entering: int
    names: tuple[str, ...]
    is_watched: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """For how many of ``all`` accounts something holds."""

    count: int
    all: int
    names: tuple[str, ...] = ()


def count_entering(playbook: Playbook, definition: Definition, *, now: datetime) -> Entering:
    """Who would enter if the definition were live: two queries. Raises ConditionError."""
    today = Workspace.current().day(now)
    [(matching, entering, sample)] = rows(
        ENTERING.format(
            matching=matching_ids(definition.who_enters(today), now=now),
            lets_in=lets_in(playbook, definition, now),
            sample=SQL("%s", (SAMPLE,)),
        )
    )
    return Entering(matching, entering, _names(sample), is_watched(definition))


def count_holding(condition: Any, audience: Any, *, is_live: bool, now: datetime) -> Holding:
    """For how many of the audience a condition holds, and some of their names. Raises ConditionError.

    Of customers, or of those who are none any more if not ``is_live``.
    """
    everybody = {"all": [{"attribute": "is_live", "operator": "is", "value": is_live}, audience]}
    [(count, sample)] = rows(
        SQL("SELECT count(*), (array_agg(account_id ORDER BY account_id))[1:{}] FROM ({}) m").format(
            SQL("%s", (SAMPLE,)), matching_ids({"all": [everybody, condition]}, now=now)
        )
    )
    [(every,)] = rows(SQL("SELECT count(*) FROM ({}) m").format(matching_ids(everybody, now=now)))
    return Holding(count, every, _names(sample))


def count_steps(definition: Definition, *, now: datetime) -> Mapping[str, list[Holding]]:
    """For how many customers of the audience the conditions of each step hold now: one statement for all of them."""
    catalogue, context = Catalogue(), Context.at(now)
    asked = [(step.id, condition) for step in definition.steps for condition in _conditions_of(step)]
    nodes = []
    for step_id, condition in asked:
        try:
            nodes.append((step_id, parse(condition, catalogue=catalogue)))
        except ConditionError:
            continue
    if not nodes:
        return {}
    scope = Scope.query(matching_ids({"all": [definition.standing, definition.audience]}, now=now, catalogue=catalogue))
    wanted = [leaf.attribute for _step, node in nodes for leaf in leaves(node)]
    relation = facts_relation(wanted or [catalogue["is_live"]], scope=scope, context=context, with_heard=False)
    counted = [
        SQL("count(*) FILTER (WHERE {})").format(where(node, relation, context, strict=True)) for _step, node in nodes
    ]
    [(every, *each)] = rows(SQL("SELECT count(*), {} FROM ({}) facts").format(join(", ", counted), relation.sql))
    found: dict[str, list[Holding]] = {}
    for (step_id, _node), count in zip(nodes, each, strict=True):
        found.setdefault(step_id, []).append(Holding(count, every))
    return found


def _conditions_of(step: object) -> list[dict[str, Any]]:
    match step:
        case Check() | WaitUntil():
            return [step.condition]
        case Branch():
            return [way.when for way in step.ways]
    return []


def _names(ids: list[int] | None) -> tuple[str, ...]:
    return tuple(Account.objects.filter(pk__in=ids or []).order_by("pk").values_list("name", flat=True))
