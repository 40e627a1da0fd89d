"""Conditions: the one rule language. A JSON tree over attributes, compiled to SQL, explained for each account."""

from accounts.conditions.compile import matching, matching_ids
from accounts.conditions.describe import Describer, Phrase, describe
from accounts.conditions.explain import Explanation, LeafFinding, explain, explain_several
from accounts.conditions.parse import ConditionError, Node, parse

__all__ = [
    "ConditionError",
    "Describer",
    "Explanation",
    "LeafFinding",
    "Node",
    "Phrase",
    "describe",
    "explain",
    "explain_several",
    "matching",
    "matching_ids",
    "parse",
]
