"""Editing one part of a draft in its place: a step, who enters. What was typed stays until it can be saved.

Every editor answers the whole definition as it would be; whether that can be kept ``save_draft`` decides, and ``say``
puts its sentences at their fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from console.forms.condition_part import NotComplete
from console.forms.declared import DeclaredForm, pressed
from console.forms.typed_fields import Offers
from console.queries.playbook_column import Column, anchor, named_step, targets_after
from console.queries.step_kinds import StepKind, step_kinds
from playbooks.actions import REGISTRY
from playbooks.definition.edit import fresh_id, inserted, place_of, replaced, with_own_steps
from playbooks.definition.fields import Field
from playbooks.definition.parse import ENTRIES, STEPS, TOP

CUSTOMERS, AUDIENCE = (next(one for one in TOP if one.name == name) for name in ("customers", "audience"))
LOOK = "look"


class Editor:
    """One part of a draft in a form. ``place`` names its card, ``container`` the element that the form stands in."""

    template: ClassVar[str]

    def __init__(self, definition: Mapping[str, Any], *, data: QueryDict | None) -> None:
        self.definition = dict(definition)
        self.button = data.get("do", "") if data is not None else ""
        self.data = pressed(data, self.button) if data is not None else None
        self.is_typed = bool(self.button)
        self.offers = Offers(Catalogue())
        self.problems: list[str] = []

    place: str
    container: str

    @property
    def forms(self) -> list[DeclaredForm]:
        """The declared forms, in order."""
        raise NotImplementedError

    def press(self) -> None:
        """Do what a button inside the form asks for; nothing is kept, and nobody is told of mistakes yet."""
        for form in self.forms:
            form.asked(self.button)

    def changed(self) -> dict[str, Any]:
        """The definition as it would be; raises NotComplete, with what is wrong at its field."""
        raise NotImplementedError

    def say(self, fields: Mapping[str, str], column: Column) -> None:
        """Say each sentence of a refusal at its field; those of other parts above the form."""
        for path, sentence in fields.items():
            if not self.say_own(path, sentence):
                self.problems.append(self._elsewhere(path, sentence, column))

    def as_it_stands(self, place: int) -> int:
        """Where the step stands now that would be at ``place``."""
        return place

    def _elsewhere(self, path: str, sentence: str, column: Column) -> str:
        """A sentence about another part, which is named."""
        found = re.match(r"steps\[(\d+)\]", path)
        place = self.as_it_stands(int(found[1])) if found else -1
        if 0 <= place < len(column.cards):
            card = column.cards[place]
            named = named_step(card.number, card.title)
            return f"{named[:1].upper()}{named[1:]}: {sentence}"
        return sentence

    def say_own(self, path: str, sentence: str) -> bool:
        """Say a sentence that belongs to this part; False for another."""
        raise NotImplementedError


class StepEditor(Editor):
    """A step: one that is there (``step``), or a new one of ``kind`` after the step with the id ``after``."""

    template = "console/playbook/_step_form.html"

    def __init__(
        self,
        definition: Mapping[str, Any],
        *,
        data: QueryDict | None,
        step: Mapping[str, Any] | None = None,
        kind: str = "",
        after: str = "",
    ) -> None:
        super().__init__(definition, data=data)
        self.step, self.after = step, after
        steps = self.definition["steps"]
        known = step_kinds()
        self.kind: StepKind = known[step["kind"] if step is not None else kind]
        if step is not None:
            self.at = place_of(steps, step["id"]) or 0
            self.place = anchor(step["id"])
            self.container = f"form-{self.place}"
        else:
            before = place_of(steps, after)
            self.at = 0 if before is None else before + 1
            self.place = anchor(after) if after else "start"
            self.container = f"add-{self.place}"
        self.id = step["id"] if step is not None else fresh_id(self.kind.key)
        later = targets_after(self.definition, self.at if step is not None else self.at - 1)
        self.offers = Offers(self.offers.catalogue, later)
        name = re.sub(r"\W", "_", self.container)
        self.form = DeclaredForm(
            form_of(self.kind.key), step or {}, name=name, data=self.data, offers=self.offers, is_typed=self.is_typed
        )

    @property
    def forms(self) -> list[DeclaredForm]:
        return [self.form]

    @property
    def has_fields(self) -> bool:
        return bool(self.form.fields)

    def changed(self) -> dict[str, Any]:
        steps = self.definition["steps"]
        step = {"id": self.id, "kind": self.kind.key, **self.form.read()}
        after = inserted(steps, self.at, step) if self.step is None else replaced(steps, self.at, step)
        return {**self.definition, "steps": with_own_steps(after)}

    def as_it_stands(self, place: int) -> int:
        return place - 1 if self.step is None and place > self.at else place

    def say_own(self, path: str, sentence: str) -> bool:
        found = re.match(r"steps\[(\d+)\]\.?(.*)", path)
        if found is None or int(found[1]) != self.at:
            return False
        self.form.say(found[2], sentence)
        return True


def form_of(kind: str) -> tuple[Field, ...]:
    """The fields that a kind of step declares."""
    return STEPS[kind][0] if kind in STEPS else REGISTRY[kind].form


class EntryEditor(Editor):
    """Who enters: on what occasion, and of which accounts."""

    template = "console/playbook/_entry_form.html"
    place = "entry"
    container = "form-entry"

    def __init__(self, definition: Mapping[str, Any], *, data: QueryDict | None) -> None:
        super().__init__(definition, data=data)
        kept = self.definition["entry"]
        asked = data.get("entry_kind", "") if data is not None else kept["kind"]
        self.kind = asked if asked in ENTRIES else kept["kind"]
        given = kept if self.kind == kept["kind"] else {}
        sent = self.data if self.data is not None and self.data.get("entry_shown") == self.kind else None
        self.entry = DeclaredForm(
            ENTRIES[self.kind], given, name="entry", data=sent, offers=self.offers, is_typed=self.is_typed
        )
        self.audience = DeclaredForm(
            [CUSTOMERS, AUDIENCE],
            self.definition,
            name="who",
            data=self.data,
            offers=self.offers,
            is_typed=self.is_typed,
        )

    @property
    def forms(self) -> list[DeclaredForm]:
        return [self.entry, self.audience]

    @property
    def kinds(self) -> list[tuple[str, str, str, str]]:
        """The occasions: key, name, icon, and what each is good for."""
        return [
            ("condition", _("Something becomes true"), "eye", _("such as: usage falls below a number")),
            ("event", _("Something happens"), "alert", _("such as: a customer answers a survey")),
            ("date", _("A day comes"), "calendar", _("such as: 90 days before the renewal")),
            ("manual", _("Somebody starts it"), "hand", _("on the page of an account, or for several in the list")),
        ]

    def changed(self) -> dict[str, Any]:
        entry, audience = self.entry.read_or_none(), self.audience.read_or_none()
        if entry is None or audience is None:
            raise NotComplete
        if audience.get("customers") == CUSTOMERS.default:
            del audience["customers"]
        kept = {name: said for name, said in self.definition.items() if name not in ("entry", "customers", "audience")}
        return {"entry": {"kind": self.kind, **entry}, **audience, **kept}

    def say_own(self, path: str, sentence: str) -> bool:
        if path.startswith("entry"):
            self.entry.say(path.removeprefix("entry").removeprefix("."), sentence)
        elif path.startswith(("customers", "audience")):
            self.audience.say(path, sentence)
        else:
            return False
        return True
