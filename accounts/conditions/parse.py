"""From JSON to a checked tree. Whatever is wrong is said at its place, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from accounts.attributes.registry import Attribute, Catalogue, Type
from accounts.conditions.operators import BadValue, Operator, operators_for
from accounts.models import Segment
from common.errors import DomainError

DEEPEST = 12
MOST_LEAVES = 200


class ConditionError(DomainError):
    """A condition that cannot be used; ``fields`` names the place in the tree, such as ``all[0].value``."""

    code = "condition_invalid"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison: an attribute, an operator and the value that it is compared with."""

    path: str
    attribute: Attribute
    operator: Operator
    given: Any


@dataclass(frozen=True, slots=True)
class Group:
    """``all`` or ``any`` of the children hold; ``all`` of none holds, ``any`` of none does not."""

    path: str
    kind: str
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The child does not hold."""

    path: str
    child: Node


@dataclass(frozen=True, slots=True)
class InSegments:
    """The account is in one of these segments: each is the segment's own tree."""

    path: str
    attribute: Attribute
    operator: Operator
    given: list[str]
    children: tuple[Node, ...]


Node: TypeAlias = Leaf | Group | Not | InSegments


def leaves(node: Node) -> Iterator[Leaf]:
    """The leaves of the tree from left to right, those of segments included."""
    match node:
        case Leaf():
            yield node
        case Not():
            yield from leaves(node.child)
        case Group() | InSegments():
            for child in node.children:
                yield from leaves(child)


def parse(condition: Any, *, catalogue: Catalogue | None = None) -> Node:
    """The checked tree of a condition; raises ConditionError that names the place and the remedy."""
    return _Parser(Catalogue() if catalogue is None else catalogue).node(condition, "", 0, ())


class _Parser:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.leaves = 0
        self.segments: dict[str, Any] | None = None

    def refuse(self, path: str, message: str, code: str) -> ConditionError:
        return ConditionError(message, code=code, fields={path or "condition": message})

    def node(self, raw: Any, path: str, depth: int, within: tuple[str, ...]) -> Node:
        if depth > DEEPEST:
            raise self.refuse(
                path,
                _("The condition is nested more than %(most)s levels deep; put the inner part into a segment.")
                % {"most": DEEPEST},
                "condition_too_deep",
            )
        if not isinstance(raw, Mapping):
            raise self.refuse(
                path, _("Give an object with “all”, “any”, “not” or “attribute”."), "condition_not_an_object"
            )
        keys = set(raw)
        if keys == {"not"}:
            return Not(path, self.node(raw["not"], _join(path, "not"), depth + 1, within))
        if keys in ({"all"}, {"any"}):
            kind = next(iter(keys))
            if not isinstance(raw[kind], list):
                raise self.refuse(_join(path, kind), _("Give a list of conditions."), "condition_not_a_list")
            children = tuple(
                self.node(child, _join(path, f"{kind}[{n}]"), depth + 1, within) for n, child in enumerate(raw[kind])
            )
            return Group(path, kind, children)
        if "attribute" in keys and keys <= {"attribute", "operator", "value"}:
            return self.leaf(raw, path, depth, within)
        unknown = ", ".join(sorted(str(key)[:40] for key in keys)) or "{}"
        raise self.refuse(
            path,
            _("“%(keys)s” is not a condition; use “all”, “any”, “not”, or “attribute” with “operator” and “value”.")
            % {"keys": unknown},
            "condition_unknown_key",
        )

    def leaf(self, raw: Mapping[str, Any], path: str, depth: int, within: tuple[str, ...]) -> Node:
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            raise self.refuse(
                path,
                _("The condition compares more than %(most)s things; split it into segments.") % {"most": MOST_LEAVES},
                "condition_too_large",
            )
        attribute = self.attribute(raw["attribute"], _join(path, "attribute"))
        operators = operators_for(attribute.type)
        operator = operators.get(raw["operator"]) if isinstance(raw.get("operator"), str) else None
        if operator is None:
            raise self.refuse(
                _join(path, "operator"),
                _("“%(attribute)s” cannot be compared by “%(operator)s”; use one of: %(known)s.")
                % {
                    "attribute": attribute.key,
                    "operator": str(raw.get("operator"))[:40],
                    "known": ", ".join(operators),
                },
                "condition_unknown_operator",
            )
        try:
            given = operator.check(raw.get("value"), attribute)
        except BadValue as error:
            message = _("“%(attribute)s”: %(problem)s") % {"attribute": attribute.key, "problem": error}
            raise self.refuse(_join(path, "value"), message, "condition_wrong_value") from None
        if attribute.type == Type.SEGMENT:
            children = tuple(self.segment(key, path, depth, within) for key in given)
            return InSegments(path, attribute, operator, given, children)
        return Leaf(path, attribute, operator, given)

    def attribute(self, key: Any, path: str) -> Attribute:
        if isinstance(key, str) and key in self.catalogue:
            return self.catalogue[key]
        close = get_close_matches(str(key)[:150], list(self.catalogue), n=3)
        message = _("There is no attribute “%(key)s”.") % {"key": str(key)[:60]}
        if close:
            message += " " + _("Did you mean %(close)s?") % {"close": _(" or ").join(close)}
        raise self.refuse(path, message, "condition_unknown_attribute")

    def segment(self, key: str, path: str, depth: int, within: tuple[str, ...]) -> Node:
        if key in within:
            raise self.refuse(
                path,
                _("Segment “%(key)s” would depend on itself; remove it from this condition.") % {"key": key},
                "condition_circular",
            )
        if self.segments is None:
            self.segments = dict(Segment.objects.values_list("key", "condition"))
        return self.node(self.segments[key], f"{path}<{key}>", depth + 1, (*within, key))


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
