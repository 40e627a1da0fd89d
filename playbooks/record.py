"""The record of a run: what was seen, kept as data, and told in sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.attributes.registry import choices_of
from accounts.conditions import Explanation, Leaf, plain
from accounts.models import Event
from common.numerals import in_days, written
from playbooks.occasions import EVENTS

LOOKS = ("entry", "check", "branch", "wait_until")
"""The kinds of steps that tell why what follows them is done, unless they have only begun to wait."""


class Observer:
    """Keeps as data what conditions found at ``at``.

    Labels are kept beside the keys, since an attribute may be gone when the record is read.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at.isoformat()
        self._asked: dict[int, tuple[Leaf, dict[str, Any]]] = {}

    def observe(self, explanation: Explanation, *, within: str = "") -> dict[str, Any]:
        """``at``, ``holds`` and ``findings``, of which ``within`` keeps only those below that place of the tree."""
        return {
            "at": self._at,
            "holds": explanation.holds,
            "findings": [
                {
                    **self._ask(leaf),
                    "found": plain(found),
                    "heard_at": heard_at.isoformat() if heard_at else None,
                    "holds": holds,
                }
                for leaf, found, heard_at, holds in explanation.findings
                if leaf.path.startswith(within)
            ],
        }

    def _ask(self, leaf: Leaf) -> dict[str, Any]:
        """What a leaf looks for, in the language that is active; put into words once for many accounts."""
        if id(leaf) not in self._asked:
            words = {
                "path": leaf.path,
                "attribute": leaf.attribute.key,
                "label": str(leaf.attribute.label),
                "type": str(leaf.attribute.type),
                "unit": str(leaf.attribute.unit),
                "operator": leaf.operator.key,
                "expected": plain(leaf.given),
            }
            self._asked[id(leaf)] = leaf, words
        return self._asked[id(leaf)][1]


def occasion(event: Event) -> dict[str, Any]:
    """The event that made an account enter, as the record keeps it."""
    contact = event.contact.name if event.contact else ""
    return {"at": event.happened_at.isoformat(), "kind": event.kind, "data": event.data, "contact": contact}


def reasons(steps: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """What a task should say of why it exists, from the ``(kind, facts)`` of the run's steps in order."""
    why: list[dict[str, Any]] = []
    for kind, facts in steps:
        if kind == "entry" and "event" in facts:
            why.append({"moment": "event", **facts["event"]})
        if kind in LOOKS and "until" not in facts and facts.get("seen", {}).get("findings"):
            why.append({"moment": kind, **facts["seen"]})
    return why


class Teller:
    """Tells records in sentences, with dates of ``zone``."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.catalogue = Catalogue()
        self._names: dict[str, dict[str, Any]] = {}
        self._days: dict[date, str] = {}
        self._labels: dict[str, str] = {}
        self._limits: dict[tuple[str, str, str, bool], str] = {}
        self._unknown = _("%(date)s: %(label)s was not known (%(limit)s).")
        self._again = _("%(date)s: %(label)s was still at %(found)s (%(limit)s).")
        self._once = _("%(date)s: %(label)s was %(found)s (%(limit)s).")

    def why(self, reasons: Sequence[Mapping[str, Any]]) -> list[str]:
        """The sentences of a task's ``why``: what was seen, when, each with its numbers."""
        told: list[str] = []
        before: dict[str, Any] = {}
        for reason in reasons:
            if reason["moment"] == "event":
                told.append(self.event(reason))
                continue
            for finding in reason["findings"]:
                if supports(finding):
                    told.append(self.finding(finding, at=reason["at"], again=finding["attribute"] in before))
                    before[finding["attribute"]] = finding
        return told

    def woken(self, because: Mapping[str, Any]) -> str:
        """Why a task that was snoozed until it gets worse is back."""
        match because["kind"]:
            case "health":
                return _("Back because health fell from %(before)s to %(now)s.") % {
                    "before": _number(because["from"]),
                    "now": _number(because["to"]),
                }
            case "number":
                return _("Back because %(label)s went from %(before)s to %(now)s.") % {
                    "label": self.label(because),
                    "before": self.value(because, because["from"]),
                    "now": self.value(because, because["to"]),
                }
            case _kind:
                return _("Back because the renewal is near: %(date)s.") % {
                    "date": formats.date_format(date.fromisoformat(because["on"]), "DATE_FORMAT")
                }

    def last(self, reasons: Sequence[Mapping[str, Any]]) -> str:
        """The last sentence of ``why``, for lists; empty where nothing was seen."""
        for place in range(len(reasons) - 1, -1, -1):
            reason = reasons[place]
            if reason["moment"] == "event":
                return self.event(reason)
            spoken = [finding for finding in reason["findings"] if supports(finding)]
            if spoken:
                key = spoken[-1]["attribute"]
                told = [*spoken[:-1], *(one for early in reasons[:place] for one in early.get("findings", ()))]
                again = any(one["attribute"] == key and supports(one) for one in told)
                return self.finding(spoken[-1], at=reason["at"], again=again)
        return ""

    def findings(self, seen: Mapping[str, Any]) -> list[str]:
        """Each leaf of what was seen, once: the value found, and the day on which it was last heard.

        A number of days is counted up to the look, however long ago its date was heard of.
        """
        at = seen["at"]
        told = (
            self.finding(one, at=at if one["type"] == "days" else min(one["heard_at"] or at, at))
            for one in seen["findings"]
        )
        return list(dict.fromkeys(told))

    def clause(self, finding: Mapping[str, Any], *, again: bool = False) -> str:
        """One value and the limit that it was held against, within a sentence."""
        words = {
            "label": self.label(finding),
            "found": self.value(finding, finding["found"]),
            "limit": self.limit(finding),
        }
        if finding["found"] is None:
            return _("%(label)s was not known (%(limit)s)") % words
        if again:
            return _("%(label)s was still at %(found)s (%(limit)s)") % words
        return _("%(label)s was %(found)s (%(limit)s)") % words

    def finding(self, finding: Mapping[str, Any], *, at: str, again: bool = False) -> str:
        """One value on one day, and the limit that it was held against."""
        words = {
            "date": self.day(at),
            "label": self.label(finding),
            "found": self.value(finding, finding["found"]),
            "limit": self.limit(finding),
        }
        if finding["found"] is None:
            return self._unknown % words
        return (self._again if again else self._once) % words

    def event(self, event: Mapping[str, Any]) -> str:
        """What happened, on which day."""
        return _("%(date)s: %(words)s") % {"date": self.day(event["at"]), "words": _event_words(event)}

    def happened(self, event: Mapping[str, Any]) -> str:
        """What happened, within a sentence."""
        return _event_words(event).rstrip(".。")

    def day(self, at: str) -> str:
        """The calendar day in the zone, as the reader writes it."""
        day = datetime.fromisoformat(at).astimezone(self.zone).date()
        if day not in self._days:
            self._days[day] = formats.date_format(day, "DATE_FORMAT")
        return self._days[day]

    def time(self, at: str) -> str:
        """The day and the time of day in the zone, as the reader writes them."""
        return f"{self.day(at)}, {datetime.fromisoformat(at).astimezone(self.zone):%H:%M}"

    def date(self, day: date) -> str:
        """A day as the reader writes it."""
        return formats.date_format(day, "DATE_FORMAT")

    def label(self, finding: Mapping[str, Any]) -> str:
        key = finding["attribute"]
        if key not in self._labels:
            self._labels[key] = str(self.catalogue[key].label if key in self.catalogue else finding["label"])
        return self._labels[key]

    def value(self, finding: Mapping[str, Any], value: Any) -> str:
        """A value as people read it: its number with its unit, its date, its words."""
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, int | float):
            return _with_unit(value, finding)
        if isinstance(value, list):
            return ", ".join(self.value(finding, one) for one in value)
        if isinstance(value, str) and finding["type"] in ("date", "datetime"):
            return self.day(value) if "T" in value else formats.date_format(date.fromisoformat(value), "DATE_FORMAT")
        return _("not known") if value is None else self._name(finding, str(value))

    def _name(self, finding: Mapping[str, Any], value: str) -> str:
        """The label of a choice, as long as the attribute has it; other words as they are."""
        key = finding["attribute"]
        if finding["type"] == "choice" and key not in self._names:
            self._names[key] = choices_of(self.catalogue[key]) if key in self.catalogue else {}
        return str(self._names.get(key, {}).get(value, value))

    def limit(self, finding: Mapping[str, Any]) -> str:
        """What the playbook looks for and whether it is so, such as ``below 10`` or ``not below 10``."""
        key = (finding["attribute"], finding["operator"], str(finding["expected"]), finding["holds"])
        if key not in self._limits:
            self._limits[key] = self._limit(finding)
        return self._limits[key]

    def _limit(self, finding: Mapping[str, Any]) -> str:
        expected = finding["expected"]
        given = self.value(finding, expected)
        match finding["operator"]:
            case "lt":
                words = _("below %(given)s")
            case "lte":
                words = _("at most %(given)s")
            case "gt":
                words = _("above %(given)s")
            case "gte":
                words = _("at least %(given)s")
            case "between":
                low, high = (self.value(finding, one) for one in expected)
                words = _("between %(low)s and %(high)s") % {"low": low, "high": high}
            case "is_known":
                words = _("known")
            case "is_missing":
                words = _("not known")
            case operator:
                words = f"{_operator_words(operator)} %(given)s"
        text = words % {"given": given} if "%(given)s" in words else words
        return text if finding["holds"] else _("not %(limit)s") % {"limit": text}


def supports(finding: Mapping[str, Any]) -> bool:
    """Whether the leaf speaks for its condition: it holds, or it does not and stands under an odd number of “not”."""
    negated: bool = finding["path"].split(".").count("not") % 2 == 1
    return bool(finding["holds"]) != negated


def _operator_words(operator: str) -> str:
    words = {
        "eq": _("exactly"),
        "ne": _("other than"),
        "is": _("exactly"),
        "is_not": _("other than"),
        "in": _("one of"),
        "not_in": _("none of"),
        "contains": _("containing"),
        "starts_with": _("starting with"),
        "on": _("on"),
        "before": _("before"),
        "after": _("after"),
        "in_next_days": _("within the coming days:"),
        "in_last_days": _("within the past days:"),
        "over_days_ago": _("longer ago, in days, than"),
        "has_any": _("any of"),
        "has_all": _("all of"),
        "has_none": _("none of"),
    }
    return words.get(operator, operator)


def _event_words(event: Mapping[str, Any]) -> str:
    data = event["data"]
    match event["kind"]:
        case "survey.answered":
            return _("%(name)s answered a survey with %(score)s (%(category)s).") % {
                "name": event["contact"] or _("somebody"),
                "score": data.get("score", "?"),
                "category": _category(str(data.get("category", ""))),
            }
        case "health.band_changed":
            return _("health went from %(before)s to %(after)s.") % {
                "before": data.get("from") or _("none"),
                "after": data.get("to") or _("none"),
            }
        case "stage.entered":
            return _("the account entered the stage “%(stage)s”.") % {"stage": data.get("stage", "?")}
        case "ticket.opened":
            return _("a ticket was opened.")
        case "ticket.reopened":
            return _("a ticket was opened again.")
        case kind:
            return f"{EVENTS.get(kind, kind)}."


def _category(category: str) -> str:
    return {"promoter": _("promoter"), "passive": _("passive"), "detractor": _("detractor")}.get(category, category)


def _number(number: float) -> str:
    rounded = round(number, 2)
    whole = rounded == int(rounded)
    return written(int(rounded) if whole else rounded)


def _with_unit(value: float, finding: Mapping[str, Any]) -> str:
    number = _number(value)
    if finding["type"] == "percent":
        return f"{number} %"
    if finding["type"] == "days":
        return in_days(value, number)
    return f"{number} {finding['unit']}" if finding["unit"] else number
