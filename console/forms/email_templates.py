"""The form of an email template, in one of its languages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import StorableField
from playbooks.mail.liquid import LONGEST_SOURCE


class EmailTemplateForm(forms.Form):
    """Its name, and what it says in one language."""

    name = StorableField(label=_("Name"), max_length=200, help_text=_("For colleagues; customers do not see it."))
    subject = StorableField(label=_("Subject"), max_length=300, widget=forms.TextInput(attrs={"data-insert-into": ""}))
    body = StorableField(
        label=_("Text"),
        max_length=LONGEST_SOURCE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "data-insert-into": ""}),
        help_text=_("Markdown: **bold**, [a link](https://…), lists. Merge values stand in {{ }}."),
    )
