"""Conditions: the one rule language. A JSON tree over attributes, compiled to SQL, explained for each account."""

from accounts.conditions.compile import matching, matching_ids
from accounts.conditions.describe import Describer, Phrase, describe
from accounts.conditions.explain import Explanation, LeafFinding, explain, explain_several, plain
from accounts.conditions.parse import ConditionError, Leaf, Node, parse

__all__ = [
    "ConditionError",
    "Describer",
    "Explanation",
    "Leaf",
    "LeafFinding",
    "Node",
    "Phrase",
    "describe",
    "explain",
    "explain_several",
    "matching",
    "matching_ids",
    "parse",
    "plain",
]
