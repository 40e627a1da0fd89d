"""The forms around a playbook: making one, and publishing its draft."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from console.forms.fields import StorableField
from playbooks.models import Playbook
from playbooks.ready import Ready
from usage.models import Feature


class PlaybookForm(forms.Form):
    """How a playbook is called, and what it is for."""

    name = StorableField(label=_("Name"), max_length=200)
    description = StorableField(
        label=_("What it is for"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One sentence for colleagues: it stands in the list of playbooks."),
    )


class ReadyForm(PlaybookForm):
    """A ready playbook: how it is called here, and the feature that it is about, if it is about one."""

    feature = forms.ChoiceField(label=_("Which feature"), error_messages={"required": _("Choose a feature.")})

    def __init__(self, data: QueryDict | None, *, ready: Ready) -> None:
        super().__init__(data, initial={"name": ready.name, "description": ready.description})
        if not ready.asks_feature:
            del self.fields["feature"]
            return
        feature = self.fields["feature"]
        assert isinstance(feature, forms.ChoiceField)
        known = list(Feature.objects.order_by("name").values_list("key", "name"))
        feature.choices = [("", _("Choose one")), *known]
        if not known:
            feature.help_text = _("No feature is known yet: they come with the usage of your product.")


class PublishPlaybookForm(forms.Form):
    """What changes and why."""

    note = StorableField(
        label=_("What changes, and why"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
        help_text=_("It stands in the list of versions."),
    )


class DefinitionForm(forms.Form):
    """A definition as JSON."""

    definition = StorableField(
        label=_("Definition as JSON"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 28, "class": "font-mono", "spellcheck": "false"}),
    )


class StartForm(forms.Form):
    """Which playbook to start by hand: one that is on."""

    playbook = forms.ModelChoiceField(
        label=_("Playbook"),
        queryset=Playbook.objects.filter(status=Playbook.Status.LIVE),
        empty_label=_("Choose one"),
        help_text=_("It begins whatever its entry asks for. An account is in a playbook once at a time."),
    )
