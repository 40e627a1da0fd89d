"""The form field of a curve, drawn by ``components/curve_editor.html``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.curves.editor import editor_context
from common.curves.reading import Row, Typed, read_curve
from common.curves.shape import Kind

Label = str | Promise


class CurveWidget(forms.Widget):
    """The rows of a curve as a table, above it (with scripts) a drawing to pull into shape."""

    use_fieldset = True
    unit: Label = ""
    choices: Sequence[tuple[str, Label]] | None = None
    distribution: Mapping[str, Any] | None = None

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Typed | None:
        """What was typed, or None where the form had no such rows."""
        if self.value_omitted_from_data(data, files, name):
            return None
        values, points = _several(data, f"{name}_value"), _several(data, f"{name}_points")
        if self.choices is not None:
            kind = Kind.CHOICES
        else:
            kind = Kind.BANDS if data.get(f"{name}_shape") == Kind.BANDS else Kind.LINE
        return Typed(
            kind=kind,
            rows=tuple(Row(value, reached) for value, reached in zip(values, points, strict=False)),
            below=data.get(f"{name}_below", ""),
            asked=data.get(f"{name}_rows", ""),
        ).with_rows()

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Whether the form had no rows at all."""
        return f"{name}_points" not in data

    def id_for_label(self, id_: str | None) -> str:
        """Nothing: the label is the legend of a group."""
        return ""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The editor; ``value`` is JSON, or what was typed together with what is wrong with it."""
        labels = None if self.choices is None else {key: str(label) for key, label in self.choices}
        context = editor_context(
            html_id=(attrs or {}).get("id") or f"id_{name}",
            name=name,
            value=value,
            unit=str(self.unit),
            choices=labels,
            distribution=self.distribution,
        )
        return render_to_string("components/curve_editor.html", context)


class CurveField(forms.Field):
    """A curve, cleaned to the JSON of ``common.curves``.

    ``unit`` stands after values (``actions``, ``%``); ``choices`` are (value, label) pairs for a choice or a yes-or-no
    and None for a number; ``distribution`` is the JSON of ``common.curves.distribution.Distribution``.
    """

    widget = CurveWidget
    default_error_messages = {
        "required": _("Give the curve that turns values into points."),
        "rows": _("The rows have changed; nothing has been saved yet."),
    }

    def __init__(
        self,
        *,
        unit: Label = "",
        choices: Sequence[tuple[str, Label]] | None = None,
        distribution: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widget.unit = unit
        self.widget.choices = choices
        self.widget.distribution = distribution

    def clean(self, value: Any) -> Any:
        """The curve as JSON.

        Raises ValidationError with what is wrong (rows say it themselves too), and with the code ``rows`` when a
        button for rows was pressed, so that a form is never saved by one.
        """
        if not isinstance(value, Typed):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if not self.required and not value.asked and all(not row.points.strip() for row in value.rows):
            return None
        if value.asked:
            raise forms.ValidationError(self.error_messages["rows"], code="rows")
        choices = None if self.widget.choices is None else {key: str(label) for key, label in self.widget.choices}
        reading = read_curve(value, choices)
        if reading.errors:
            raise forms.ValidationError([forms.ValidationError(error, code="invalid") for error in reading.errors])
        return reading.curve

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether what was typed makes another curve."""
        if not isinstance(data, Typed):
            return True
        choices = None if self.widget.choices is None else {key: str(label) for key, label in self.widget.choices}
        return bool(read_curve(data, choices).curve != initial)


def _several(data: Mapping[str, Any], name: str) -> list[str]:
    getlist = getattr(data, "getlist", None)
    return list(getlist(name) if getlist else data.get(name, ()))
