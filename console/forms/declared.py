"""Declared fields (``playbooks.definition.fields``) as a form: the same declaration is the validation and the page.

A kind of step or an action that declares its fields is edited here as it is: nothing of it is known by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.forms.utils import ErrorList
from django.http import QueryDict

from console.forms.condition_part import ConditionPart, NotComplete
from console.forms.event_data import EventDataRows
from console.forms.typed_fields import (
    BEFORE,
    LENGTH,
    SIDE,
    UNIT,
    Offers,
    initial_of,
    length_fields,
    offset_fields,
    typed_field,
    whole,
)
from playbooks.definition.fields import REQUIRED, Condition, EventData, Field, Items, Number, Problem, Truth
from playbooks.definition.parse import OFFSET, UNITS
from playbooks.definition.references import Reference


class ItemsPart:
    """Several of the same, each with its own fields."""

    template = "console/playbook/_items_part.html"

    def __init__(
        self,
        declared: Items,
        given: Sequence[Mapping[str, Any]],
        *,
        name: str,
        data: QueryDict | None,
        offers: Offers,
        is_typed: bool,
    ) -> None:
        self.declared, self.name, self.offers = declared, name, offers
        count = _count(data.get(f"{name}_count", ""), declared.most) if data is not None else max(len(given), 1)
        self.forms = [
            DeclaredForm(
                declared.form,
                given[place] if place < len(given) else {},
                name=f"{name}_{place}",
                data=data,
                offers=offers,
                is_typed=is_typed,
            )
            for place in range(count)
        ]
        self.problem = ""

    @property
    def label(self) -> str:
        return str(self.declared.label)

    @property
    def may_add(self) -> bool:
        return len(self.forms) < self.declared.most

    def asked(self, button: str) -> None:
        for form in self.forms:
            form.asked(button)

    def read(self) -> dict[str, Any]:
        """What the definition has of it; raises NotComplete."""
        items = [form.read_or_none() for form in self.forms]
        if None in items:
            raise NotComplete
        return {self.declared.name: items}

    def say(self, path: str, sentence: str) -> None:
        place, _bracket, rest = path.removeprefix("[").partition("]")
        if place.isdigit() and int(place) < len(self.forms):
            self.forms[int(place)].say(rest.removeprefix("."), sentence)
        else:
            self.problem = sentence


def _keep_gone(control: forms.Select, said: Any) -> None:
    """Show what the definition names although it is gone, so that saving refuses it rather than changes it."""
    choices = list(cast("Iterable[tuple[str, str]]", control.choices))
    if said and said not in dict(choices):
        control.choices = [(said, said), *choices]


def _count(typed: str, most: int) -> int:
    return min(max(int(typed), 1), most) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 1


def pressed(data: QueryDict, button: str) -> QueryDict:
    """What a form has sent, after a button in it for one item more or less was pressed."""
    verb, _dash, rest = button.partition("-")
    name, _dash, place = rest.partition("-")
    count = data.get(f"{name}_count", "")
    if verb not in ("more", "less") or not count.isascii() or not count.isdigit():
        return data
    changed = data.copy()
    if verb == "more":
        changed[f"{name}_count"] = str(int(count) + 1)
    elif place.isascii() and place.isdigit() and int(count) > 1:
        changed[f"{name}_count"] = str(int(count) - 1)
        for sent in list(data):
            found = re.fullmatch(rf"{re.escape(name)}_(\d+)([_-].*)", sent)
            if found is None or int(found[1]) < int(place):
                continue
            changed.pop(sent)
            if int(found[1]) > int(place):
                changed.setlist(f"{name}_{int(found[1]) - 1}{found[2]}", data.getlist(sent))
    return changed


class DeclaredForm:
    """The form of some declared fields. ``given`` is what the definition says so far, ``data`` what was sent.

    With ``is_typed`` nobody is told of mistakes yet: a button inside the form was pressed. ``name`` is what the names
    of all controls begin with.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        given: Mapping[str, Any],
        *,
        name: str,
        data: QueryDict | None,
        offers: Offers,
        is_typed: bool = False,
    ) -> None:
        self.name, self.offers, self._data = name, offers, data
        self.fields = list(fields)
        self.has_length = all(unit in self.fields for unit in UNITS)
        self.plain = [one for one in self.fields if not isinstance(one, Condition | Items | EventData)]
        if self.has_length:
            self.plain = [one for one in self.plain if one not in UNITS]
        self.blocks: dict[str, ConditionPart | ItemsPart | EventDataRows] = {}
        for one in self.fields:
            block = f"{name}_{one.name}"
            match one:
                case Condition():
                    self.blocks[one.name] = ConditionPart(
                        one, given.get(one.name), name=block, data=data, offers=offers
                    )
                case Items():
                    self.blocks[one.name] = ItemsPart(
                        one, given.get(one.name, []), name=block, data=data, offers=offers, is_typed=is_typed
                    )
                case EventData():
                    event = (data.get(f"{name}-event") if data is not None else None) or given.get("event", "")
                    self.blocks[one.name] = EventDataRows(one, event, given.get(one.name, {}), name=block, data=data)
        self.form = self._form(given, data, is_typed=is_typed)

    def _form(self, given: Mapping[str, Any], data: QueryDict | None, *, is_typed: bool) -> forms.Form:
        typed = {f"{one.name}": initial_of(one, given) for one in self.plain}
        made: dict[str, forms.Field] = {}
        for one in self.plain:
            if one is OFFSET:
                made |= offset_fields(given, typed)
                continue
            field = typed_field(one, self.offers)
            field.label = str(getattr(one, "label", one.name))
            field.help_text = str(getattr(one, "help", ""))
            field.required = one.default not in ("", None) and not isinstance(one, Truth)
            if isinstance(one, Reference) and isinstance(field.widget, forms.Select):
                _keep_gone(field.widget, given.get(one.name))
            made[one.name] = field
        if self.has_length:
            made |= length_fields(given, typed)
        if data is not None and is_typed:
            typed = {name: data.get(f"{self.name}-{name}", "") for name in made}
        bound = data if data is not None and not is_typed else None
        form = forms.Form(bound, prefix=self.name, auto_id="id_%s", initial=typed)
        form.fields = made
        return form

    @property
    def errors(self) -> ErrorList:
        """What is wrong with the whole."""
        return self.form.non_field_errors() if self.form.is_bound else ErrorList()

    @property
    def parts(self) -> Iterator[dict[str, Any]]:
        """What to show, in order: each a field, a pair of fields in one line, or a block."""
        length_shown = False
        for one in self.fields:
            if one.name in self.blocks:
                yield {"block": self.blocks[one.name]}
            elif self.has_length and one in UNITS:
                if not length_shown:
                    yield {"field": self.form[LENGTH], "beside": self.form[UNIT]}
                length_shown = True
            elif one is OFFSET:
                yield {"field": self.form[one.name], "beside": self.form[SIDE]}
            else:
                yield {"field": self.form[one.name]}

    def asked(self, button: str) -> None:
        """Do what a button inside the form asks for."""
        for block in self.blocks.values():
            block.asked(button)

    def every_block(self) -> Iterator[Any]:
        """The blocks of the form and of the forms in it."""
        for block in self.blocks.values():
            yield block
            if isinstance(block, ItemsPart):
                for form in block.forms:
                    yield from form.every_block()

    def read_or_none(self) -> dict[str, Any] | None:
        """What was typed, or None when something has to be corrected."""
        try:
            return self.read()
        except NotComplete:
            return None

    def read(self) -> dict[str, Any]:
        """What was typed, as the definition says it; raises NotComplete, with what is wrong at its field."""
        checked = self.form if self.form.is_bound else self._bound()
        checked.is_valid()
        said: dict[str, Any] = {}
        complete = not checked.errors
        for block in self.blocks.values():
            try:
                said |= block.read()
            except NotComplete:
                complete = False
        for one in self.plain:
            if one.name in checked.errors:
                continue
            try:
                said |= self._read(one, checked.cleaned_data)
            except Problem as problem:
                self.say(problem.field, problem.message)
                complete = False
        if self.has_length and LENGTH not in checked.errors:
            unit = next(unit for unit in UNITS if unit.name == checked.cleaned_data[UNIT])
            try:
                said[unit.name] = unit.read(whole(checked.cleaned_data[LENGTH]))
            except Problem as problem:
                self.say(LENGTH, problem.message)
                complete = False
        if not complete:
            raise NotComplete
        return said

    def _bound(self) -> forms.Form:
        """The form with what was typed, of which nobody is told what is wrong."""
        bound = forms.Form(self._data, prefix=self.name)
        bound.fields = self.form.fields
        return bound

    def _read(self, one: Field, typed: Mapping[str, Any]) -> dict[str, Any]:
        value: Any = typed[one.name]
        if isinstance(one, Number):
            value = whole(value)
        if one is OFFSET and isinstance(value, int) and typed[SIDE] == BEFORE:
            value = -value
        if value in ("", None) and one.default is not REQUIRED:
            return {}
        one.read(value)
        return {one.name: value}

    def say(self, path: str, sentence: str) -> None:
        """Say a sentence at the field that the path names, or above the form."""
        for name, block in self.blocks.items():
            if path == name or path.startswith((f"{name}.", f"{name}[")):
                block.say(path.removeprefix(name), sentence)
                return
        if not self.form.is_bound:
            return
        name = LENGTH if self.has_length and path in ("", LENGTH, *(unit.name for unit in UNITS)) else path
        self.form.add_error(name if name in self.form.fields else None, sentence)
