"""How declared fields are typed: a control for each kind of field. A new kind of field is one more function here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue, Type
from console.forms.fields import StorableField
from playbooks.definition.fields import REQUIRED, Choice, DateOf, Day, EventKind, Field, Number, Target, Text, Truth
from playbooks.definition.parse import OFFSET, UNITS
from playbooks.definition.references import Reference
from playbooks.occasions import EVENTS

LONG_TEXT = 300
LENGTH, UNIT, SIDE = "length", "unit", "side"
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Offers:
    """What a form may offer: attributes, and where a way may lead, each with its words."""

    catalogue: Catalogue
    targets: Sequence[tuple[str, str]] = ()

    def dates(self) -> list[tuple[str, str]]:
        """The attributes that are dates."""
        return [(one.key, str(one.label)) for one in self.catalogue.values() if one.type in (Type.DATE, Type.DATETIME)]


@singledispatch
def typed_field(declared: Any, offers: Offers) -> forms.Field:
    """How a declared field is typed."""
    raise TypeError(f"there is no form for {declared!r}")


@typed_field.register
def _text(declared: Text, offers: Offers) -> forms.Field:
    widget = forms.Textarea(attrs={"rows": 4}) if declared.most > LONG_TEXT else forms.TextInput()
    return StorableField(widget=widget, strip=False)


@typed_field.register
def _number(declared: Number, offers: Offers) -> forms.Field:
    return StorableField(widget=forms.NumberInput(attrs={"min": declared.low, "max": declared.high, "class": "number"}))


@typed_field.register
def _choice(declared: Choice, offers: Offers) -> forms.Field:
    kept = {str(value): value for value, _name in declared.choices}
    return forms.TypedChoiceField(choices=declared.choices, coerce=lambda typed: kept[typed])


@typed_field.register
def _reference(declared: Reference, offers: Offers) -> forms.Field:
    known = declared.offers()
    choices = [("", _("Choose")), *known] if declared.default is REQUIRED else known
    return StorableField(widget=forms.Select(choices=choices))


@typed_field.register
def _truth(declared: Truth, offers: Offers) -> forms.Field:
    return forms.BooleanField()


@typed_field.register
def _day(declared: Day, offers: Offers) -> forms.Field:
    return StorableField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


@typed_field.register
def _target(declared: Target, offers: Offers) -> forms.Field:
    return forms.ChoiceField(choices=offers.targets)


@typed_field.register
def _date_of(declared: DateOf, offers: Offers) -> forms.Field:
    return forms.ChoiceField(choices=[("", _("Choose a date")), *offers.dates()])


@typed_field.register
def _event_kind(declared: EventKind, offers: Offers) -> forms.Field:
    return forms.ChoiceField(choices=[(key, str(words)) for key, words in EVENTS.items()])


def initial_of(one: Field, given: Mapping[str, Any]) -> Any:
    """What the definition says so far, as it is typed."""
    if one.name in given:
        return given[one.name]
    return "" if one.default is REQUIRED or one.default is None else one.default


def whole(typed: str) -> Any:
    """The whole number that was typed; what is none stays as typed, for the field to refuse."""
    bare = typed.strip()
    digits = bare.removeprefix("-")
    return int(bare) if digits.isascii() and digits.isdigit() and len(digits) < 10 else bare


def length_fields(given: Mapping[str, Any], typed: dict[str, Any]) -> dict[str, forms.Field]:
    """How long, as a number and its unit; adds what the definition says to ``typed``."""
    unit = next((unit.name for unit in UNITS if given.get(unit.name)), "days")
    typed |= {LENGTH: given.get(unit, ""), UNIT: unit}
    most = max(one.high for one in UNITS)
    number = StorableField(
        label=_("How long"), widget=forms.NumberInput(attrs={"min": 1, "max": most, "class": "number"})
    )
    choices = [(one.name, str(one.label)) for one in UNITS]
    return {LENGTH: number, UNIT: forms.ChoiceField(label=_("Unit"), choices=choices)}


def offset_fields(given: Mapping[str, Any], typed: dict[str, Any]) -> dict[str, forms.Field]:
    """Days before or after a date, as a number and a side; adds what the definition says to ``typed``."""
    days = given.get(OFFSET.name, 0)
    typed |= {OFFSET.name: abs(days), SIDE: BEFORE if days < 0 else AFTER}
    number = StorableField(
        label=_("Days"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0, "max": OFFSET.high, "class": "number"}),
    )
    sides = [(BEFORE, _("days before it")), (AFTER, _("days after it"))]
    return {OFFSET.name: number, SIDE: forms.ChoiceField(label=_("Before or after"), choices=sides)}
