"""A score taken apart: its measures, alone and by group, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from accounts.attributes import Attribute
from accounts.attributes.registry import Label
from health.curves import Curve
from health.models import Measure, NamedScore, Override, Profile, ProfileMeasure


class LeftOut(StrEnum):
    """Why a measure has no part in a score."""

    MISSING = "missing"
    UNSCORED = "unscored"
    NOT_APPLICABLE = "not_applicable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ExplainedMeasure:
    """One measure's part in one score.

    ``contribution`` is ``weight * points / sum of weights in force``, in points of the score, and ``cost`` how many
    more it would be with all 100 points; both None when left out. ``value`` has the type of the measure's attribute,
    None when missing; ``kept`` is what the score keeps of it (see ``ScoredParts``). ``source`` is the attribute, None
    when it is no more. ``trend`` has the points of the last days, oldest first, the explained one last. ``problem``
    says what is wrong with a broken measure.
    """

    part: ProfileMeasure
    source: Attribute | None
    curve: Curve
    value: Any
    kept: float | None
    points: float | None
    contribution: float | None
    cost: float | None
    heard_at: datetime | None
    is_stale: bool
    left_out: LeftOut | None
    trend: tuple[float | None, ...] = ()
    problem: str = ""

    @property
    def measure(self) -> Measure:
        return self.part.measure

    @property
    def key(self) -> str:
        return self.measure.key

    @property
    def label(self) -> str:
        return self.measure.label

    @property
    def group(self) -> str:
        return self.measure.group

    @property
    def attribute(self) -> str:
        return self.measure.attribute

    @property
    def unit(self) -> Label:
        return self.source.unit if self.source else ""

    @property
    def weight(self) -> float:
        return float(self.part.weight)


@dataclass(frozen=True, slots=True)
class ExplainedGroup:
    """The measures of one group that make a score, the costliest first; those of all groups add up to it."""

    key: str
    measures: tuple[ExplainedMeasure, ...]

    @property
    def label(self) -> str:
        return str(Measure.Group(self.key).label)

    @property
    def keys(self) -> list[str]:
        return [row.key for row in self.measures]

    @property
    def contribution(self) -> float:
        """How many points of the score the group gives."""
        return sum(row.contribution or 0.0 for row in self.measures)

    @property
    def cost(self) -> float:
        """How many points of the score the group keeps away."""
        return sum(row.cost or 0.0 for row in self.measures)

    @property
    def points(self) -> float:
        """The points of the group alone, 0-100: what the score would be of nothing but its measures."""
        return 100 * self.contribution / (self.contribution + self.cost)


@dataclass(frozen=True, slots=True)
class HealthExplanation:
    """One score of one account and what it is made of.

    The contributions of the measures and ``override_contribution`` add up to the score to 1e-9. ``day`` is the day
    told of, None for now; ``since`` and ``computed_at`` are known for now only.
    """

    account_id: int
    named: NamedScore
    profile: Profile
    day: date | None
    score: float | None
    computed_score: float | None
    override: Override | None
    band: str
    since: datetime | None
    computed_at: datetime | None
    measures: tuple[ExplainedMeasure, ...]

    @property
    def override_contribution(self) -> float | None:
        """By how much a person's override moves the score from what was computed; None without an override."""
        if self.override is None or self.score is None:
            return None
        return self.score - (self.computed_score or 0.0)

    @property
    def stale_count(self) -> int:
        """How many of the measures that count are older than they should be."""
        return sum(row.is_stale for row in self.measures)

    @property
    def counted(self) -> tuple[ExplainedMeasure, ...]:
        """The measures that make the score."""
        return tuple(row for row in self.measures if row.left_out is None)

    @property
    def groups(self) -> tuple[ExplainedGroup, ...]:
        """The measures that make the score by group, the group that costs most first."""
        found = (
            ExplainedGroup(group, tuple(sorted((m for m in self.counted if m.group == group), key=_costliest_first)))
            for group in Measure.Group.values
        )
        return tuple(sorted((group for group in found if group.measures), key=lambda group: -group.cost))


def _costliest_first(row: ExplainedMeasure) -> tuple[float, float]:
    return -(row.cost or 0.0), -(row.contribution or 0.0)
