"""The filter of the queue: a few choices, and a condition over the tasks' accounts."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Attribute, Catalogue
from accounts.conditions import ConditionError, Describer, Phrase, parse
from accounts.models import User
from console.forms.condition_rows import ConditionRows, OfferedRow, grouped
from console.queries.queue_filter import DUES, KINDS, NOBODY, QUICK
from playbooks.models import Playbook, Task

ANY = ("", gettext_lazy("Any"))


class QuickForm(forms.Form):
    """The choices; whose tasks is one only where everybody's are listed."""

    owner = forms.ChoiceField(label=gettext_lazy("CSM"), required=False)
    severity = forms.ChoiceField(
        label=gettext_lazy("Severity"), required=False, choices=[ANY, *Task.Severity.choices[::-1]]
    )
    due = forms.ChoiceField(label=gettext_lazy("Due"), required=False, choices=[ANY, *DUES.items()])
    playbook = forms.ChoiceField(label=gettext_lazy("Playbook"), required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[ANY, *((key, label) for key, (label, _q) in KINDS.items())]
    )

    def __init__(self, *args: Any, is_team: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_team:
            staff = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER).order_by("name")
            named = [(str(pk), name) for pk, name in staff.values_list("pk", "name")]
            self._offer("owner", [*named, (NOBODY, _("Nobody who is here"))])
        else:
            del self.fields["owner"]
        self._offer("playbook", list(Playbook.objects.order_by("name").values_list("key", "name")))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [ANY, *choices]


class QueueFilter:
    """The filter as it is typed: ``quick`` and the rows of the condition."""

    def __init__(self, query: QueryDict, data: QueryDict | None) -> None:
        self.query = query
        self.catalogue = Catalogue()
        self.quick = QuickForm(data, initial=query.dict(), is_team=query.get("whose") == "team")
        self.when = ConditionRows.typed(data) if data is not None else ConditionRows.of(_condition_of(query))
        self.problem = ""

    @property
    def offered(self) -> list[OfferedRow]:
        return self.when.offered(self.catalogue)

    @property
    def attributes(self) -> list[tuple[str, list[Attribute]]]:
        return grouped(self.catalogue.values())

    @property
    def words(self) -> Phrase | None:
        """The condition in words; None while that cannot be said, or there is none."""
        try:
            condition = self.when.condition(self.catalogue)
        except ValueError:
            return None
        phrase = Describer(self.catalogue).describe(condition) if condition is not None else None
        return None if phrase is None or phrase.kind == "problem" else phrase

    def asked(self, button: str) -> None:
        """Change the rows as a button says."""
        self.when = self.when.asked(button)

    def address(self) -> str | None:
        """The query string of the queue narrowed so; None when something is wrong, which then stands at its place."""
        try:
            condition = self.when.condition(self.catalogue)
            if condition is not None:
                parse(condition, catalogue=self.catalogue)
        except ConditionError as error:
            self.problem, self.when = error.message, self.when.with_error(error.fields)
            return None
        except ValueError as error:
            self.problem = str(error)
            return None
        if not self.quick.is_valid():
            self.problem = _("Choose from what is offered.")
            return None
        query = self.query.copy()
        written = "" if condition is None else json.dumps(condition, ensure_ascii=False, separators=(",", ":"))
        for name in (*QUICK, "condition", "from"):
            query.pop(name, None)
        for name, value in {**self.quick.cleaned_data, "condition": written}.items():
            if value:
                query[name] = value
        return f"?{query.urlencode()}"


def _condition_of(query: QueryDict) -> Any:
    try:
        return json.loads(query.get("condition") or "null")
    except (ValueError, RecursionError):
        return None
