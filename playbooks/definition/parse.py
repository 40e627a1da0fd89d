"""From JSON to a definition. What is wrong is said at its step, with what to do about it.

``load`` needs nothing but the JSON and is used on what was published; ``parse`` also checks what the definition
names (attributes, surveys, people) and is used before publishing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import conditions
from accounts.attributes import Catalogue
from accounts.attributes.registry import Type
from accounts.conditions import ConditionError
from common.text import storable
from playbooks.actions import REGISTRY
from playbooks.definition.fields import (
    Choice,
    Condition,
    DateOf,
    Day,
    DefinitionError,
    EventData,
    EventKind,
    Field,
    Items,
    Number,
    Object,
    Problem,
    Target,
    Truth,
    read_object,
)
from playbooks.definition.quiet import QuietHours
from playbooks.definition.steps import (
    ENDINGS,
    LIVE,
    LOST,
    Act,
    Branch,
    Check,
    ConditionEntry,
    DateEntry,
    Definition,
    Entry,
    EventEntry,
    Go,
    ManualEntry,
    Step,
    Stop,
    Wait,
    WaitForDate,
    WaitUntil,
    Way,
)

MOST_STEPS = 50
MOST_WAYS = 10
LONGEST_ID = 40

TOP = (
    Object("entry", gettext_lazy("Entry")),
    Condition("audience", gettext_lazy("Of which accounts"), default={"all": []}),
    Choice(
        "customers",
        gettext_lazy("For whom"),
        ((LIVE, gettext_lazy("Customers")), (LOST, gettext_lazy("Those who are no longer customers"))),
        default=LIVE,
    ),
    Condition("goal", gettext_lazy("Goal"), default=None),
    Condition("exit", gettext_lazy("Leave when"), default=None),
    Object("quiet_hours", gettext_lazy("Quiet hours"), default=None),
    Number("reentry_after_days", gettext_lazy("May enter again after days"), 0, 3650, default=None),
    Number("priority", gettext_lazy("Priority"), 1, 100, default=None),
)
QUIET = (
    Number("from", gettext_lazy("From (hour)"), 0, 23),
    Number("to", gettext_lazy("To (hour)"), 0, 23),
    Truth("weekends", gettext_lazy("Weekends too"), default=True),
)
UNITS = (
    Number("hours", gettext_lazy("Hours"), 1, 8760, default=0),
    Number("days", gettext_lazy("Days"), 1, 3650, default=0),
    Number("business_days", gettext_lazy("Business days"), 1, 1000, default=0),
)
OFFSET = Number("days", gettext_lazy("Days after it (below 0: before)"), -3650, 3650, default=0)
WAIT_FOR_DATE = (
    Day("day", gettext_lazy("Day"), default=None),
    DateOf("attribute", gettext_lazy("Date"), most=200, default=""),
    OFFSET,
)
WAIT_UNTIL = (
    Condition("condition", gettext_lazy("Until this is so")),
    Target("otherwise", gettext_lazy("When time runs out"), most=LONGEST_ID, default="finished"),
    *UNITS,
)
CHECK = (
    Condition("condition", gettext_lazy("Go on while this is so")),
    Target("otherwise", gettext_lazy("If not"), most=LONGEST_ID, default="recovered"),
)
WAY = (
    Condition("when", gettext_lazy("If this is so")),
    Target("to", gettext_lazy("it goes to"), most=LONGEST_ID),
)
BRANCH = (Items("ways", gettext_lazy("Ways: the first that holds is taken"), WAY, MOST_WAYS),)
GO = (Target("to", gettext_lazy("It goes to"), most=LONGEST_ID),)
ENTRIES = {
    "condition": (Condition("condition", gettext_lazy("This becomes true")),),
    "event": (
        EventKind("event", gettext_lazy("Event"), most=64),
        EventData("data", pgettext_lazy("data of an event", "With"), default={}),
    ),
    "date": (DateOf("attribute", gettext_lazy("Date"), most=200), OFFSET),
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
        customers=top["customers"],
        goal=top["goal"],
        exit=top["exit"],
        quiet_hours=_quiet_hours(top["quiet_hours"]),
        reentry_after_days=top["reentry_after_days"],
        priority=top["priority"],
        steps=steps,
    )


def parse(raw: Any) -> Definition:
    """The definition in ``raw``, fit to be published; raises DefinitionError that names the step and the remedy."""
    definition = load(raw)
    catalogue = Catalogue()
    _check_condition(definition.audience, "audience", _("Audience"), catalogue)
    match definition.entry:
        case ConditionEntry(condition=condition):
            _check_condition(condition, "entry.condition", _("Entry"), catalogue)
        case DateEntry(attribute=attribute):
            with _at("entry", _("Entry")):
                _check_date(attribute, catalogue)
    if definition.goal is not None:
        _check_condition(definition.goal, "goal", _("Goal"), catalogue)
    if definition.exit is not None:
        _check_condition(definition.exit, "exit", _("Leave when"), catalogue)
    for place, step in enumerate(definition.steps):
        _check_step(step, f"steps[{place}]", catalogue)
    return definition


def _check_step(step: Step, path: str, catalogue: Catalogue) -> None:
    name = _named(step.id)
    match step:
        case Check() | WaitUntil():
            _check_condition(step.condition, f"{path}.condition", name, catalogue)
        case Branch():
            for place, way in enumerate(step.ways):
                _check_condition(way.when, f"{path}.ways[{place}].when", name, catalogue)
        case WaitForDate() if step.attribute:
            with _at(path, name):
                _check_date(step.attribute, catalogue)
        case Act():
            with _at(path, name):
                step.action.check()


def _check_date(key: str, catalogue: Catalogue) -> None:
    dates = [one.key for one in catalogue.values() if one.type in (Type.DATE, Type.DATETIME)]
    if key not in dates:
        raise Problem(
            "attribute",
            _("“%(key)s” is not a date; use one of: %(known)s.") % {"key": key[:60], "known": ", ".join(dates[:20])},
        )


def _quiet_hours(raw: dict[str, Any] | None) -> QuietHours | None:
    if raw is None:
        return None
    with _at("quiet_hours", _("Quiet hours")):
        values = read_object(raw, QUIET)
        if values["from"] == values["to"] and not values["weekends"]:
            raise Problem("to", _("Give another hour than the one they begin at, or leave quiet hours out."))
    return QuietHours(start=values["from"], end=values["to"], weekends=values["weekends"])


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
            with _at("entry", _("Entry")):
                _check_data(values["data"])
            return EventEntry(**values)
        case "date":
            return DateEntry(**values)
        case _:
            return ManualEntry()


def _check_data(data: dict[str, Any]) -> None:
    """What an event's data must be: a value, a list of them, or the bounds of a number."""
    for key, wanted in data.items():
        is_list = isinstance(wanted, list) and bool(wanted) and all(map(_is_plain, wanted))
        is_range = (
            isinstance(wanted, dict)
            and wanted.keys() <= {"at_least", "at_most"}
            and bool(wanted)
            and all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in wanted.values())
        )
        if not (is_list or is_range or _is_plain(wanted)):
            raise Problem(
                f"data.{key[:40]}",
                _("Give a value, a list of values, or an object with the numbers “at_least” and “at_most”."),
            )


def _is_plain(given: Any) -> bool:
    return isinstance(given, str | int | float | bool)


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
    if not isinstance(kind, str) or kind not in {*STEPS, *REGISTRY}:
        raise Problem(
            "kind",
            _("“%(kind)s” is not a kind of step; use one of: %(known)s.")
            % {"kind": str(kind)[:40], "known": ", ".join([*STEPS, *REGISTRY])},
        )
    if kind in STEPS:
        form, make = STEPS[kind]
        return make(step_id, read_object(raw, form, besides=("id", "kind")))
    action = REGISTRY[kind]
    return Act(step_id, action.read(read_object(raw, action.form, besides=("id", "kind"))))


def _wait(step_id: str, values: dict[str, Any]) -> Step:
    _check_length(values)
    return Wait(step_id, **values)


def _wait_for_date(step_id: str, values: dict[str, Any]) -> Step:
    if (values["day"] is None) == (not values["attribute"]):
        raise Problem("", _("Say until when, in just one of: day, attribute."))
    return WaitForDate(step_id, **values)


def _wait_until(step_id: str, values: dict[str, Any]) -> Step:
    _check_length(values)
    return WaitUntil(step_id, **values)


def _check_length(values: dict[str, Any]) -> None:
    if sum(bool(values[unit.name]) for unit in UNITS) != 1:
        raise Problem("", _("Say how long, in just one of: hours, days, business_days."))


STEPS: dict[str, tuple[tuple[Field, ...], Callable[[str, dict[str, Any]], Step]]] = {
    "wait": (UNITS, _wait),
    "wait_for_date": (WAIT_FOR_DATE, _wait_for_date),
    "wait_until": (WAIT_UNTIL, _wait_until),
    "check": (CHECK, lambda step_id, values: Check(step_id, **values)),
    "branch": (BRANCH, lambda step_id, values: Branch(step_id, tuple(Way(**way) for way in values["ways"]))),
    "go": (GO, lambda step_id, values: Go(step_id, **values)),
    "stop": ((), lambda step_id, values: Stop(step_id)),
}
"""The kinds of steps beside actions: the form of each, and what makes the step of its checked values."""


def ways_in(step: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The ways that a step (JSON) names: the object that says where one leads, and its key there."""
    form, _make = STEPS.get(step["kind"], ((), None))
    for field in form:
        match field:
            case Target() if field.name in step:
                yield step, field.name
            case Items():
                targets = [one.name for one in field.form if isinstance(one, Target)]
                yield from ((item, name) for item in step[field.name] for name in targets)


def _check_ways(steps: list[Step]) -> None:
    """Every way leads to an ending or to a later step, so runs end; and every step can be reached."""
    places = {step.id: place for place, step in enumerate(steps)}
    reached = {0}
    for place, step in enumerate(steps):
        with _at(f"steps[{place}]", _named(step.id)):
            if place not in reached:
                raise Problem("", _("No way leads here; remove it, or let a step before it go to it."))
            for name, to in _named_ways(step):
                if to in ENDINGS:
                    continue
                target = places.get(to)
                if target is None or target <= place:
                    raise Problem(
                        name,
                        _("“%(otherwise)s” is not a later step; use one, or one of: %(endings)s.")
                        % {"otherwise": to, "endings": ", ".join(ENDINGS)},
                    )
                reached.add(target)
            if not isinstance(step, Stop | Go):
                reached.add(place + 1)


def _named_ways(step: Step) -> Iterator[tuple[str, str]]:
    """The ways of a step that it names, by the field that names them."""
    match step:
        case Check() | WaitUntil():
            yield "otherwise", step.otherwise
        case Branch():
            yield from ((f"ways[{place}].to", way.to) for place, way in enumerate(step.ways))
        case Go():
            yield "to", step.to


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
