"""Why a score is what it is: every measure with its value, points, weight and share, now or on any day before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import Any

from accounts.attributes import Catalogue, Type
from accounts.models import Account, Workspace
from common import clock
from health.curves import Curve, Table, read_curve
from health.models import HealthDay, HealthScore, Measure, NamedScore, Override, Profile, ProfileMeasure, Version
from health.models.score import ScoredParts
from health.queries.definitions import load_definitions
from health.queries.explained import ExplainedMeasure, HealthExplanation, LeftOut

TREND_DAYS = 28


@dataclass(frozen=True, slots=True)
class DayOfHealth:
    """One score of an account on one day; ``points`` by measure key, None where it was left out."""

    day: date
    score: float | None
    computed_score: float | None
    band: str
    profile: Profile
    is_overridden: bool
    formula_shift: float | None
    points: Mapping[str, float | None]

    @property
    def version(self) -> Version:
        return self.profile.version


def explain_health(
    *,
    account: Account,
    named: str = NamedScore.OVERALL,
    on: date | None = None,
    now: datetime | None = None,
    trend_days: int = TREND_DAYS,
) -> HealthExplanation | None:
    """One score of the account now, or on the last day with one up to ``on``; None when it had none.

    ``named`` is the key of a named score. ``now`` is the instant that staleness is told for, the clock's when
    left out; for a day it is that day's end. ``trend_days`` is how far back the trend of each measure goes.
    """
    row: HealthScore | HealthDay | None
    if on is None:
        row = HealthScore.objects.of(named).filter(account=account).select_related("named", "profile__version").first()
        moment = now or clock.now()
    else:
        days = HealthDay.objects.of(named).filter(account=account, day__lte=on)
        row = days.select_related("named", "profile__version").order_by("-day").first()
    if row is None:
        return None
    if isinstance(row, HealthDay):
        moment = clock.start_of_day(row.day + timedelta(days=1), Workspace.current().zone)
    until = row.day if isinstance(row, HealthDay) else None
    is_current = isinstance(row, HealthScore)
    return HealthExplanation(
        account_id=account.pk,
        named=row.named,
        profile=row.profile,
        day=until,
        score=row.score,
        computed_score=row.computed_score if row.override_id else row.score,
        override=Override.objects.filter(pk=row.override_id).select_related("author").first()
        if row.override_id
        else None,
        band=row.band,
        since=row.since if isinstance(row, HealthScore) else None,
        computed_at=row.computed_at if isinstance(row, HealthScore) else None,
        measures=tuple(
            explain_parts(
                row,
                parts_of([row.profile_id])[row.profile_id],
                moment=moment,
                days=health_history(account=account, named=named, days=trend_days, until=until) if trend_days else (),
                problems=_problems(row.profile) if is_current else {},
            )
        ),
    )


def health_history(
    *, account: Account, days: int, named: str = NamedScore.OVERALL, until: date | None = None
) -> list[DayOfHealth]:
    """The last ``days`` days with a score, oldest first, up to ``until`` or the latest; two queries."""
    rows = HealthDay.objects.of(named).filter(account=account)
    if until is not None:
        rows = rows.filter(day__lte=until)
    latest = list(reversed(rows.select_related("profile__version").order_by("-day")[:days]))
    parts = parts_of({row.profile_id for row in latest})
    return [
        DayOfHealth(
            day=row.day,
            score=row.score,
            computed_score=row.computed_score if row.override_id else row.score,
            band=row.band,
            profile=row.profile,
            is_overridden=row.override_id is not None,
            formula_shift=row.formula_shift,
            points=dict(zip((part.measure.key for part in parts[row.profile_id]), row.points, strict=True)),
        )
        for row in latest
    ]


def parts_of(profile_ids: Collection[int]) -> dict[int, list[ProfileMeasure]]:
    """The measures of each profile in the order in which its scores keep their parts; one query."""
    found: dict[int, list[ProfileMeasure]] = {pk: [] for pk in profile_ids}
    for part in ProfileMeasure.objects.filter(profile__in=profile_ids).select_related("measure").order_by("id"):
        found[part.profile_id].append(part)
    return found


def explain_parts(
    row: ScoredParts,
    parts: Sequence[ProfileMeasure],
    *,
    moment: datetime,
    days: Sequence[DayOfHealth] = (),
    problems: Mapping[int, str] | None = None,
) -> Iterable[ExplainedMeasure]:
    """Take a kept score apart. ``problems`` has what is wrong with measures that were left out as broken, by id."""
    catalogue = Catalogue()
    total = sum(float(part.weight) for part, points in zip(parts, row.points, strict=True) if points is not None)
    for part, value, points, heard in zip(parts, row.values, row.points, row.heard, strict=True):
        measure = part.measure
        source = catalogue.get(measure.attribute)
        curve = read_curve(measure.curve)
        weight = float(part.weight)
        heard_at = datetime.fromtimestamp(heard * 60, UTC) if heard is not None else None
        problem = (problems or {}).get(measure.pk, "")
        yield ExplainedMeasure(
            part=part,
            source=source,
            curve=curve,
            value=read_value(value, curve, is_boolean=source is not None and source.type == Type.BOOLEAN),
            kept=value,
            points=points,
            contribution=None if points is None else weight * points / total,
            cost=None if points is None else weight * (100 - points) / total,
            heard_at=heard_at,
            is_stale=points is not None and is_stale(heard_at, measure.stale_after_days, moment),
            left_out=None if points is not None else LeftOut.BROKEN if problem else _why_without(measure, value),
            trend=tuple(day.points.get(measure.key) for day in days),
            problem=problem,
        )


def _why_without(measure: Measure, value: float | None) -> LeftOut:
    """Why a part without points has none, from the number that a score keeps of its value."""
    if value is None:
        # Where a missing value has points, only a measure that could not be scored goes without.
        return LeftOut.MISSING if measure.missing == Measure.Missing.LEAVE_OUT else LeftOut.BROKEN
    return LeftOut.NOT_APPLICABLE if isnan(value) else LeftOut.UNSCORED


def read_value(kept: float | None, curve: Curve, *, is_boolean: bool) -> Any:
    """What was found, from the number that a score keeps of it (see ``ScoredParts``); None when nothing was."""
    if kept is None or isnan(kept):
        return None
    if not isinstance(curve, Table):
        return kept
    name = curve.name(kept)
    return name == "true" if is_boolean and name is not None else name


def is_stale(heard_at: datetime | None, after_days: int | None, moment: datetime) -> bool:
    """Whether a source that was last heard then is too old at ``moment``."""
    return heard_at is not None and after_days is not None and heard_at < moment - timedelta(days=after_days)


def _problems(profile: Profile) -> dict[int, str]:
    """What is wrong with the measures of a profile that cannot be scored, by measure id."""
    found = load_definitions(profile.version).problems
    return {problem.measure.pk: problem.message for problem in found if problem.measure}
