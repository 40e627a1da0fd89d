"""Editing the rules of a draft in their place: entering again, priority, quiet hours, the goal, leaving."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from console.forms.condition_part import NotComplete
from console.forms.declared import DeclaredForm
from console.forms.fields import StorableField
from console.forms.playbook_editors import Editor
from playbooks.definition.parse import TOP

GOAL, EXIT = (next(one for one in TOP if one.name == name) for name in ("goal", "exit"))
ONCE, LATER, ALWAYS = "once", "later", "always"


class RulesForm(forms.Form):
    """How often, how urgent, and when nobody is written to."""

    again = forms.ChoiceField(widget=forms.RadioSelect)
    days = StorableField(required=False, widget=forms.NumberInput(attrs={"min": 1, "max": 3650, "class": "number"}))
    priority = StorableField(required=False, widget=forms.NumberInput(attrs={"min": 1, "max": 100, "class": "number"}))
    quiet = forms.BooleanField(required=False)
    quiet_from = forms.ChoiceField()
    quiet_to = forms.ChoiceField()
    weekends = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="rules_%s", **kwargs)
        hours = [(str(hour), f"{hour}:00") for hour in range(24)]
        labels: dict[str, tuple[str, str]] = {
            "again": (_("May an account enter again?"), ""),
            "days": (_("Days after it left"), ""),
            "priority": (
                _("Priority"),
                _("Of playbooks with a priority, an account is in one at a time, and the highest goes first."),
            ),
            "quiet": (_("Keep quiet hours: write to nobody"), ""),
            "quiet_from": (_("From"), ""),
            "quiet_to": (_("To"), ""),
            "weekends": (_("and not at weekends"), ""),
        }
        for name, (label, text) in labels.items():
            self.fields[name].label, self.fields[name].help_text = label, text
        choices = {
            "again": [
                (ONCE, _("No, once only")),
                (LATER, _("Yes, some days after it left")),
                (ALWAYS, _("Yes, each time")),
            ],
            "quiet_from": hours,
            "quiet_to": hours,
        }
        for name, some in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = some


class RulesEditor(Editor):
    """What holds at every step: entering again, priority, quiet hours, the goal, and when an account leaves."""

    template = "console/playbook/_rules_form.html"
    place = "rules"
    container = "form-rules"
    names: ClassVar = {"reentry_after_days": "days", "priority": "priority", "quiet_hours": "quiet_to"}

    def __init__(self, definition: Mapping[str, Any], *, data: QueryDict | None) -> None:
        super().__init__(definition, data=data)
        kept = _kept_rules(self.definition)
        typed = {name: self.data.get(name, "") for name in kept} if self.data is not None else kept
        self.form = RulesForm(None if self.is_typed else self.data, initial=typed if self.is_typed else kept)
        self.conditions = DeclaredForm(
            [GOAL, EXIT], self.definition, name="rules", data=self.data, offers=self.offers, is_typed=self.is_typed
        )

    @property
    def forms(self) -> list[DeclaredForm]:
        return [self.conditions]

    def changed(self) -> dict[str, Any]:
        conditions = self.conditions.read_or_none()
        rules = self._rules() if self.form.is_valid() else None
        if conditions is None or rules is None or self.form.errors:
            raise NotComplete
        kept = {
            name: said
            for name, said in self.definition.items()
            if name not in ("goal", "exit", "quiet_hours", "reentry_after_days", "priority")
        }
        steps = kept.pop("steps")
        return {**kept, **conditions, **rules, "steps": steps}

    def _rules(self) -> dict[str, Any]:
        typed = self.form.cleaned_data
        rules: dict[str, Any] = {}
        if typed["again"] == ALWAYS:
            rules["reentry_after_days"] = 0
        if typed["again"] == LATER:
            rules["reentry_after_days"] = _number(typed["days"])
            if not rules["reentry_after_days"]:
                self.form.add_error("days", _("Say after how many days: 1 to 3650."))
        if typed["priority"].strip():
            rules["priority"] = _number(typed["priority"])
        if typed["quiet"]:
            rules["quiet_hours"] = {
                "from": int(typed["quiet_from"]),
                "to": int(typed["quiet_to"]),
                "weekends": typed["weekends"],
            }
        return rules

    def say_own(self, path: str, sentence: str) -> bool:
        top = re.split(r"[.\[]", path)[0]
        if top in ("goal", "exit"):
            self.conditions.say(path, sentence)
        elif top in self.names:
            self.form.add_error(self.names[top], sentence)
        else:
            return False
        return True


def _kept_rules(definition: Mapping[str, Any]) -> dict[str, Any]:
    days, quiet = definition.get("reentry_after_days"), definition.get("quiet_hours")
    return {
        "again": ONCE if days is None else LATER if days else ALWAYS,
        "days": days or 30,
        "priority": definition.get("priority") or "",
        "quiet": quiet is not None,
        "quiet_from": str((quiet or {}).get("from", 18)),
        "quiet_to": str((quiet or {}).get("to", 8)),
        "weekends": (quiet or {}).get("weekends", True),
    }


def _number(typed: str) -> Any:
    """The number that was typed; what is none stays, for the parser to refuse."""
    bare = typed.strip()
    return int(bare) if bare.removeprefix("-").isdigit() and bare.isascii() and len(bare) < 10 else bare
