"""A condition in words, in the reader's language: for people who look at a rule rather than write one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.attributes.registry import Attribute, Catalogue, Type, choices_of
from accounts.conditions.parse import ConditionError, Group, InSegments, Leaf, Node, Not, parse
from accounts.models import Segment, Workspace
from common.numerals import in_days, written
from common.templatetags.amounts import money


@dataclass(frozen=True, slots=True)
class Phrase:
    """One part of a condition in words.

    A comparison has a ``label`` (what is looked at) and ``words`` (what it should be). ``kind`` is ``all``, ``any`` or
    ``not`` for a group of ``parts``, and without parts ``words`` says whom it holds for; ``problem`` for a condition
    that cannot be used, with the reason in ``words``.
    """

    kind: str
    label: str = ""
    words: str = ""
    parts: tuple[Phrase, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole phrase in one line, such as ``Seats is at least 50 and (Plan is Pro or Plan is Team)``."""
        match self.kind:
            case "leaf":
                return f"{self.label} {self.words}"
            case "not":
                return _("not (%(part)s)") % {"part": self.parts[0].sentence}
            case "all" | "any" if self.parts:
                joined = _(" and ") if self.kind == "all" else _(" or ")
                return joined.join(part.enclosed if len(self.parts) > 1 else part.sentence for part in self.parts)
        return self.words

    @property
    def enclosed(self) -> str:
        """The phrase as a part of a longer one: in brackets when it has parts that could be misread."""
        return f"({self.sentence})" if self.kind in ("all", "any") and len(self.parts) > 1 else self.sentence


class Describer:
    """Puts any number of conditions into words; what they name is read once."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.catalogue = catalogue or Catalogue()
        self._currency: str | None = None
        self._segments: dict[str, str] | None = None
        self._choices: dict[str, dict[str, Any]] = {}

    def describe(self, condition: Any) -> Phrase:
        """The condition (JSON) in words; one that cannot be used says why."""
        try:
            node = parse(condition, catalogue=self.catalogue)
        except ConditionError as error:
            return Phrase("problem", words=error.message)
        return self._phrase(node)

    def label(self, key: str) -> str:
        """What people call the attribute with this key; the key itself when there is none."""
        return str(self.catalogue[key].label) if key in self.catalogue else key

    def _phrase(self, node: Node) -> Phrase:
        match node:
            case Leaf():
                return Phrase("leaf", str(node.attribute.label), self._comparison(node))
            case InSegments():
                return Phrase("leaf", str(node.attribute.label), self._segments_in(node))
            case Not():
                return Phrase("not", parts=(self._phrase(node.child),))
            case Group(kind=kind, children=children):
                parts = tuple(self._flat(kind, children))
                if len(parts) == 1:
                    return parts[0]
                return Phrase(kind, words=_("every account") if kind == "all" else _("no account"), parts=parts)

    def _flat(self, kind: str, children: tuple[Node, ...]) -> Iterator[Phrase]:
        """The parts, those of groups of the same kind among them: it makes no difference and reads better."""
        for child in children:
            phrase = self._phrase(child)
            if phrase.kind == kind:
                yield from phrase.parts
            else:
                yield phrase

    def _segments_in(self, node: InSegments) -> str:
        if self._segments is None:
            self._segments = dict(Segment.objects.values_list("key", "name"))
        names = ", ".join(self._segments.get(key, key) for key in node.given)
        if len(node.given) > 1:
            return f"{node.operator.label} {names}"
        return (_("is %(given)s") if node.operator.key == "in" else _("is not %(given)s")) % {"given": names}

    def _comparison(self, leaf: Leaf) -> str:
        given = leaf.given
        match leaf.operator.key:
            case "is_known" | "is_missing":
                return str(leaf.operator.label)
            case "between":
                low, high = (self._value(one, leaf.attribute) for one in given)
                return _("is between %(low)s and %(high)s") % {"low": low, "high": high}
            case "in_next_days":
                words = ngettext("is within the next %(given)s day", "is within the next %(given)s days", given)
            case "in_last_days":
                words = ngettext("is within the last %(given)s day", "is within the last %(given)s days", given)
            case "over_days_ago":
                words = ngettext("is more than %(given)s day ago", "is more than %(given)s days ago", given)
            case "in" if len(given) == 1:
                words = _("is %(given)s")
            case "not_in" if len(given) == 1:
                words = _("is not %(given)s")
            case _:
                words = f"{leaf.operator.label} %(given)s"
        bare = leaf.operator.key.endswith(("_days", "_days_ago"))
        return words % {"given": given if bare else self._value(given, leaf.attribute)}

    def _value(self, given: Any, attribute: Attribute) -> str:
        if isinstance(given, list):
            return ", ".join(self._value(one, attribute) for one in given)
        if isinstance(given, bool):
            return _("yes") if given else _("no")
        if isinstance(given, int | float):
            return self._number(given, attribute)
        if isinstance(given, date):
            return formats.date_format(given, "DATE_FORMAT")
        return str(self._labels(attribute).get(given) or given)

    def _number(self, given: float, attribute: Attribute) -> str:
        if attribute.type == Type.MONEY:
            if self._currency is None:
                self._currency = Workspace.current().currency
            return money(given, self._currency)
        number = written(given)
        if attribute.type == Type.DAYS:
            return in_days(given, number)
        unit = "%" if attribute.type == Type.PERCENT else attribute.unit
        return f"{number}\u00a0{unit}" if unit else number

    def _labels(self, attribute: Attribute) -> dict[str, Any]:
        if attribute.key not in self._choices:
            self._choices[attribute.key] = choices_of(attribute)
        return self._choices[attribute.key]


def describe(condition: Any, *, catalogue: Catalogue | None = None) -> Phrase:
    """One condition (JSON) in words; for several use one ``Describer``."""
    return Describer(catalogue).describe(condition)


def segments_named(condition: Any) -> set[str]:
    """The keys of the segments that a condition, or anything with conditions in it, names directly."""
    match condition:
        case {"attribute": "segment", "value": list(keys)}:
            return {key for key in keys if isinstance(key, str)}
        case dict():
            return set().union(*(segments_named(part) for part in condition.values()))
        case list():
            return set().union(*(segments_named(part) for part in condition))
    return set()
