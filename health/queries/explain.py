"""Why a score is what it is: every measure with its value, points, weight and share, now or on any day before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from accounts.attributes import Catalogue
from accounts.attributes.registry import Label
from accounts.models import Account, Workspace
from common import clock
from health.models import HealthDay, HealthScore, Measure, Profile
from health.queries.definitions import load_definitions

TREND_DAYS = 28


class LeftOut(StrEnum):
    """Why a measure has no part in a score."""

    MISSING = "missing"
    NOT_APPLICABLE = "not_applicable"
    BROKEN = "broken"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class ExplainedMeasure:
    """One measure's part in one score.

    ``contribution`` is ``weight * points / sum of weights in force``, in points of the score; None when left out.
    ``value`` has the ``unit`` and type of the measure's attribute, None when missing. ``trend`` has the points of
    the last days, oldest first, the explained one last. ``problem`` says what is wrong with a broken measure.
    """

    key: str
    label: str
    group: str
    attribute: str
    unit: Label
    trend: tuple[float | None, ...]
    value: Any = None
    points: float | None = None
    weight: float | None = None
    contribution: float | None = None
    heard_at: datetime | None = None
    is_stale: bool = False
    left_out: LeftOut | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HealthExplanation:
    """One score of one account and what it is made of; the contributions add up to the score to 1e-9."""

    account_id: int
    day: date | None
    score: float | None
    band: str
    profile: Profile | None
    since: datetime | None
    computed_at: datetime | None
    measures: tuple[ExplainedMeasure, ...]

    @property
    def stale_count(self) -> int:
        """How many of the measures that count are older than they should be."""
        return sum(row.is_stale for row in self.measures)

    @property
    def counted(self) -> tuple[ExplainedMeasure, ...]:
        """The measures that make the score."""
        return tuple(row for row in self.measures if row.left_out is None)


@dataclass(frozen=True, slots=True)
class DayOfHealth:
    """The health of an account on one day; ``points`` by measure key, None where it was left out."""

    day: date
    score: float | None
    band: str
    points: Mapping[str, float | None]


def explain_health(
    *, account: Account, on: date | None = None, now: datetime | None = None
) -> HealthExplanation | None:
    """The account's health now, or on the last day with a score up to ``on``; None when it had none.

    ``now`` is the instant that staleness is told for, the clock's when left out; for a day it is that day's end.
    """
    if on is None:
        score = HealthScore.objects.filter(account=account).select_related("profile").first()
        if score is None:
            return None
        reader = _Reader(score.components, now or clock.now(), _days(account, until=None, count=TREND_DAYS))
        return HealthExplanation(
            account_id=account.pk,
            day=None,
            score=score.score,
            band=score.band,
            profile=score.profile,
            since=score.since,
            computed_at=score.computed_at,
            measures=(*reader.kept(), *reader.absent(score.profile)),
        )
    past = HealthDay.objects.filter(account=account, day__lte=on).order_by("-day").first()
    if past is None:
        return None
    end = clock.start_of_day(past.day + timedelta(days=1), Workspace.current().zone)
    reader = _Reader(past.components, end, _days(account, until=past.day, count=TREND_DAYS))
    return HealthExplanation(
        account_id=account.pk,
        day=past.day,
        score=past.score,
        band=past.band,
        profile=Profile.objects.filter(pk=past.profile_id).first(),
        since=None,
        computed_at=None,
        measures=tuple(reader.kept()),
    )


def health_history(*, account: Account, days: int, until: date | None = None) -> list[DayOfHealth]:
    """The last ``days`` days with a score, oldest first, up to ``until`` or the latest."""
    return _days(account, until=until, count=days)


def _days(account: Account, *, until: date | None, count: int) -> list[DayOfHealth]:
    rows = HealthDay.objects.filter(account=account)
    if until is not None:
        rows = rows.filter(day__lte=until)
    return [
        DayOfHealth(
            day=row.day,
            score=row.score,
            band=row.band,
            points={component[0]: _padded(component)[2] for component in row.components},
        )
        for row in reversed(rows.order_by("-day")[:count])
    ]


def _padded(component: Sequence[Any]) -> Sequence[Any]:
    return component if len(component) > 1 else (component[0], None, None, None, None)


class _Reader:
    """Reads the components of one score, with what today's definitions say of their measures."""

    def __init__(self, components: Sequence[Sequence[Any]], moment: datetime, trend: Sequence[DayOfHealth]) -> None:
        self.components = components
        self.moment = moment
        self.trend = trend
        self.catalogue = Catalogue()
        keys = [component[0] for component in components]
        self.measures = {measure.key: measure for measure in Measure.objects.filter(key__in=keys)}

    def kept(self) -> Iterator[ExplainedMeasure]:
        """The measures that the score was computed with, or that it left out knowingly."""
        parts = [_padded(component) for component in self.components]
        total = sum(weight for _key, _value, points, weight, _heard in parts if points is not None)
        for (key, value, points, weight, heard), component in zip(parts, self.components, strict=True):
            measure = self.measures.get(key)
            bare = self._bare(key, measure)
            if len(component) == 1:
                yield replace(bare, left_out=LeftOut.NOT_APPLICABLE)
                continue
            heard_at = datetime.fromtimestamp(heard, UTC) if heard is not None else None
            yield replace(
                bare,
                value=value,
                points=points,
                weight=weight,
                contribution=None if points is None else weight * points / total,
                heard_at=heard_at,
                is_stale=points is not None and self._is_stale(measure, heard_at),
                left_out=LeftOut.MISSING if points is None else None,
            )

    def absent(self, profile: Profile) -> Iterator[ExplainedMeasure]:
        """The measures of the profile that the score was computed without: broken, or newer than the score."""
        keys = [component[0] for component in self.components]
        absent = list(Measure.objects.filter(profile_measures__profile=profile).exclude(key__in=keys))
        if not absent:
            return
        broken = {problem.measure: problem.message for problem in load_definitions().problems if problem.measure}
        for measure in absent:
            yield replace(
                self._bare(measure.key, measure),
                left_out=LeftOut.BROKEN if measure in broken else LeftOut.NOT_YET,
                problem=broken.get(measure, ""),
            )

    def _is_stale(self, measure: Measure | None, heard_at: datetime | None) -> bool:
        if measure is None or measure.stale_after_days is None or heard_at is None:
            return False
        return heard_at < self.moment - timedelta(days=measure.stale_after_days)

    def _bare(self, key: str, measure: Measure | None) -> ExplainedMeasure:
        known = measure is not None and measure.attribute in self.catalogue
        return ExplainedMeasure(
            key=key,
            label=measure.label if measure else key,
            group=measure.group if measure else "",
            attribute=measure.attribute if measure else "",
            unit=self.catalogue[measure.attribute].unit if measure and known else "",
            trend=tuple(day.points.get(key) for day in self.trend),
        )
