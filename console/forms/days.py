"""The days that the health of an account is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PastDaysForm(forms.Form):
    """Days up to ``today``, by their names in an address."""

    def __init__(self, given: Mapping[str, Any], *, today: date) -> None:
        super().__init__({name: given[name] for name in self.base_fields if name in given})
        self.today = today
        for field in self.fields.values():
            field.widget.attrs["max"] = today.isoformat()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name, day in list(given.items()):
            if day and day > self.today:
                self.add_error(name, _("This day is still to come; choose today or one before."))
        return given


class ComparedDaysForm(PastDaysForm):
    """Two days to compare, the second being now unless one is given."""

    since = forms.DateField(label=_("From"), widget=_day_input())
    until = forms.DateField(label=_("To"), required=False, widget=_day_input())

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", _("Choose a day that is not before the first one."))
        return given


class ExplainedDayForm(PastDaysForm):
    """A day to explain, now unless one is given."""

    on = forms.DateField(label=_("Day"), required=False, widget=_day_input())
