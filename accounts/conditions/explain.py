"""Why a condition holds for an account, or why not: what each leaf looked for and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from accounts.attributes.registry import Catalogue, Context
from accounts.attributes.relation import Scope, facts_relation
from accounts.conditions.compile import compare
from accounts.conditions.parse import Group, InSegments, Leaf, Node, Not, leaves, parse
from common.sql import SQL, join, rows

Name = TypeVar("Name")


class LeafFinding(NamedTuple):
    """What one leaf found for one account. ``found`` is None when the value is missing."""

    leaf: Leaf
    found: Any
    heard_at: datetime | None
    holds: bool


class Explanation(NamedTuple):
    """Whether a condition holds for one account, with the finding of every leaf, from left to right."""

    holds: bool
    findings: tuple[LeafFinding, ...]


def explain(
    condition: Any, account_ids: Iterable[int], *, now: datetime, catalogue: Catalogue | None = None
) -> dict[int, Explanation]:
    """The explanation of ``condition`` (JSON) for each of these accounts, in one query; raises ConditionError."""
    explained = explain_several({"": condition}, account_ids, now=now, catalogue=catalogue)
    return {account_id: named[""] for account_id, named in explained.items()}


def explain_several(
    conditions: Mapping[Name, Any],
    account_ids: Iterable[int],
    *,
    now: datetime,
    catalogue: Catalogue | None = None,
    seen_from: datetime | None = None,
) -> dict[int, dict[Name, Explanation]]:
    """The explanations of several conditions by their names, for each of these accounts, in one query.

    With ``seen_from`` one looks back on ``now`` (see ``Context``). Raises ConditionError when a condition is not valid.
    """
    catalogue, context = Catalogue() if catalogue is None else catalogue, Context.at(now, seen_from)
    nodes = {name: parse(condition, catalogue=catalogue) for name, condition in conditions.items()}
    every = {name: list(leaves(node)) for name, node in nodes.items()}
    wanted = [leaf.attribute for found in every.values() for leaf in found]
    relation = facts_relation(wanted, scope=Scope.ids(account_ids), context=context)
    selected = [SQL("account_id")]
    for leaf in (leaf for found in every.values() for leaf in found):
        selected.append(SQL(relation.value(leaf.attribute)))
        selected.append(SQL(relation.heard(leaf.attribute)))
        selected.append(SQL("({}) IS TRUE").format(compare(leaf, relation, context)))
    query = SQL("SELECT {} FROM ({}) facts").format(join(", ", selected), relation.sql)
    asked, first = [], 1
    for name, found in every.items():
        asked.append((name, nodes[name], [(leaf, first + 3 * place) for place, leaf in enumerate(found)]))
        first += 3 * len(found)
    return {
        row[0]: {
            name: _explain(node, tuple([LeafFinding(leaf, *row[at : at + 3]) for leaf, at in found]))
            for name, node, found in asked
        }
        for row in rows(query)
    }


def _explain(node: Node, findings: tuple[LeafFinding, ...]) -> Explanation:
    if isinstance(node, Leaf):
        return Explanation(findings[0].holds, findings)
    return Explanation(_holds(node, {finding.leaf.path: finding.holds for finding in findings}), findings)


def _holds(node: Node, held: Mapping[str, bool]) -> bool:
    match node:
        case Leaf():
            return held[node.path]
        case Not():
            return not _holds(node.child, held)
        case InSegments():
            return any(_holds(child, held) for child in node.children) == (node.operator.key == "in")
        case Group():
            children = (_holds(child, held) for child in node.children)
            return any(children) if node.kind == "any" else all(children)


def plain(found: Any) -> Any:
    """A value as JSON can hold it: numbers as they are, dates and instants in ISO 8601."""
    match found:
        case Decimal():
            return int(found) if found == found.to_integral_value() else float(found)
        case date():
            return found.isoformat()
        case list() | tuple():
            return [plain(one) for one in found]
        case _:
            return found
