"""The forms of the pages about messages: the contact budget, and the destinations."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import StorableField
from outbox.models import Destination
from outbox.services.budget import LONGEST_PERIOD, MOST
from outbox.services.destinations import NAME_LENGTH


class BudgetForm(forms.Form):
    """How often a contact may be written to."""

    most = forms.IntegerField(
        label=_("Messages at most"),
        required=False,
        min_value=1,
        max_value=MOST,
        help_text=_("Surveys, reminders and playbook mail together. Empty: no limit."),
    )
    days = forms.IntegerField(label=_("In any days"), min_value=1, max_value=LONGEST_PERIOD)


class DestinationForm(forms.Form):
    """How a destination is called and where it is."""

    name = StorableField(label=_("Name"), max_length=NAME_LENGTH, help_text=_("Playbooks offer it under this name."))
    url = StorableField(
        label=_("Address"),
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )

    def __init__(self, *args: object, kind: Destination.Kind, is_new: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        url = self.fields["url"]
        url.required = is_new
        if kind == Destination.Kind.SLACK:
            url.help_text = _(
                "The incoming webhook that Slack made for the channel: https://hooks.slack.com/services/…"
            )
        else:
            url.help_text = _("It gets a signed POST with JSON. It must be public, and begin with https://.")
        if not is_new:
            url.help_text = _("It is kept encrypted and not shown. Leave this empty to keep it.")
