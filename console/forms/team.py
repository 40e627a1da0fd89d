"""The forms of assignment: who gets accounts, how much people work, when they are away, who takes over."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import Leave, User
from accounts.services.staff import MOST_HOURS
from console.forms.fields import StorableField
from playbooks.capacity import Load
from playbooks.rules import ACCOUNT_RULES, Rule
from playbooks.services.assigning import LONGEST_REASON


class AssignForm(forms.Form):
    """By which rule, or to whom, accounts go."""

    to = forms.ChoiceField(label=_("Give to"))
    reason = StorableField(label=_("Why"), required=False, max_length=LONGEST_REASON)
    move_open_work = forms.BooleanField(
        label=_("Their open tasks go along"), required=False, initial=True, help_text=_("Each says so in a note.")
    )

    def __init__(self, *args: Any, loads: dict[int, Load], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        people = User.objects.working().order_by("name")
        to.choices = [
            (_now("By rule"), list(ACCOUNT_RULES.items())),
            (_now("By name"), [(person.email, named(person, loads[person.pk])) for person in people]),
        ]
        to.help_text = _now("Difficult is an account whose health is poor. Who is away is replaced by their cover.")

    @property
    def rule(self) -> Rule:
        return Rule(self.cleaned_data["to"])


def named(person: User, load: Load) -> str:
    """A person with what helps to choose them: the hours that they have left, or that they are away."""
    if load.is_away:
        return _now("%(name)s · on leave") % {"name": person.name}
    hours = number_format(round(load.left / 60), use_l10n=True)
    return _now("%(name)s · %(hours)s h left") % {"name": person.name, "hours": hours}


class CapacityForm(forms.Form):
    """How much somebody works with customers."""

    weekly_hours = forms.IntegerField(
        label=_("Hours a week for customers"),
        min_value=0,
        max_value=MOST_HOURS,
        help_text=_("Without mail, breaks and meetings among colleagues: about 30 of 40."),
    )
    is_senior = forms.BooleanField(label=_("Senior: gets difficult accounts"), required=False)


class LeaveForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    """When somebody is away, and who covers for them."""

    class Meta:
        model = Leave
        fields = ["starts_on", "ends_on", "cover"]
        labels = {"starts_on": _("First day"), "ends_on": _("Last day"), "cover": _("Who covers")}
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cover = self.fields["cover"]
        assert isinstance(cover, forms.ModelChoiceField)
        cover.queryset = User.objects.working().exclude(pk=user.pk).order_by("name")
        cover.empty_label = _now("Nobody")

    def _post_clean(self) -> None:
        """The service checks and keeps it."""


class HandOverForm(forms.Form):
    """Who takes over from somebody who leaves."""

    to = forms.ModelChoiceField(label=_("Who takes over"), required=False, queryset=User.objects.none())
    reason = StorableField(label=_("Why"), required=False, max_length=LONGEST_REASON)
    end_access = forms.BooleanField(label=_("They leave: end their access"), required=False)

    def __init__(self, *args: Any, leaver: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)
        to.queryset = User.objects.working().exclude(pk=leaver.pk).order_by("name")
        to.empty_label = _now("All CSMs who are here, by the hours they have left")
