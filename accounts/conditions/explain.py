"""Why a condition holds for an account, or why not: what each leaf looked for and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from accounts.attributes.registry import Attribute, Catalogue, Context
from accounts.attributes.relation import Scope, facts_relation
from accounts.conditions.compile import compare
from accounts.conditions.parse import Group, InSegments, Leaf, Node, Not, leaves, parse
from common.sql import SQL, join, rows

Name = TypeVar("Name")


class LeafFinding(NamedTuple):
    """What one leaf found for one account. ``found`` is None when the value is missing."""

    path: str
    attribute: Attribute
    operator: str
    expected: Any
    found: Any
    heard_at: datetime | None
    holds: bool

    def to_json(self) -> dict[str, Any]:
        """The finding as it is kept in a run's record: plain values, the label in the reader's language left out."""
        return {
            "path": self.path,
            "attribute": self.attribute.key,
            "operator": self.operator,
            "expected": plain(self.expected),
            "found": plain(self.found),
            "heard_at": self.heard_at.isoformat() if self.heard_at else None,
            "holds": self.holds,
        }


class Explanation(NamedTuple):
    """Whether a condition holds for one account, with the finding of every leaf, from left to right."""

    holds: bool
    findings: tuple[LeafFinding, ...]

    def to_json(self) -> dict[str, Any]:
        return {"holds": self.holds, "findings": [finding.to_json() for finding in self.findings]}


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
    explanations = {}
    for account_id, *values in rows(query):
        named, place = {}, iter(values)
        for name, node in nodes.items():
            findings = {
                leaf.path: LeafFinding(
                    path=leaf.path,
                    attribute=leaf.attribute,
                    operator=leaf.operator.key,
                    expected=leaf.given,
                    found=next(place),
                    heard_at=next(place),
                    holds=next(place),
                )
                for leaf in every[name]
            }
            named[name] = Explanation(holds=_holds(node, findings), findings=tuple(findings.values()))
        explanations[account_id] = named
    return explanations


def _holds(node: Node, findings: Mapping[str, LeafFinding]) -> bool:
    match node:
        case Leaf():
            return findings[node.path].holds
        case Not():
            return not _holds(node.child, findings)
        case InSegments():
            return any(_holds(child, findings) for child in node.children) == (node.operator.key == "in")
        case Group():
            held = (_holds(child, findings) for child in node.children)
            return any(held) if node.kind == "any" else all(held)


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
