"""What the forms of the staff pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError
from common.text import storable


class StorableField(forms.CharField):
    """A text without the characters that cannot be stored."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not storable(text):
            raise forms.ValidationError(_("Remove the characters that cannot be stored."))
        return text


def put_errors(form: forms.BaseForm, error: DomainError, *, names: Mapping[str, str] | None = None) -> None:
    """Say each sentence of the error at its field, those of no field above the form.

    ``names`` translates the paths of the error into names of fields.
    """
    placed = False
    for path, sentence in error.fields.items():
        name = (names or {}).get(path, path)
        form.add_error(name if name in form.fields else None, sentence)
        placed = True
    if not placed:
        form.add_error(None, error.message)
