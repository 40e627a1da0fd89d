"""What the data of an event must be, as rows of a form: what is told, how it compares, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import Stage, Touchpoint
from common.curves.decimals import read_decimal, write_decimal
from health.models import Band
from playbooks.definition.fields import EventData
from playbooks.models import Task
from playbooks.occasions import data_label
from surveys.models import Survey
from surveys.scales import Category

Choices = list[tuple[str, str]]
IS, ONE_OF, AT_LEAST, AT_MOST = "is", "one_of", "at_least", "at_most"
NUMBERS = frozenset({"score"})
MOST_ROWS = 6


def _surveys() -> Choices:
    return list(Survey.objects.order_by("name").values_list("key", "name"))


def _stages() -> Choices:
    return list(Stage.objects.values_list("key", "name"))


def _of(choices: Any) -> Callable[[], Choices]:
    return lambda: [(str(value), str(label)) for value, label in choices]


BANDS = {"from": _of(Band.choices), "to": _of(Band.choices), "score": None}
ANSWER = {"category": _of(Category.choices), "score": None, "kind": _of(Survey.Kind.choices), "survey": _surveys}
TOLD: dict[str, Mapping[str, Callable[[], Choices] | None]] = {
    "survey.answered": ANSWER,
    "survey.changed": ANSWER,
    "health.band_changed": BANDS,
    "health.band_restated": BANDS,
    "health.score.band_changed": BANDS,
    "stage.entered": {"stage": _stages, "from": _stages},
    "touchpoint.logged": {"kind": _of(Touchpoint.Kind.choices)},
    "task.done": {"outcome": _of(Task.Outcome.choices)},
}
"""What can be asked of the data of each kind of event, with the values that it can have; None for a number."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """One thing that is asked of the event, as typed."""

    key: str = ""
    how: str = IS
    value: str = ""


class EventDataRows:
    """The rows of one event."""

    template = "console/playbook/_event_data_part.html"

    def __init__(
        self, declared: EventData, event: str, given: Mapping[str, Any], *, name: str, data: QueryDict | None
    ) -> None:
        self.declared, self.event, self.name = declared, event, name
        self.rows = (
            self._sent(data)
            if data is not None
            else [row for key, wanted in given.items() for row in _rows_of(key, wanted)]
        )
        self.problem = ""

    def _sent(self, data: QueryDict) -> list[DataRow]:
        count = min(sum(sent.startswith(f"{self.name}_key_") for sent in data), MOST_ROWS)
        return [
            DataRow(
                data.get(f"{self.name}_key_{place}", ""),
                data.get(f"{self.name}_how_{place}", IS),
                ", ".join(filter(None, data.getlist(f"{self.name}_value_{place}"))),
            )
            for place in range(count)
        ]

    @property
    def label(self) -> str:
        return str(self.declared.label)

    @property
    def keys(self) -> Choices:
        """What can be asked of this event; what is asked already is always among it."""
        known = [*TOLD.get(self.event, {}), *(row.key for row in self.rows if row.key)]
        return [(key, data_label(key)) for key in dict.fromkeys(known)]

    @property
    def hows(self) -> Choices:
        return [(IS, _("is")), (ONE_OF, _("is one of")), (AT_LEAST, _("is at least")), (AT_MOST, _("is at most"))]

    @property
    def offered(self) -> list[dict[str, Any]]:
        """The rows with the values that each can have."""
        return [
            {"row": row, "choices": choices() if (choices := self._told(row.key)) and row.how == IS else []}
            for row in self.rows
        ]

    def _told(self, key: str) -> Callable[[], Choices] | None:
        return TOLD.get(self.event, {}).get(key)

    @property
    def may_add(self) -> bool:
        return len(self.rows) < MOST_ROWS and bool(self.keys)

    def asked(self, button: str) -> None:
        """Add a row, or drop one."""
        verb, _dash, rest = button.partition("-")
        name, _dash, place = rest.partition("-")
        if name != self.name:
            return
        if verb == "add" and self.may_add:
            self.rows.append(DataRow(self.keys[0][0]))
        elif verb == "drop" and place.isascii() and place.isdigit() and int(place) < len(self.rows):
            del self.rows[int(place)]

    def read(self) -> dict[str, Any]:
        """What the definition has of it."""
        found: dict[str, Any] = {}
        for row in self.rows:
            if not row.key:
                continue
            values = [_read(row.key, one.strip()) for one in row.value.split(",") if one.strip()]
            if row.how in (AT_LEAST, AT_MOST):
                bounds = found.get(row.key)
                bounds = dict(bounds) if isinstance(bounds, dict) else {}
                found[row.key] = bounds | {row.how: values[0] if values else ""}
            else:
                found[row.key] = values if row.how == ONE_OF else values[0] if values else ""
        return {self.declared.name: found} if found else {}

    def say(self, path: str, sentence: str) -> None:
        self.problem = sentence


def _rows_of(key: str, wanted: Any) -> list[DataRow]:
    if isinstance(wanted, list):
        return [DataRow(key, ONE_OF, ", ".join(map(_written, wanted)))]
    if isinstance(wanted, Mapping):
        return [DataRow(key, how, _written(bound)) for how, bound in wanted.items()]
    return [DataRow(key, IS, _written(wanted))]


def _written(one: Any) -> str:
    if isinstance(one, bool):
        return "true" if one else "false"
    return write_decimal(one) if isinstance(one, int | float) else str(one)


def _read(key: str, typed: str) -> Any:
    if typed in ("true", "false"):
        return typed == "true"
    number = read_decimal(typed) if key in NUMBERS else None
    if number is None:
        return typed
    return int(number) if number == int(number) else number
