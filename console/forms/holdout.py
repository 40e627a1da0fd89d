"""The plan of a holdout: what is typed is kept, and what it could find is said while it is typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Attribute, Catalogue
from accounts.conditions import ConditionError, Describer, Phrase
from accounts.models import User, Workspace
from common.errors import DomainError
from console.forms.condition_rows import ALL, ConditionRow, ConditionRows, OfferedRow, grouped
from console.forms.fields import put_errors
from playbooks.models import Holdout, Playbook
from playbooks.queries.effect import Plan, plan_of
from playbooks.services import start_holdout

OUTCOME = "outcome"


class PlanForm(forms.Form):
    """How many are held out, when their outcome is looked at, and when the verdict is told."""

    share = forms.IntegerField(
        label=gettext_lazy("Hold out, of 100 that enter"),
        initial=20,
        help_text=gettext_lazy("For these the playbook does nothing; they are only watched. Half finds the most."),
    )
    after_days = forms.IntegerField(
        label=gettext_lazy("Days after entering"),
        initial=30,
        help_text=gettext_lazy("When it is looked whether an account has reached the outcome."),
    )
    base_rate = forms.FloatField(
        label=gettext_lazy("Would reach it anyway, of 100"),
        initial=20,
        help_text=gettext_lazy("Your best guess without the playbook; it only says what could be found."),
    )
    verdict_on = forms.DateField(
        label=gettext_lazy("Day of the verdict"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("No effect is told before it. It cannot be moved."),
    )


class HoldoutEditor:
    """A holdout that does not exist yet: ``form`` and the rows of the outcome."""

    def __init__(self, playbook: Playbook, data: QueryDict | None, *, now: datetime) -> None:
        self.playbook, self.now = playbook, now
        self.catalogue = Catalogue()
        initial = {"verdict_on": Workspace.current().day(now) + timedelta(days=120)}
        self.form = PlanForm(data, initial=initial)
        button = data.get("do", "") if data is not None else ""
        nothing = ConditionRows(ALL, (ConditionRow(),), name=OUTCOME)
        typed = nothing if data is None else ConditionRows.typed(data, name=OUTCOME)
        self.outcome = typed.asked(button)
        self.problem = ""

    @property
    def offered(self) -> list[OfferedRow]:
        return self.outcome.offered(self.catalogue)

    @property
    def attributes(self) -> list[tuple[str, list[Attribute]]]:
        return grouped(self.catalogue.values())

    @property
    def words(self) -> Phrase | None:
        """The outcome in words; None while that cannot be said."""
        try:
            condition = self.outcome.condition(self.catalogue)
        except ValueError:
            return None
        phrase = None if condition is None else Describer(self.catalogue).describe(condition)
        return None if phrase is None or phrase.kind == "problem" else phrase

    @property
    def plan(self) -> Plan | None:
        """What the holdout could find; None while its numbers do not make sense."""
        bound = PlanForm({name: self.form[name].value() for name in self.form.fields})
        if not bound.is_valid():
            return None
        given = bound.cleaned_data
        if not (0 < given["share"] < 100 and 0 < given["base_rate"] < 100):
            return None
        return plan_of(self.playbook, now=self.now, **given)

    def start(self, by: User) -> Holdout | None:
        """Begin it; None when something is wrong, which then stands at its place."""
        outcome: Any = None
        try:
            outcome = self.outcome.condition(self.catalogue)
        except ValueError as error:
            self.problem = str(error)
        if outcome is None and not self.problem:
            self.problem = _("Choose what the playbook is to bring about.")
        if not self.form.is_valid() or self.problem:
            return None
        try:
            return start_holdout(playbook=self.playbook, outcome=outcome, by=by, now=self.now, **self.form.cleaned_data)
        except ConditionError as error:
            self.problem, self.outcome = error.message, self.outcome.with_error(error.fields)
        except DomainError as error:
            put_errors(self.form, error)
        return None
