"""From a checked tree to one SQL query over any number of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.expressions import RawSQL

from accounts.attributes.registry import Catalogue, Context, Type
from accounts.attributes.relation import Relation, Scope, facts_relation
from accounts.conditions.parse import Group, InSegments, Leaf, Node, Not, leaves, parse
from accounts.models.account import AccountQuerySet
from common.sql import SQL, join


def matching_ids(
    condition: Any,
    *,
    now: datetime,
    scope: Scope | None = None,
    catalogue: Catalogue | None = None,
    seen_from: datetime | None = None,
) -> SQL:
    """The query for the ids of the accounts in ``scope`` for which ``condition`` (JSON) holds at ``now``.

    With ``seen_from`` one looks back on ``now`` (see ``Context``). Raises ConditionError when it is not valid.
    """
    node = parse(condition, catalogue=catalogue)
    context = Context.at(now, seen_from)
    relation = condition_relation(node, scope=scope or Scope.everything(), context=context, with_heard=False)
    return SQL("SELECT account_id FROM ({}) facts WHERE {}").format(relation.sql, where(node, relation, context))


def matching(accounts: AccountQuerySet, condition: Any, *, now: datetime) -> AccountQuerySet:
    """Those of ``accounts`` for which ``condition`` (JSON) holds at ``now``; raises ConditionError."""
    ids = matching_ids(condition, now=now)
    return accounts.filter(pk__in=RawSQL(ids.text, ids.params))


def condition_relation(node: Node, *, scope: Scope, context: Context, with_heard: bool = True) -> Relation:
    """The facts of every attribute in the tree, one row an account."""
    wanted = (leaf.attribute for leaf in leaves(node))
    return facts_relation(wanted, scope=scope, context=context, with_heard=with_heard)


def where(node: Node, relation: Relation, context: Context, *, strict: bool = False) -> SQL:
    """The tree as a boolean over the relation's columns.

    A comparison with a missing value does not hold. SQL says "unknown" there, which is the same as false until
    it is negated: ``strict`` turns it into false.
    """
    match node:
        case Leaf():
            compared = compare(node, relation, context)
            return SQL("({}) IS TRUE").format(compared) if strict else compared
        case Not():
            return SQL("NOT ({})").format(where(node.child, relation, context, strict=True))
        case InSegments():
            inside = _any([where(child, relation, context, strict=True) for child in node.children])
            return inside if node.operator.key == "in" else SQL("NOT ({})").format(inside)
        case Group():
            parts = [where(child, relation, context, strict=strict) for child in node.children]
            return _any(parts) if node.kind == "any" else _all(parts)


def compare(leaf: Leaf, relation: Relation, context: Context) -> SQL:
    """One leaf as a boolean over the relation's columns; unknown when the value is missing."""
    found = SQL(relation.value(leaf.attribute))
    if leaf.attribute.type == Type.DATETIME and leaf.operator.key not in ("is_known", "is_missing"):
        found = SQL("({} AT TIME ZONE {})::date").format(found, SQL("%s", (context.zone.key,)))
    return leaf.operator.sql(found, leaf.given, context)


def _all(parts: list[SQL]) -> SQL:
    return SQL("({})").format(join(" AND ", parts)) if parts else SQL("TRUE")


def _any(parts: list[SQL]) -> SQL:
    return SQL("({})").format(join(" OR ", parts)) if parts else SQL("FALSE")
