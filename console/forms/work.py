"""The forms of the staff pages: what is typed is kept, and what is wrong is said at the field."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.calendar import Calendar
from accounts.models import Account, Contact, Rating, Touchpoint, User
from common import clock
from common.errors import DomainError
from common.text import one_line
from console.forms.fields import StorableField
from console.forms.task_template import ChecklistField
from health.models import NamedScore
from health.services.overrides import LONGEST_REASON
from playbooks.models import Task
from playbooks.services.tasks import MOST_MINUTES

SUMMARY_LENGTH = 300
YEARS_AHEAD = 5
EARLIEST_YEAR = 2000


class DoneForm(forms.Form):
    """How a task ended."""

    PLACES = {str(place): value for place, value in enumerate(Task.Outcome.values, start=1)}

    outcome = forms.CharField(label=_("Outcome"), required=False)
    note = StorableField(label=_("Note"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_outcome(self) -> str:
        """The outcome, which may be given by its place, as its key is."""
        given: str = self.cleaned_data["outcome"]
        outcome = self.PLACES.get(given, given)
        if outcome and outcome not in Task.Outcome.values:
            raise forms.ValidationError(_("Choose from what is offered."))
        return outcome


class SnoozeForm(forms.Form):
    """Until when a task should stay out of the queue: a day, at the start of the reader's working day."""

    WORK_BEGINS = 8
    LATEST_DAYS = 90

    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    or_worse = forms.BooleanField(
        label=_("Or until it gets worse, if that is sooner"),
        required=False,
        help_text=_("Health falls by five points or a band, a number it was made for moves on, or renewal is near."),
    )

    def clean_or_worse(self) -> bool:
        """Whether it may wake before; without a day it then sleeps at most for three months."""
        or_worse: bool = self.cleaned_data["or_worse"]
        if or_worse and not self.data.get("until"):
            self.cleaned_data["until"] = self._begin(timezone.localdate() + timedelta(days=self.LATEST_DAYS))
        return or_worse

    def clean_until(self) -> datetime | None:
        """The chosen day at eight in the reader's zone."""
        day: date | None = self.cleaned_data["until"]
        if day is None:
            if self.data.get("or_worse"):
                return None
            raise forms.ValidationError(_("Choose a day, or until it gets worse."))
        if day.year > timezone.localdate().year + YEARS_AHEAD:
            raise forms.ValidationError(_("Choose a day within the next five years."))
        begin = self._begin(day)
        if begin <= clock.now():
            raise forms.ValidationError(_("Choose a day that is still to come."))
        return begin

    def _begin(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, self.WORK_BEGINS, tzinfo=timezone.get_current_timezone())

    @staticmethod
    def suggestions() -> list[tuple[str | Promise, date]]:
        """Working days that people mean most often, with their words; each day once.

        One that is no working day gives way to the next that is, which is then called by its name in the week.
        """
        today, calendar = timezone.localdate(), Calendar.current()
        meant: list[tuple[str | Promise, date]] = [
            (_("Tomorrow"), today + timedelta(days=1)),
            (_("Next Monday"), today + timedelta(days=7 - today.weekday())),
            (_("In three days"), today + timedelta(days=3)),
            (_("In a month"), calendar.business_day(today + timedelta(days=30))),
        ]
        exact = {day: words for words, day in reversed(meant)}
        days = sorted({calendar.business_day(day) for day in exact})
        return [(exact.get(day) or date_format(day, "l").capitalize(), day) for day in days]


class ReassignForm(forms.Form):
    """Who should do a task instead."""

    to = forms.ModelChoiceField(
        label=_("Give it to"), queryset=User.objects.none(), widget=forms.Select(attrs={"data-picker": True})
    )
    note = StorableField(label=_("Note"), required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = User.objects.working().order_by("name")


class TaskForm(forms.Form):
    """A task that somebody makes by hand."""

    title = StorableField(label=_("What is to be done"), max_length=300)
    due = forms.DateField(label=_("Due"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    severity = forms.TypedChoiceField(
        label=_("Severity"), choices=Task.Severity.choices, coerce=int, initial=Task.Severity.NORMAL
    )
    minutes = forms.IntegerField(
        label=_("Minutes"),
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        help_text=_("Its severity says, when it is empty."),
    )
    guidance = StorableField(
        label=_("What to know"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    checklist = ChecklistField()

    def clean_due(self) -> datetime:
        """The end of the working day, at five, in the reader's zone."""
        day: date = self.cleaned_data["due"]
        today = timezone.localdate()
        if not today <= day <= today.replace(year=today.year + YEARS_AHEAD, day=1):
            raise forms.ValidationError(_("Choose today, or a day within the next five years."))
        return datetime(day.year, day.month, day.day, 17, tzinfo=timezone.get_current_timezone())


class TouchpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    """An exchange with a customer."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=Touchpoint.Kind.choices, widget=forms.RadioSelect, initial=Touchpoint.Kind.CALL
    )
    sentiment = forms.ChoiceField(
        label=_("How did it feel"),
        required=False,
        choices=[("", _("Not said")), *Touchpoint.Sentiment.choices],
        widget=forms.RadioSelect,
    )
    summary = StorableField(
        label=_("What was it about"), max_length=SUMMARY_LENGTH, widget=forms.TextInput(attrs={"autofocus": True})
    )
    body = StorableField(label=_("Notes"), required=False, max_length=100_000, widget=forms.Textarea(attrs={"rows": 4}))
    next_step = StorableField(label=_("Next step"), required=False, max_length=300)
    happened_at = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    class Meta:
        model = Touchpoint
        fields = [
            "kind",
            "summary",
            "sentiment",
            "contact",
            "minutes",
            "body",
            "next_step",
            "next_step_on",
            "happened_at",
        ]
        widgets = {"next_step_on": forms.DateInput(attrs={"type": "date"})}
        labels = {
            "contact": _("With"),
            "minutes": _("Minutes"),
            "next_step_on": _("Next step on"),
        }

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = self.fields["contact"]
        assert isinstance(contact, forms.ModelChoiceField)
        contact.queryset = Contact.objects.filter(account=account, left_at=None)
        contact.empty_label = _("Nobody in particular")

    def clean_happened_at(self) -> datetime:
        """Not in the future, beyond a clock that runs a little fast, nor in another century."""
        when: datetime = self.cleaned_data["happened_at"]
        if when.year < EARLIEST_YEAR:
            raise forms.ValidationError(_("Choose a time since the year 2000."))
        if when > clock.now() + timedelta(minutes=10):
            raise forms.ValidationError(_("Choose a time that has passed; what is planned is a task."))
        return when


class NoteForm(forms.Form):
    """Something to remember about an account."""

    text = StorableField(label=_("Note"), max_length=100_000, widget=forms.Textarea(attrs={"rows": 5}))

    def summary(self) -> str:
        """The first line, cut to what a touchpoint's summary holds."""
        text: str = self.cleaned_data["text"]
        first = one_line(text.partition("\n")[0])
        return first if len(first) <= SUMMARY_LENGTH else f"{first[: SUMMARY_LENGTH - 1]}…"

    def body(self) -> str:
        """The whole note, or nothing when the summary says it all."""
        text: str = self.cleaned_data["text"]
        return "" if self.summary() == text else text


class FirstFocused(forms.RadioSelect):
    """Radio buttons of which the first has the focus when the form opens."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The option; see Django."""
        option = super().create_option(*args, **kwargs)
        if option["index"] == "0":
            option["attrs"]["autofocus"] = True
        return option


class RatingForm(forms.Form):
    """How an account is doing, as somebody who knows it feels."""

    value = forms.TypedChoiceField(
        label=_("How are they doing"), choices=Rating.Value.choices, coerce=int, widget=FirstFocused
    )
    comment = StorableField(label=_("Why"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))


class OverrideForm(forms.Form):
    """A score that somebody sets by hand, why, and until when: for a while from now, or to the end of a day."""

    ON_A_DAY = "day"
    WHILES: tuple[tuple[str, str | Promise], ...] = (
        ("7", _("A week")),
        ("30", _("A month")),
        ("90", _("Three months")),
        (ON_A_DAY, _("Until a day")),
    )

    named = forms.ModelChoiceField(label=_("Which score"), queryset=NamedScore.objects.none(), to_field_name="key")
    score = forms.FloatField(
        label=_("Score"), widget=forms.NumberInput(attrs={"min": 0, "max": 100, "step": 1, "autofocus": True})
    )
    reason = StorableField(label=_("Why"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2}))
    lasts = forms.ChoiceField(label=_("For how long"), choices=WHILES, initial="30", widget=forms.RadioSelect)
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, scores: list[NamedScore], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = self.fields["named"]
        assert isinstance(named, forms.ModelChoiceField)
        named.queryset = NamedScore.objects.filter(pk__in=[score.pk for score in scores])
        named.empty_label = None
        if len(scores) == 1:
            named.widget = forms.HiddenInput()
        self.fields["day"].required = not self.is_bound or self.data.get("lasts") == self.ON_A_DAY

    def clean(self) -> dict[str, Any]:
        """With ``expires_at``, the last minute of the chosen day in the reader's zone."""
        given: dict[str, Any] = super().clean() or {}
        if "named" in self.errors:
            self.add_error(None, _("This account has no such score."))
        lasts = given.get("lasts", "")
        day = given.get("day") if lasts == self.ON_A_DAY else None
        if lasts.isdigit():
            day = timezone.localdate() + timedelta(days=int(lasts))
        if day is not None:
            given["expires_at"] = datetime(day.year, day.month, day.day, 23, 59, tzinfo=timezone.get_current_timezone())
        return given

    def refuse(self, error: DomainError) -> bool:
        """Say at their fields what a service refused; whether it named any."""
        for name, sentence in error.fields.items():
            self.add_error("day" if name == "expires_at" else name, sentence)
        return bool(error.fields)
