"""The kinds of steps that one can choose from, in words; actions bring their own."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from playbooks.actions import REGISTRY

WAIT, LOOK, DECIDE, DO = "wait", "look", "decide", "do"
GROUPS: dict[str, Promise] = {WAIT: _("Wait"), LOOK: _("Look again"), DECIDE: _("Decide"), DO: _("Do")}


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step: its name, its icon, the group that it stands in, and what it is good for."""

    key: str
    label: str | Promise
    icon: str
    group: str
    hint: str | Promise = ""


BUILT_IN = (
    StepKind("wait", _("Wait some time"), "clock", WAIT, _("Days, business days or hours, then go on.")),
    StepKind(
        "wait_for_date",
        _("Wait for a day"),
        "calendar",
        WAIT,
        _("A day of the calendar, or so many days before a renewal."),
    ),
    StepKind(
        "wait_until",
        _("Wait until something is so"),
        "hourglass",
        WAIT,
        _("Go on as soon as it is so; otherwise when time runs out."),
    ),
    StepKind("check", _("Look again"), "eye", LOOK, _("Go on only while it is still so, such as after a wait.")),
    StepKind("branch", _("Different ways"), "journey", DECIDE, _("Go another way when something is so.")),
    StepKind("go", _("Go on further below"), "arrow-down", DECIDE, _("Pass over steps, where two ways meet again.")),
    StepKind("stop", _("Finish here"), "check", DECIDE, _("The account has gone through the playbook.")),
)


def step_kinds() -> dict[str, StepKind]:
    """Every kind by its key, in the order in which they are offered."""
    actions = (StepKind(kind, action.label, action.icon, DO, action.hint) for kind, action in REGISTRY.items())
    return {kind.key: kind for kind in (*BUILT_IN, *actions)}


def grouped_kinds() -> list[tuple[str | Promise, list[StepKind]]]:
    """The kinds by group, what is done first: it is what most steps are."""
    kinds = step_kinds().values()
    return [(GROUPS[group], [kind for kind in kinds if kind.group == group]) for group in (DO, WAIT, LOOK, DECIDE)]
