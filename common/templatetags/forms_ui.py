"""Form controls in the look of the product, whatever the form's author chose as a widget."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

# In this order: a widget takes the class of the first base it is an instance of.
STYLES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "checkbox"),
    (forms.RadioSelect, "radio"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file-input"),
    (forms.widgets.Input, "input"),
)


@register.filter
def is_choice_box(field: BoundField) -> bool:
    """Return whether the field is one checkbox, which stands before its label."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def control(field: BoundField) -> SafeString:
    """Return the field's widget with our classes, bound to its help and errors for screen readers."""
    widget = field.field.widget
    css = next((name for base, name in STYLES if isinstance(widget, base)), "")
    attrs: dict[str, Any] = {"class": f"{css} {widget.attrs.get('class', '')}".strip()}
    if not field.use_fieldset:
        attrs["aria-describedby"] = f"{field.auto_id}_notes"
    return field.as_widget(attrs=attrs)
