"""The form of a measure: what it is taken from, the curve over the company's own accounts, and where it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Attribute, Catalogue, Context, Type
from accounts.attributes.registry import choices_of
from common.curves.decimals import read_decimal, write_decimal
from common.curves.fields import CurveField
from console.forms.condition_rows import ConditionRows, grouped
from console.forms.fields import StorableField
from console.queries.health_preview import scorable
from health.models import Measure, Profile
from health.queries.distribution import distribution
from health.queries.fitting import fitted_curve

FIELDS = ("label", "description", "group", "attribute", "curve", "direction", "missing", "stale_after_days")


class MeasureForm(forms.Form):
    """One measure. Its condition is ``ConditionRows``, its weights ``CountRow``s.

    ``curve_for`` names the attribute that the curve in the form was drawn for.
    """

    label = StorableField(label=gettext_lazy("Name"), max_length=200)
    description = StorableField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What it tells about an account: it stands where the score is explained."),
    )
    group = forms.ChoiceField(label=gettext_lazy("Group"), choices=Measure.Group.choices)
    attribute = forms.ChoiceField(label=gettext_lazy("Taken from"), choices=[])
    curve_for = forms.CharField(required=False, widget=forms.HiddenInput)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), choices=Measure.Direction.choices)
    missing = forms.ChoiceField(
        label=gettext_lazy("Where nothing is known"), choices=Measure.Missing.choices, widget=forms.RadioSelect
    )
    stale_after_days = forms.IntegerField(
        label=gettext_lazy("Stale after days"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=gettext_lazy("A value whose source was last heard before that is still counted, and said to be old."),
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        catalogue: Catalogue,
        context: Context,
        initial: Mapping[str, Any],
        with_spread: bool = True,
    ) -> None:
        key = data.get("attribute", "") if data is not None else initial.get("attribute", "")
        self.source: Attribute | None = catalogue.get(key)
        self.spread = distribution(self.source, context=context) if self.source and with_spread else None
        super().__init__(data, initial={**initial, "curve_for": key})
        attribute = self.fields["attribute"]
        assert isinstance(attribute, forms.ChoiceField)
        attribute.choices = _choices(scorable(catalogue), key)
        attribute.help_text = str(self.source.help) if self.source else ""
        self.fields["curve"] = CurveField(
            label=_("Points by value"),
            unit=str(self.source.unit) if self.source else "",
            choices=_values_of(self.source, self.spread) if self.source else None,
            distribution=self.spread,
        )

    @property
    def has_other_attribute(self) -> bool:
        """Whether the attribute was changed since the curve was drawn."""
        return self.is_bound and self.data.get("curve_for", "") != self.data.get("attribute", "")

    def as_typed(self, *, catalogue: Catalogue, context: Context) -> MeasureForm:
        """The form as it was typed, not bound and so without complaints; over another attribute with a new curve."""
        typed: dict[str, Any] = {name: self.data.get(name, "") for name in FIELDS if name != "curve"}
        direction = typed["direction"] if typed["direction"] in Measure.Direction.values else "higher"
        if self.has_other_attribute:
            curve = fitted_curve(self.source, self.spread, direction=direction) if self.source else None
        else:
            curve = self["curve"].data
        return MeasureForm(None, catalogue=catalogue, context=context, initial={**typed, "curve": curve})

    def given(self) -> dict[str, Any]:
        """What the form says of the measure, as the services take it; ``applies_when`` is not in it."""
        return {name: self.cleaned_data.get(name) for name in FIELDS}


def _choices(attributes: Sequence[Attribute], key: str) -> list[Any]:
    groups: list[Any] = [(group, [(one.key, str(one.label)) for one in some]) for group, some in grouped(attributes)]
    if key not in {one.key for one in attributes}:
        # A measure whose attribute is gone still shows what it was taken from.
        groups.insert(0, (key, _("%(key)s, which is gone") % {"key": key} if key else _("Choose one")))
    return groups


def _values_of(attribute: Attribute, spread: Mapping[str, Any] | None) -> list[tuple[str, str]] | None:
    """The values of a choice or yes-or-no with their labels, those that accounts have where any text is allowed."""
    if attribute.type.is_numeric:
        return None
    if attribute.type == Type.BOOLEAN:
        return [("true", _("Yes")), ("false", _("No"))]
    known = choices_of(attribute) or {name: name for name in (spread or {}).get("counts", {})}
    return [(str(value), str(label)) for value, label in known.items()]


@dataclass(frozen=True, slots=True)
class CountRow:
    """One profile of the draft, and how much the measure weighs there as typed: nothing where it does not count."""

    profile: Profile
    typed: str
    error: str = ""

    @property
    def weight(self) -> float | None:
        """The weight for a preview; None where it does not count or nobody can tell."""
        found = read_decimal(self.typed) if self.typed else None
        return found if found is not None and found > 0 else None

    @property
    def given(self) -> Any:
        """The weight as the service takes it; what is no number stays as it was typed."""
        if not self.typed:
            return None
        found = read_decimal(self.typed)
        return self.typed if found is None else found


def count_rows(profiles: Sequence[Profile], measure: Measure | None, data: QueryDict | None) -> list[CountRow]:
    """Where the measure counts: as typed, or as kept. A new one counts once wherever the overall score is told."""
    rows = []
    for profile in profiles:
        parts = {part.measure_id: part for part in profile.profile_measures.all()}
        if data is not None:
            typed = data.get(f"counts_{profile.pk}", "").strip()
        elif measure is None:
            typed = "1" if profile.named.is_overall else ""
        else:
            typed = write_decimal(float(parts[measure.pk].weight)) if measure.pk in parts else ""
        rows.append(CountRow(profile, typed))
    return rows


def with_count_errors(rows: Sequence[CountRow], fields: Mapping[str, str]) -> list[CountRow]:
    """The rows with what a service says of ``weights.<profile id>``."""
    return [replace(row, error=fields.get(f"weights.{row.profile.pk}", "")) for row in rows]


def condition_rows(data: QueryDict | None, applies_when: Any) -> ConditionRows:
    """Where the measure applies: as typed, or as it is kept."""
    return ConditionRows.typed(data) if data is not None else ConditionRows.of(applies_when)
