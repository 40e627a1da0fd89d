"""The events that playbooks begin with, and what they ask of them, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from health.models import Band
from surveys.models import Survey
from surveys.scales import Category

EVENTS = {
    "survey.answered": gettext_lazy("a customer answers a survey"),
    "survey.changed": gettext_lazy("a customer changes an answer"),
    "health.band_changed": gettext_lazy("the health band changes"),
    "health.dropped": gettext_lazy("health falls far within a week"),
    "health.band_restated": gettext_lazy("a new formula moves an account to another health band"),
    "health.overridden": gettext_lazy("somebody sets the health score by hand"),
    "health.override_ended": gettext_lazy("a health score set by hand ends"),
    "health.score.band_changed": gettext_lazy("the band of another score changes"),
    "health.score.dropped": gettext_lazy("another score falls far within a week"),
    "stage.entered": gettext_lazy("an account enters a stage"),
    "ticket.opened": gettext_lazy("a ticket is opened"),
    "ticket.solved": gettext_lazy("a ticket is solved"),
    "ticket.reopened": gettext_lazy("a ticket is opened again"),
    "subscription.started": gettext_lazy("a subscription starts"),
    "subscription.ended": gettext_lazy("a subscription ends"),
    "touchpoint.logged": gettext_lazy("a touchpoint is logged"),
    "task.done": gettext_lazy("a task is done"),
}


def data_label(key: str) -> str:
    """What people call a part of an event's data."""
    known = {
        "category": _("Category"),
        "kind": _("Kind"),
        "stage": _("Stage"),
        "from": _("From"),
        "to": _("To"),
        "survey": _("Survey"),
        "score": _("Score"),
        "named": _("Which score"),
        "how": _("How it ended"),
        "outcome": _("Outcome"),
    }
    return known.get(key, key)


def data_value(key: str, given: Any) -> str:
    """What a playbook asks of a part of an event's data, in words."""
    known: dict[str, Mapping[str, Any]] = {
        "category": dict(Category.choices),
        "kind": dict(Survey.Kind.choices),
        "from": dict(Band.choices),
        "to": dict(Band.choices),
    }
    names = known.get(key, {})
    if isinstance(given, list):
        return _("is one of: %(given)s") % {"given": ", ".join(str(names.get(str(one), one)) for one in given)}
    if isinstance(given, Mapping):
        low, high = given.get("at_least"), given.get("at_most")
        if high is None:
            return _("is at least %(low)s") % {"low": low}
        return (
            _("is at most %(high)s") % {"high": high}
            if low is None
            else _("is from %(low)s to %(high)s")
            % {
                "low": low,
                "high": high,
            }
        )
    return _("is %(given)s") % {"given": names.get(str(given), given)}
