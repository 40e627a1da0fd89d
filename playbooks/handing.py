"""How a task came to its owner: kept as data, told in sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _


def covering(name: str, until: date) -> dict[str, Any]:
    """It went to somebody because ``name`` is away, ``until`` being the last day of that."""
    return {"how": "cover", "name": name, "until": until.isoformat()}


def given(*, by: str, before: str, note: str) -> dict[str, Any]:
    """Somebody gave it; ``before`` had it, if anybody had."""
    return {"how": "given", "by": by, "before": before, "note": note}


def moved(*, by: str, before: str, note: str) -> dict[str, Any]:
    """It came along with its account; ``by`` is empty when no person did that."""
    return {"how": "moved", "by": by, "before": before, "note": note}


def chosen(rule: str) -> dict[str, Any]:
    """A playbook looked for somebody, by this rule."""
    return {"how": "chosen", "rule": rule}


def told(handed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each in a sentence, in their order."""
    return [_sentence(one) for one in handed]


def covered(name: str, until: date) -> str:
    """That somebody works for ``name``, and how long."""
    return _("Covering for %(name)s until %(date)s") % {
        "name": name,
        "date": formats.date_format(until, "DATE_FORMAT"),
    }


def _sentence(one: Mapping[str, Any]) -> str:
    match one["how"]:
        case "cover":
            return covered(one["name"], date.fromisoformat(one["until"]))
        case "chosen" if one["rule"] == "least_loaded":
            return _("Given to whoever had the most hours left that week")
        case "chosen" if one["rule"] == "round_robin":
            return _("Given to whoever's turn it was")
        case "chosen":
            return _("Given to whoever has that role for the account")
        case "moved" if one["before"]:
            words = _("Came from %(before)s with the account")
        case "moved":
            words = _("Came with the account")
        case _ if one["before"]:
            words = _("Given by %(by)s; %(before)s had it before")
        case _:
            words = _("Given by %(by)s")
    sentence = words % one
    return f"{sentence}: {one['note']}" if one["note"] else sentence
