"""A measure of the draft while somebody edits it: what was typed, what it would do, and keeping it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.text import slugify

from accounts.attributes import Catalogue, Context
from accounts.conditions import ConditionError, Describer, Phrase, parse
from common.errors import DomainError
from console.forms.condition_rows import ConditionRows
from console.forms.fields import put_errors
from console.forms.measure import FIELDS, MeasureForm, condition_rows, count_rows, with_count_errors
from health.models import Measure, NamedScore, Version
from health.queries.definitions import ReadyMeasure, check_measure
from health.queries.trial import UNSAVED
from health.services import DefinitionError, define_measure, problems_of_measure


class MeasureEditor:
    """The form, the condition and the weights of one measure, new (``measure`` is None) or of the draft.

    ``initial`` has the fields of the measure to begin with, ``data`` what a form has sent. ``key`` is the measure's, or
    the one that a new one should have if it is free.
    """

    def __init__(
        self,
        draft: Version,
        measure: Measure | None,
        initial: Mapping[str, Any],
        *,
        data: QueryDict | None,
        key: str,
        now: datetime,
        with_spread: bool = True,
    ) -> None:
        self.draft, self.measure, self.initial, self.key, self.now = draft, measure, initial, key, now
        self.catalogue, self.context = Catalogue(), Context.at(now)
        self.form = MeasureForm(
            data, catalogue=self.catalogue, context=self.context, initial=initial, with_spread=with_spread
        )
        profiles = draft.profiles.select_related("named", "segment").prefetch_related("profile_measures")
        self.counts = count_rows(list(profiles.order_by("named__position", "segment__priority")), measure, data)
        self.when = condition_rows(data, initial.get("applies_when"))
        self.when_problem = ""

    @property
    def named(self) -> NamedScore:
        """The score to look at: the first one in which the measure counts."""
        counted = [row.profile.named for row in self.counts if row.weight is not None]
        return counted[0] if counted else NamedScore.overall()

    @property
    def weights(self) -> dict[int, float | None]:
        """How much it weighs in each profile, as far as that can be told."""
        return {row.profile.pk: row.weight for row in self.counts}

    @property
    def when_words(self) -> Phrase | None:
        """Where it applies, in words; None while that cannot be said."""
        try:
            condition = self.when.condition(self.catalogue)
        except ValueError:
            return None
        phrase = Describer(self.catalogue).describe({"all": []} if condition is None else condition)
        return None if phrase.kind == "problem" else phrase

    def change(self, button: str) -> None:
        """Do what a button inside the form asks for; nothing is kept, and nobody is told of mistakes yet."""
        self.when = self.when.asked(button)
        self.form = self.form.as_typed(catalogue=self.catalogue, context=self.context)

    def ready(self) -> ReadyMeasure:
        """The measure as it stands in the form; raises DefinitionError with what has to be corrected first."""
        given, condition = self._read()
        measure = Measure(
            pk=self.measure.pk if self.measure else UNSAVED,
            version=self.draft,
            key=self.key,
            applies_when=condition,
            **given,
        )
        if problems := problems_of_measure(measure):
            raise DefinitionError(problems)
        return check_measure(measure, catalogue=self.catalogue)

    def _read(self) -> tuple[dict[str, Any], Any]:
        """The fields of the measure and where it applies; raises DefinitionError."""
        problems: dict[str, str] = {}
        condition = None
        try:
            condition = self._condition()
        except ValueError as error:
            problems["applies_when"] = str(error)
        if self.form.is_bound and not self.form.is_valid():
            problems |= {name: " ".join(map(str, errors)) for name, errors in self.form.errors.items()}
        if problems:
            raise DefinitionError(problems)
        given = self.form.given() if self.form.is_bound else {name: self.initial.get(name) for name in FIELDS}
        return given, condition

    def _condition(self) -> Any:
        """Where it applies: as it was written where the form says the same, since history knows it so."""
        typed, kept = self.when.condition(self.catalogue), self.initial.get("applies_when")
        return kept if ConditionRows.of(kept).condition(self.catalogue) == typed else typed

    def keep(self) -> Measure | None:
        """Keep the measure in the draft; None when something is wrong, which then stands at its place."""
        try:
            given, condition = self._read()
            return define_measure(
                draft=self.draft,
                key=self.key if self.measure else self._free_key(given["label"]),
                weights={row.profile.pk: row.given for row in self.counts},
                now=self.now,
                applies_when=condition,
                **given,
            )
        except DefinitionError as error:
            self._say(error.fields)
        return None

    def _say(self, fields: Mapping[str, str]) -> None:
        self.counts = with_count_errors(self.counts, fields)
        if "applies_when" in fields:
            self.when_problem = fields["applies_when"]
            self.when = self.when.with_error(self._places_in_condition())
        known = {name: words for name, words in fields.items() if name in self.form.fields}
        if new := {name: words for name, words in known.items() if name not in self.form.errors}:
            put_errors(self.form, DomainError(" ".join(new.values()), fields=new))

    def _places_in_condition(self) -> Mapping[str, str]:
        """What is wrong with the condition, by the place in it."""
        try:
            parse(self.when.condition(self.catalogue), catalogue=self.catalogue)
        except ConditionError as error:
            return error.fields
        except ValueError:
            pass
        return {}

    def _free_key(self, label: str) -> str:
        """A key that no measure of any version has, nor a figure of health itself: history knows a measure by it."""
        wanted = (self.key or slugify(label) or "measure")[:60].strip("-")
        taken = set(Measure.objects.filter(key__startswith=wanted).values_list("key", flat=True))
        taken |= {key.removeprefix("health.") for key in self.catalogue if key.startswith("health.")}
        return next(key for key in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)
