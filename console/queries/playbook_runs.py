"""One run as a story: the numbers then, at each look, and now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.conditions import ConditionError, explain, plain
from accounts.models import Account
from playbooks.models import RunStep
from playbooks.record import Teller


@dataclass(frozen=True, slots=True)
class Seen:
    """One value on one occasion; ``holds`` tells whether it was as the playbook looks for, None when not compared."""

    words: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One thing that the playbook looks at: its label, what it looks for, and what was seen on each occasion."""

    label: str
    limit: str
    cells: tuple[Seen | None, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Then and now: the occasions with their instants, oldest first, the last one being now, and the rows."""

    occasions: tuple[tuple[str, datetime], ...]
    rows: tuple[SeenRow, ...]


def numbers_of(steps: Iterable[RunStep], account: Account, *, zone: ZoneInfo, now: datetime) -> Numbers | None:
    """What a run saw each time it looked, beside what is so now; None when it never looked at anything.

    One query, and one more for each family of attributes.
    """
    looks = [(step, step.facts["seen"]) for step in steps if step.facts.get("seen", {}).get("findings")]
    if not looks:
        return None
    teller = Teller(zone)
    findings: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for _step, seen in looks:
        for finding in seen["findings"]:
            findings.setdefault(_key(finding), finding)
    current = _current(findings.values(), account, teller, now)
    rows = []
    for key, finding in findings.items():
        then = tuple(_cell(seen["findings"], key, teller) for _step, seen in looks)
        limit = teller.limit({**finding, "holds": True})
        rows.append(SeenRow(teller.label(finding), limit, (*then, current.get(key))))
    occasions = [(_occasion(step), datetime.fromisoformat(seen["at"])) for step, seen in looks]
    return Numbers((*occasions, (_("Now"), now)), tuple(rows))


def _key(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    return finding["attribute"], finding["operator"], str(finding["expected"])


def _cell(findings: Sequence[Mapping[str, Any]], key: tuple[str, str, str], teller: Teller) -> Seen | None:
    for finding in findings:
        if _key(finding) == key:
            return Seen(teller.value(finding, finding["found"]), finding["holds"])
    return None


def _current(
    findings: Iterable[Mapping[str, Any]], account: Account, teller: Teller, now: datetime
) -> dict[tuple[str, str, str], Seen]:
    known = [finding for finding in findings if finding["attribute"] in teller.catalogue]
    compared = [{"attribute": one["attribute"], "operator": one["operator"], "value": one["expected"]} for one in known]
    try:
        found = explain({"all": compared}, [account.pk], now=now, catalogue=teller.catalogue)[account.pk].findings
    except ConditionError:
        return {}
    return {
        _key(before): Seen(teller.value(before, plain(leaf.found)), leaf.holds)
        for before, leaf in zip(known, found, strict=True)
    }


def _occasion(step: RunStep) -> str:
    match step.kind:
        case "entry":
            return _("When it entered")
        case "exit":
            return _("When it left")
    return _("Looked again")
