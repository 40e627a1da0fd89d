"""The forms of saved views."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import StorableField


class SaveViewForm(forms.Form):
    """A view under a name."""

    name = StorableField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True}))
    is_shared = forms.BooleanField(label=_("Everybody may use it"), required=False)


class ChangeViewForm(SaveViewForm):
    """What can be changed of a view beside what it shows."""

    is_default = forms.BooleanField(label=_("Open the page with it"), required=False)
    position = forms.IntegerField(label=_("Place among your views"), min_value=0, max_value=999)
