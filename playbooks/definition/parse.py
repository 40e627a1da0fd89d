"""From JSON to a definition. What is wrong is said at its step, with what to do about it.

``load`` needs nothing but the JSON and is used on what was published; ``parse`` also checks what the definition
names (attributes, surveys, people) and is used before publishing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import conditions
from accounts.attributes import Catalogue
from accounts.conditions import ConditionError
from common.text import storable
from playbooks.actions import REGISTRY
from playbooks.definition.fields import DefinitionError, Number, Object, Problem, Text, read_object
from playbooks.definition.steps import (
    Act,
    Check,
    ConditionEntry,
    Definition,
    Entry,
    EventEntry,
    ManualEntry,
    Step,
    Stop,
    Wait,
)

MOST_STEPS = 50
LONGEST_ID = 40
ENDINGS = ("recovered", "exited", "finished")

TOP = (
    Object("entry", gettext_lazy("Entry")),
    Object("audience", gettext_lazy("Audience"), default={"all": []}),
    Object("exit", gettext_lazy("Leave when"), default=None),
    Number("reentry_after_days", gettext_lazy("May enter again after days"), 0, 3650, default=None),
)
UNITS = (
    Number("hours", gettext_lazy("Hours"), 1, 8760, default=0),
    Number("days", gettext_lazy("Days"), 1, 3650, default=0),
    Number("business_days", gettext_lazy("Business days"), 1, 1000, default=0),
)
CHECK = (
    Object("condition", gettext_lazy("Condition")),
    Text("otherwise", gettext_lazy("Otherwise"), most=LONGEST_ID, default="recovered"),
)
ENTRIES = {
    "condition": (Object("condition", gettext_lazy("Condition")),),
    "event": (
        Text("event", gettext_lazy("Event"), most=64),
        Object("data", pgettext_lazy("data of an event", "With"), default={}),
    ),
    "manual": (),
}


def load(raw: Any) -> Definition:
    """The definition in ``raw``; raises DefinitionError when it is not well formed."""
    if not isinstance(raw, Mapping):
        raise DefinitionError(
            _("Give an object with “entry” and “steps”."), fields={"definition": _("Give an object.")}
        )
    with _at("", ""):
        top = read_object(raw, TOP, besides=["steps"])
    steps = _steps(raw.get("steps"))
    return Definition(
        entry=_entry(top["entry"]),
        audience=top["audience"],
        exit=top["exit"],
        reentry_after_days=top["reentry_after_days"],
        steps=steps,
    )


def parse(raw: Any) -> Definition:
    """The definition in ``raw``, fit to be published; raises DefinitionError that names the step and the remedy."""
    definition = load(raw)
    catalogue = Catalogue()
    _check_condition(definition.audience, "audience", _("Audience"), catalogue)
    if isinstance(definition.entry, ConditionEntry):
        _check_condition(definition.entry.condition, "entry.condition", _("Entry"), catalogue)
    if definition.exit is not None:
        _check_condition(definition.exit, "exit", _("Leave when"), catalogue)
    for place, step in enumerate(definition.steps):
        name = _named(step.id)
        if isinstance(step, Check):
            _check_condition(step.condition, f"steps[{place}].condition", name, catalogue)
        if isinstance(step, Act):
            with _at(f"steps[{place}]", name):
                step.action.check()
    return definition


def _entry(raw: dict[str, Any]) -> Entry:
    kind = raw.get("kind")
    with _at("entry", _("Entry")):
        if not isinstance(kind, str) or kind not in ENTRIES:
            raise Problem("kind", _("Use one of: %(known)s.") % {"known": ", ".join(ENTRIES)})
        values = read_object(raw, ENTRIES[kind], besides=["kind"])
    match kind:
        case "condition":
            return ConditionEntry(**values)
        case "event":
            return EventEntry(**values)
        case _:
            return ManualEntry()


def _steps(raw: Any) -> tuple[Step, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_STEPS:
        message = _("Give a list of 1 to %(most)s steps.") % {"most": MOST_STEPS}
        raise DefinitionError(message, fields={"steps": message})
    steps: list[Step] = []
    for place, one in enumerate(raw):
        with _at(f"steps[{place}]", _named(one.get("id") if isinstance(one, Mapping) else place + 1)):
            steps.append(_step(one, {step.id for step in steps}))
    _check_ways(steps)
    return tuple(steps)


def _step(raw: Any, taken: set[str]) -> Step:
    if not isinstance(raw, Mapping):
        raise Problem("", _("Give an object with “id” and “kind”."))
    step_id, kind = raw.get("id"), raw.get("kind")
    if not isinstance(step_id, str) or not 1 <= len(step_id) <= LONGEST_ID or not storable(step_id):
        raise Problem("id", _("Give every step an id of 1 to %(most)s characters.") % {"most": LONGEST_ID})
    if step_id in taken or step_id in ENDINGS:
        raise Problem("id", _("The id “%(id)s” is taken; give every step its own.") % {"id": step_id})
    besides = ("id", "kind")
    if kind == "wait":
        waits = read_object(raw, UNITS, besides=besides)
        if sum(map(bool, waits.values())) != 1:
            raise Problem("", _("Say how long, in just one of: hours, days, business_days."))
        return Wait(step_id, **waits)
    if kind == "check":
        return Check(step_id, **read_object(raw, CHECK, besides=besides))
    if kind == "stop":
        read_object(raw, (), besides=besides)
        return Stop(step_id)
    if isinstance(kind, str) and kind in REGISTRY:
        action = REGISTRY[kind]
        return Act(step_id, action.read(read_object(raw, action.form, besides=besides)))
    raise Problem(
        "kind",
        _("“%(kind)s” is not a kind of step; use one of: %(known)s.")
        % {"kind": str(kind)[:40], "known": ", ".join(["wait", "check", "stop", *REGISTRY])},
    )


def _check_ways(steps: list[Step]) -> None:
    """Every check leads to an ending or to a step after it, so runs end; and every step can be reached."""
    places = {step.id: place for place, step in enumerate(steps)}
    reached = {0}
    for place, step in enumerate(steps):
        with _at(f"steps[{place}]", _named(step.id)):
            if place not in reached:
                raise Problem("", _("No way leads here; remove it, or let a check before it go to it."))
            if isinstance(step, Check) and step.otherwise not in ENDINGS:
                target = places.get(step.otherwise)
                if target is None or target <= place:
                    raise Problem(
                        "otherwise",
                        _("“%(otherwise)s” is not a later step; use one, or one of: %(endings)s.")
                        % {"otherwise": step.otherwise, "endings": ", ".join(ENDINGS)},
                    )
                reached.add(target)
            if not isinstance(step, Stop):
                reached.add(place + 1)


def _check_condition(condition: dict[str, Any], path: str, name: str, catalogue: Catalogue) -> None:
    try:
        conditions.parse(condition, catalogue=catalogue)
    except ConditionError as error:
        fields = {path if inner == "condition" else f"{path}.{inner}": said for inner, said in error.fields.items()}
        raise DefinitionError(_say(name, error.message), code=error.code, fields=fields) from None


@contextmanager
def _at(path: str, name: str) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        field = ".".join(part for part in (path, problem.field) if part)
        raise DefinitionError(_say(name, problem.message), fields={field: problem.message}) from None


def _named(step_id: object) -> str:
    return _("Step “%(id)s”") % {"id": str(step_id)[:LONGEST_ID]}


def _say(name: str, message: str) -> str:
    return f"{name}: {message}" if name else message
