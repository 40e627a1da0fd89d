"""The forms of the pages where admins define health: what is typed is kept, and the services' sentences stand at it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Segment, Workspace
from common import clock
from console.forms.fields import StorableField
from health.services.versions import LONGEST_NOTE

LONGEST_PAGE = 2000


class PublishForm(forms.Form):
    """What changes and why, and from when on."""

    AT_ONCE, FROM_DAY = "now", "day"

    note = StorableField(
        label=_("What changes, and why"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands in the list of versions and beside scores that the new formula moves."),
    )
    when = forms.ChoiceField(
        label=_("Takes effect"),
        choices=[(AT_ONCE, _("At once")), (FROM_DAY, _("From a day on"))],
        initial=AT_ONCE,
        widget=forms.RadioSelect,
    )
    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the day where it is needed."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") == self.FROM_DAY and not cleaned.get("day") and "day" not in self.errors:
            self.add_error("day", _("Choose the day from which it counts."))
        if cleaned.get("when") == self.AT_ONCE and cleaned.get("day"):
            self.add_error("when", _("A day is given: choose “From a day on”, or take the day out."))
        return cleaned

    @property
    def effective_at(self) -> datetime | None:
        """The first instant of the chosen day in the workspace's time zone; None for at once."""
        day: date | None = self.cleaned_data["day"]
        if self.cleaned_data["when"] == self.AT_ONCE or day is None:
            return None
        return clock.start_of_day(day, Workspace.current().zone)


class RollBackForm(forms.Form):
    """Why an earlier version comes back."""

    note = StorableField(
        label=_("Why"), max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 2, "autofocus": True})
    )


class NamedScoreForm(forms.Form):
    """How a score is called, and when it is told as a drop."""

    label = StorableField(label=_("Name"), max_length=100)
    description = StorableField(
        label=_("Description"),
        required=False,
        max_length=LONGEST_PAGE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What it tells that the overall score does not."),
    )
    drop_points = forms.IntegerField(
        label=_("A drop is"),
        min_value=1,
        max_value=100,
        initial=10,
        help_text=_("Points that it must fall within a week to be told as a drop."),
    )


class ProfileForm(forms.Form):
    """One score of one segment: who it is for, and where the bands begin. Its measures are ``WeightRows``."""

    segment = forms.ModelChoiceField(label=_("Segment"), queryset=Segment.objects.order_by("priority"))
    name = StorableField(
        label=_("Name"), max_length=200, required=False, help_text=_("The segment's name where nothing is given.")
    )
    good_from = forms.IntegerField(label=_("Good from"), min_value=1, max_value=100, initial=70)
    watch_from = forms.IntegerField(label=_("Watch from"), min_value=1, max_value=100, initial=40)

    def bands(self) -> tuple[int, int]:
        """Where the bands begin, as typed where that makes sense and as they were where it does not."""
        typed = []
        for name in ("good_from", "watch_from"):
            raw = str(self[name].value())
            typed.append(int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else 0)
        good, watch = typed
        return (good, watch) if 0 < watch < good <= 100 else (self["good_from"].initial, self["watch_from"].initial)
