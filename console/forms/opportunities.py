"""The form of an opportunity."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from console.forms.fields import StorableField
from revenue.models import Opportunity


class OpportunityForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    """What it is, what it is worth, and how far it is."""

    name = StorableField(label=_("What it is"), max_length=200, widget=forms.TextInput(attrs={"autofocus": True}))
    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=0, max_digits=14, decimal_places=2, localize=True
    )
    outcome = StorableField(
        label=_("How it went"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Why it was won or lost, for those who come after."),
    )

    class Meta:
        model = Opportunity
        fields = ["name", "kind", "amount", "expected_on", "owner", "stage", "outcome"]
        widgets = {"expected_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        labels = {
            "kind": _("Kind"),
            "expected_on": _("Expected on"),
            "owner": _("Who works on it"),
            "stage": _("Stage"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER).order_by("name")
        owner.empty_label = str(_("Nobody yet"))
