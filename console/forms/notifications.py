"""How somebody wants to be told, one choice for each kind."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from notifications.kinds import KINDS, Channel
from notifications.models import Preference


class PreferencesForm(forms.Form):
    """A choice of channel for every kind, by its key."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = dict(Preference.objects.filter(user=user).values_list("kind", "channel"))
        for key, kind in KINDS.items():
            self.fields[_name(key)] = forms.ChoiceField(
                label=str(kind.label), choices=Channel.choices, initial=chosen.get(key, kind.channel)
            )

    @property
    def channels(self) -> dict[str, str]:
        """The channel chosen for each kind."""
        return {key: self.cleaned_data[_name(key)] for key in KINDS}


def _name(key: str) -> str:
    return key.replace(".", "_")
