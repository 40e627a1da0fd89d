"""The draft of a playbook as a column from top to bottom: who enters, the rules, and a card for each step."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.conditions import Describer, Phrase
from common.errors import DomainError
from console.queries.playbook_words import ShownStep, ShownVersion, shown_definition
from console.queries.step_kinds import step_kinds
from playbooks.definition.edit import BLANK, OWN_STEPS, goes_on, is_blank, place_of
from playbooks.definition.parse import load, parse, ways_in
from playbooks.definition.steps import ENDINGS
from playbooks.models import Playbook

TONES = 4


@dataclass(frozen=True, slots=True)
class Lead:
    """A way out of a step: when it is gone (a phrase, or words), and where it leads."""

    when: Phrase | None
    words: str
    to: str
    anchor: str
    tone: int


@dataclass(frozen=True, slots=True)
class Coming:
    """A way that leads to a step: from where, and when."""

    number: int
    anchor: str
    words: str


@dataclass(frozen=True, slots=True)
class Card:
    """One step of the column.

    ``way`` is the stretch of steps that it belongs to, 0 for the first; ``comes`` says what leads to it beside the step
    before. ``said`` is what is wrong with it.
    """

    number: int
    step: ShownStep
    anchor: str
    kind: str
    title: str
    phrase: Phrase | None
    notes: tuple[str, ...]
    leads: tuple[Lead, ...]
    comes: tuple[Coming, ...]
    way: int
    opens_way: bool
    ends_way: bool
    is_first: bool
    is_last: bool
    said: tuple[str, ...] = ()

    @property
    def tone(self) -> int:
        """Which colour the rail of its way has; 0 for none."""
        return self.way and (self.way - 1) % TONES + 1


@dataclass(frozen=True, slots=True)
class Column:
    """The whole: ``shown`` has who enters and the rules in words; ``problems`` what is wrong, by its place."""

    definition: Mapping[str, Any]
    shown: ShownVersion
    cards: tuple[Card, ...]
    problems: Mapping[str, str] = field(default_factory=dict)
    is_blank: bool = False

    @property
    def order(self) -> list[tuple[str, int]]:
        """What a change of one card leaves as it is: which steps there are, and the ways that they belong to."""
        return [(card.step.id, card.way) for card in self.cards]

    def card(self, step_id: str) -> Card | None:
        return next((card for card in self.cards if card.step.id == step_id), None)


def working_definition(playbook: Playbook) -> dict[str, Any]:
    """What is being worked on: the draft, else what is live, else a blank one."""
    live = playbook.live_version.definition if playbook.live_version else None
    found: dict[str, Any] = playbook.draft or live or BLANK
    return found


def column_of(raw: dict[str, Any]) -> Column:
    """The column of a definition (JSON); one that cannot be read has only ``problems``."""
    try:
        definition = load(raw)
    except DomainError as error:
        return Column(raw, ShownVersion(problem=error.message), (), {"": error.message})
    describer = Describer()
    shown = shown_definition(definition, describer)
    problems = problems_of(raw)
    steps = raw["steps"]
    return Column(raw, shown, tuple(_cards(steps, shown.steps, problems, describer)), problems, is_blank(steps))


def problems_of(raw: dict[str, Any]) -> dict[str, str]:
    """What stands in the way of publishing, by place such as ``steps[2].condition``."""
    try:
        parse(raw)
    except DomainError as error:
        return dict(error.fields) or {"": error.message}
    return {}


def anchor(step_id: str) -> str:
    """A step's id as part of an HTML id: as it is where that works."""
    if re.fullmatch(r"[A-Za-z][\w-]*", step_id, re.ASCII):
        return step_id
    return f"x{zlib.crc32(step_id.encode()):08x}"


def named_step(number: int, title: str) -> str:
    """A step as sentences and lists name it."""
    return _("step %(number)s: %(title)s") % {"number": number, "title": title}


def titles_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """The steps of a definition by id, as sentences name them."""
    shown = shown_definition(load(raw))
    return {step.id: named_step(place, step.title) for place, step in enumerate(shown.steps, 1)}


def targets_after(raw: Mapping[str, Any], place: int) -> list[tuple[str, str]]:
    """Where a way that begins at ``place`` may lead, with its words."""
    titles = titles_of(raw)
    later = [(step["id"], titles[step["id"]]) for step in raw["steps"][place + 1 :]]
    return [*((key, ending_words(key)) for key in ENDINGS), (OWN_STEPS, _("Steps of its own, added below")), *later]


def ending_words(ending: str) -> str:
    """What an ending is, where a way is told."""
    return {
        "recovered": _("it has recovered and leaves quietly"),
        "exited": _("it leaves"),
        "finished": _("it is finished"),
    }[ending]


def _cards(
    steps: Sequence[dict[str, Any]],
    shown: Sequence[ShownStep],
    problems: Mapping[str, str],
    describer: Describer,
) -> Iterator[Card]:
    titles = {step.id: named_step(place, step.title) for place, step in enumerate(shown, 1)}
    ways = _way_numbers(steps)
    coming: dict[str, list[Coming]] = {}
    kinds = step_kinds()
    for place, (raw, step) in enumerate(zip(steps, shown, strict=True)):
        leads = tuple(_leads(raw, titles, ways, describer))
        for lead in leads:
            if lead.to in titles:
                coming.setdefault(lead.to, []).append(Coming(place + 1, anchor(step.id), _coming_words(lead)))
        is_deciding = raw["kind"] in ("check", "wait_until", "branch", "go")
        yield Card(
            number=place + 1,
            step=step,
            anchor=anchor(step.id),
            kind=raw["kind"],
            title=str(kinds["go"].label) if raw["kind"] == "go" else step.title,
            phrase=None if raw["kind"] == "branch" else step.phrase,
            notes=() if is_deciding else step.notes,
            leads=leads,
            comes=tuple(coming.get(step.id, ())),
            way=ways[step.id],
            opens_way=place > 0 and not goes_on(steps[place - 1]),
            ends_way=not goes_on(raw),
            is_first=place == 0,
            is_last=place == len(steps) - 1,
            said=tuple(said for path, said in problems.items() if re.match(rf"steps\[{place}\](\W|$)", path)),
        )


def _way_numbers(steps: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Which stretch each step belongs to."""
    numbers, way = {}, 0
    for step in steps:
        numbers[step["id"]] = way
        way += not goes_on(step)
    return numbers


def _leads(
    raw: dict[str, Any], titles: Mapping[str, str], ways: Mapping[str, int], describer: Describer
) -> Iterator[Lead]:
    def lead(to: str, when: Phrase | None, words: str) -> Lead:
        way = ways.get(to, 0)
        return Lead(when, words, to, anchor(to) if to in titles else "", way and (way - 1) % TONES + 1)

    match raw["kind"]:
        case "check":
            to = raw.get("otherwise", "recovered")
            yield lead(to, None, _otherwise(_("If not"), to, titles))
        case "wait_until":
            to = raw.get("otherwise", "finished")
            yield lead(to, None, _otherwise(_("When time runs out"), to, titles))
        case "go":
            yield lead(raw["to"], None, _goal(raw["to"], titles))
        case "branch":
            for holder, key in ways_in(raw):
                yield lead(holder[key], describer.describe(holder["when"]), _goal(holder[key], titles))
            yield Lead(None, _("In all other cases it goes on with the next step."), "", "", 0)


def _otherwise(when: str, to: str, titles: Mapping[str, str]) -> str:
    return f"{when}: {_goal(to, titles)}"


def _goal(to: str, titles: Mapping[str, str]) -> str:
    return titles.get(to) or (ending_words(to) if to in ENDINGS else to)


def _coming_words(lead: Lead) -> str:
    return lead.when.sentence if lead.when is not None else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step cannot be moved or removed as asked, and what would make it possible."""

    sentences: tuple[str, ...]
    fix: str = ""


def refusal_of(
    before: Mapping[str, Any],
    after: Sequence[dict[str, Any]],
    *,
    lost_ways: Sequence[tuple[str, str]],
    lost_steps: Sequence[str],
) -> tuple[str, ...]:
    """What a change of the order would break, in sentences that name the steps as they stand now."""
    titles = titles_of(before)
    said = []
    for origin, to in lost_ways:
        words = {"from": titles[origin], "to": titles.get(to, to)}
        if place_of(after, to) is None:
            said.append(_("A way from %(from)s leads here.") % words)
        else:
            said.append(_("A way from %(from)s leads to %(to)s, and ways can only lead further down.") % words)
    if lost_steps:
        named = ", ".join(titles[one] for one in lost_steps)
        said.append(
            ngettext(
                "Nothing would lead any more to %(steps)s.",
                "Nothing would lead any more to %(steps)s.",
                len(lost_steps),
            )
            % {"steps": named}
        )
    return tuple(said)
