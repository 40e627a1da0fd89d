"""The form of a survey's reminder."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ReminderForm(forms.Form):
    """After how many days those who have not answered are reminded."""

    remind_after_days = forms.IntegerField(
        label=_("Days after the invitation"),
        required=False,
        min_value=1,
        help_text=_(
            "Empty: nobody is reminded. Whoever was asked longer ago and may still answer is reminded at once."
        ),
    )
