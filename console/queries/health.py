"""Who moved in health and by what, and what scores are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, FloatField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.models import Account, User, Workspace
from health.models import HealthDay, HealthScore, Measure, NamedScore, Profile, ProfileMeasure, Sweep, Version
from health.models.score import ScoredParts
from health.queries import Problem, load_definitions
from health.queries.explain import parts_of

MOVED_OVER = timedelta(days=7)
MOVERS = 8
SMALLEST_MOVE = 1.0
BY_HAND = ""
"""Stands among the keys of measures for what a score set by hand adds; no measure has an empty key."""


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score moved: before and now, and the measure that moved it most, by so many points.

    ``stale`` of the ``inputs`` of the score now are older than they should be.
    """

    account: Account
    before: float
    now: float
    band: str
    stale: int
    inputs: int
    measure: str
    by: float

    @property
    def change(self) -> float:
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Movers:
    """The biggest drops and rises since ``since``; ``is_known`` is false while there is no history of that day."""

    since: date
    drops: tuple[Mover, ...]
    rises: tuple[Mover, ...]
    is_known: bool


def movers(user: User, named: NamedScore, *, now: datetime) -> Movers:
    """Who of the live accounts that ``user`` may see moved most within a week; at most six queries."""
    since = Workspace.current().day(now) - MOVED_OVER
    scores = (
        HealthScore.objects.filter(named=named)
        .filter(account__in=Account.objects.visible_to(user).live())
        .filter(account__health_days__named=F("named"), account__health_days__day=since)
        .annotate(before=F("account__health_days__score"))
        .annotate(change=Cast(F("score") - F("before"), FloatField()))
        .select_related("account__owner")
    )
    drops = list(scores.filter(change__lte=-SMALLEST_MOVE).order_by("change", "account_id")[:MOVERS])
    rises = list(scores.filter(change__gte=SMALLEST_MOVE).order_by("-change", "account_id")[:MOVERS])
    moved = [score.account_id for score in (*drops, *rises)]
    days = {day.account_id: day for day in HealthDay.objects.filter(named=named, day=since, account__in=moved)}
    parts = parts_of({row.profile_id for row in (*drops, *rises, *days.values())})
    return Movers(
        since=since,
        drops=tuple(_mover(score, days[score.account_id], parts) for score in drops),
        rises=tuple(_mover(score, days[score.account_id], parts) for score in rises),
        is_known=bool(drops or rises) or HealthDay.objects.filter(named=named, day=since).exists(),
    )


def _mover(score: HealthScore, day: HealthDay, parts: Mapping[int, Sequence[ProfileMeasure]]) -> Mover:
    before, now = contributions(day, parts[day.profile_id]), contributions(score, parts[score.profile_id])
    labels = {p.measure.key: p.measure.label for p in (*parts[day.profile_id], *parts[score.profile_id])}
    labels[BY_HAND] = _("a score set by hand")
    changes = {key: now.get(key, 0.0) - before.get(key, 0.0) for key in {**before, **now}}
    falling = (score.score or 0.0) < (day.score or 0.0)
    most = (min if falling else max)(changes, key=lambda key: changes[key], default="")
    return Mover(
        account=score.account,
        before=day.score or 0.0,
        now=score.score or 0.0,
        band=score.band,
        stale=score.stale,
        inputs=sum(points is not None for points in score.points),
        measure=labels.get(most, most),
        by=changes.get(most, 0.0),
    )


def contributions(row: ScoredParts, parts: Sequence[ProfileMeasure]) -> dict[str, float]:
    """What each measure adds to a kept score, in points, by measure key; ``BY_HAND`` for what a person added."""
    counted = [(part, points) for part, points in zip(parts, row.points, strict=True) if points is not None]
    total = sum(float(part.weight) for part, _points in counted)
    found = {part.measure.key: float(part.weight) * points / total for part, points in counted}
    if row.override_id is not None and row.score is not None:
        found[BY_HAND] = row.score - (row.computed_score or 0.0)
    return found


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """One measure: what it is taken from in words (None when that is gone), and its weight in each profile."""

    measure: Measure
    attribute: str | None
    unit: str
    weights: tuple[tuple[Profile, float], ...]


@dataclass(frozen=True, slots=True)
class WeighedMeasure:
    """One measure within a profile: its weight, and the share of the whole that it has when nothing is left out."""

    shown: ShownMeasure
    weight: float
    share: float


def shown_measures(version: Version | None, *, catalogue: Catalogue | None = None) -> list[ShownMeasure]:
    """Every measure of a version with where it is used; three queries, and one for each family of attributes."""
    catalogue = catalogue or Catalogue()
    measures = Measure.objects.filter(version=version).prefetch_related("profile_measures__profile__segment")
    measures = measures.order_by("group", "label")
    shown = []
    for measure in measures:
        attribute = catalogue.get(measure.attribute)
        shown.append(
            ShownMeasure(
                measure=measure,
                attribute=str(attribute.label) if attribute else None,
                unit=str(attribute.unit) if attribute else "",
                weights=tuple((row.profile, float(row.weight)) for row in measure.profile_measures.all()),
            )
        )
    return shown


def weighed(profile: Profile, measures: Sequence[ShownMeasure]) -> list[WeighedMeasure]:
    """The measures of one profile, the heaviest first."""
    used = [(shown, weight) for shown in measures for other, weight in shown.weights if other == profile]
    total = sum(weight for _shown, weight in used)
    rows = [WeighedMeasure(shown, weight, weight / total) for shown, weight in used]
    return sorted(rows, key=lambda row: -row.weight)


def problems(version: Version | None) -> tuple[Problem, ...]:
    """What health is computed without at present, and why."""
    return load_definitions(version).problems


def last_sweep() -> datetime | None:
    """When the whole base was last computed."""
    return (
        Sweep.objects.order_by("-finished_at").values_list("finished_at", flat=True).exclude(finished_at=None).first()
    )
