"""The forms of task templates and of tasks that come again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import StorableField
from playbooks.models import Task, TaskSeries


def lines_of(text: str) -> list[str]:
    """The items of a checklist, one a line."""
    return [line for line in text.splitlines() if line.strip()]


class ChecklistField(StorableField):
    """A checklist, one item a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Checklist"),
            help_text=_("One item a line."),
            required=False,
            max_length=10_000,
            widget=forms.Textarea(attrs={"rows": 4}),
            **kwargs,
        )


class TemplateForm(forms.Form):
    """A task as it is often made."""

    title = StorableField(
        label=_("What is to be done"), max_length=300, widget=forms.TextInput(attrs={"autofocus": True})
    )
    key = forms.SlugField(label=_("Key"), max_length=64, help_text=_("By which playbooks and files name it."))
    guidance = StorableField(
        label=_("What to know and to say"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    checklist = ChecklistField()
    email_text = StorableField(
        label=_("Text of an email to copy"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    severity = forms.TypedChoiceField(
        label=_("Severity"), choices=Task.Severity.choices, coerce=int, initial=Task.Severity.NORMAL
    )
    due_in_days = forms.IntegerField(label=_("Due in days"), min_value=0, max_value=365, initial=2)


class RepeatForm(forms.Form):
    """Whether a task comes again, how often, and until when."""

    unit = forms.ChoiceField(
        label=_("Again"),
        required=False,
        choices=[("", _("Once only")), *TaskSeries.Unit.choices],
    )
    every = forms.IntegerField(label=_("Every"), required=False, min_value=1, max_value=365, initial=1)
    ends_on = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class SeriesForm(forms.Form):
    """What can be changed of a task that comes again: those that come, not those that are there."""

    title = StorableField(label=_("What is to be done"), max_length=300)
    guidance = StorableField(
        label=_("What to know"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    checklist = ChecklistField()
    severity = forms.TypedChoiceField(label=_("Severity"), choices=Task.Severity.choices, coerce=int)
    ends_on = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
