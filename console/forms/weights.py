"""The measures of a profile as a form takes them: in order, each with its weight, to add, move and take out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from common.curves.decimals import read_decimal, write_decimal
from health.models import Measure, Profile


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One measure of a profile: its weight as typed, what is wrong with it, and its share of the whole score."""

    measure: Measure
    typed: str
    error: str = ""
    share: float = 0.0
    start: float = 0.0

    @property
    def weight(self) -> float | None:
        return read_decimal(self.typed)


@dataclass(frozen=True, slots=True)
class WeightRows:
    """All measures of a profile in their order."""

    rows: tuple[WeightRow, ...]

    @classmethod
    def of(cls, profile: Profile | None) -> WeightRows:
        """The rows of a profile that is kept; none for a new one."""
        parts = profile.profile_measures.select_related("measure").order_by("id") if profile and profile.pk else []
        return cls.shared(WeightRow(part.measure, write_decimal(float(part.weight))) for part in parts)

    @classmethod
    def typed(cls, data: QueryDict, measures: Mapping[str, Measure]) -> WeightRows:
        """The rows of a form: ``measure`` has the keys in order, ``weight_<key>`` the weight of each."""
        keys = [key for key in dict.fromkeys(data.getlist("measure")) if key in measures]
        return cls.shared(WeightRow(measures[key], data.get(f"weight_{key}", "").strip()) for key in keys)

    @classmethod
    def shared(cls, rows: Iterable[WeightRow]) -> WeightRows:
        """The rows, each with its share."""
        every = list(rows)
        total = sum(row.weight or 0.0 for row in every if (row.weight or 0.0) > 0)
        shown, start = [], 0.0
        for row in every:
            share = max(row.weight or 0.0, 0.0) / total if total else 0.0
            shown.append(replace(row, share=share, start=start))
            start += share
        return cls(tuple(shown))

    @property
    def are_equal(self) -> bool:
        """Whether the score is the plain mean of the points."""
        return len({row.weight for row in self.rows}) == 1

    @property
    def weights(self) -> dict[str, str | float]:
        """The weight by measure key, in order; what is no number stays as it was typed, for the service to refuse."""
        return {row.measure.key: row.typed if row.weight is None else row.weight for row in self.rows}

    def asked(self, verb: str, key: str, measures: Mapping[str, Measure]) -> WeightRows:
        """The rows after a button: ``up``, ``down``, ``drop`` or ``add`` a measure, or ``equal`` weights."""
        rows = list(self.rows)
        place = next((n for n, row in enumerate(rows) if row.measure.key == key), None)
        if verb == "equal":
            rows = [replace(row, typed="1") for row in rows]
        elif verb == "add" and place is None and key in measures:
            usual = rows[0].typed if rows and self.are_equal else "1"
            rows.append(WeightRow(measures[key], usual))
        elif place is not None and verb == "drop":
            del rows[place]
        elif place is not None and verb in ("up", "down"):
            other = min(max(place + (-1 if verb == "up" else 1), 0), len(rows) - 1)
            rows.insert(other, rows.pop(place))
        return self.shared(rows)

    def with_errors(self, fields: Mapping[str, str]) -> WeightRows:
        """The rows with what the service says of ``weights.<key>``."""
        said = {path.removeprefix("weights."): sentence for path, sentence in fields.items()}
        return WeightRows(tuple(replace(row, error=said.get(row.measure.key, "")) for row in self.rows))


def not_counted(rows: WeightRows, measures: Mapping[str, Measure]) -> list[tuple[str, Sequence[Measure]]]:
    """The measures that the profile does not use yet, by group."""
    used = {row.measure.key for row in rows.rows}
    groups: dict[str, list[Measure]] = {}
    for measure in measures.values():
        if measure.key not in used:
            groups.setdefault(measure.get_group_display(), []).append(measure)
    return list(groups.items())
