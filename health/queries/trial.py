"""A formula tried on a few accounts without keeping anything: what they would score, and what a measure would see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isnan
from typing import Any

from accounts.attributes import Catalogue, Context, Scope, Type
from accounts.conditions import parse
from common.sql import SQL, join, rows, value
from health.curves import Table, read_curve
from health.models import HealthDay, Measure, NamedScore, Profile, ProfileMeasure
from health.queries.definitions import Definitions, Part, ReadyMeasure, ReadyProfile, ScoreDefinition
from health.queries.explain import parts_of, read_value
from health.queries.recorded import AppliedFormula, apply_recorded
from health.queries.scored import scored

UNSAVED = 0
"""Stands for the id of a measure that is not kept yet."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A score that an account would have, and its band (empty without a score)."""

    profile: Profile
    score: float | None
    band: str


def band_of(score: float | None, profile: Profile) -> str:
    """The band that a score falls into."""
    if score is None:
        return ""
    return "good" if score >= profile.good_from else "watch" if score >= profile.watch_from else "poor"


def try_scores(definition: ScoreDefinition, account_ids: Collection[int], *, context: Context) -> dict[int, Tried]:
    """What each of the live accounts that a profile decides would score; overrides aside. One query."""
    profiles = {ready.profile.pk: ready.profile for ready in definition.profiles}
    query = scored(definition, scope=Scope.ids(account_ids), context=context)
    return {
        row[0]: Tried(profiles[row[1]], row[2], band_of(row[2], profiles[row[1]]))
        for row in (rows(query) if account_ids else [])
    }


def try_measures(
    measures: Sequence[ReadyMeasure], account_ids: Collection[int], *, context: Context
) -> dict[int, list[tuple[Any, float | None]]]:
    """The value and the points of each measure for each live account; the points are None where it is left out.
    One query."""
    profile = Profile(pk=UNSAVED, good_from=70, watch_from=40)
    parts = tuple(Part(ready.measure, 1.0, ready) for ready in measures)
    alone = ScoreDefinition(NamedScore(), (ReadyProfile(profile, parse({"all": []}), parts),), ())
    found = rows(scored(alone, scope=Scope.ids(account_ids), context=context)) if account_ids and measures else []
    return {
        row[0]: [
            (read_value(kept, ready.curve, is_boolean=ready.attribute.type == Type.BOOLEAN), points)
            for ready, kept, points in zip(measures, row[3], row[4], strict=True)
        ]
        for row in found
    }


def with_measure(
    definitions: Definitions, edited: ReadyMeasure, weights: Mapping[int, float | None] | None = None
) -> Definitions:
    """The definitions as they were if a measure were kept as ``edited``.

    ``weights`` has its weight in profiles by their id, None for one that does not use it; as they are when left out.
    """

    def changed(ready: ReadyProfile) -> ReadyProfile:
        parts = list(ready.parts)
        place = next((n for n, part in enumerate(parts) if part.measure.pk == edited.measure.pk), len(parts))
        weight = parts[place].weight if place < len(parts) else None
        weight = weight if weights is None else weights.get(ready.profile.pk)
        parts[place : place + 1] = [] if weight is None else [Part(edited.measure, weight, edited)]
        return replace(ready, parts=tuple(parts))

    scores = tuple(
        replace(score, profiles=tuple(changed(ready) for ready in score.profiles)) for score in definitions.scores
    )
    return replace(definitions, scores=scores)


@dataclass(frozen=True, slots=True)
class TriedDay:
    """An account that has left, on the last day with a score: as it was told then, and as it would be told.

    ``values`` are what was seen then, by attribute, and ``unknown`` the keys of measures that nothing was recorded
    for: those are left out of ``tried``, which is None where no profile is for the account's segment.
    """

    day: date
    score: float | None
    band: str
    tried: Tried | None
    values: Mapping[str, Any]
    unknown: tuple[str, ...]


def try_last_day(definition: ScoreDefinition, account_ids: Collection[int]) -> dict[int, TriedDay]:
    """Accounts that have left, judged by what was recorded on their last day; three queries.

    The profile is the one of the segment that decided then, since nobody can tell any more who was in which.
    """
    days = (
        HealthDay.objects.filter(named=definition.named, account__in=account_ids)
        .select_related("profile")
        .order_by("account_id", "-day")
        .distinct("account_id")
    )
    latest = list(days)
    parts = parts_of({row.profile_id for row in latest})
    by_segment = {ready.profile.segment_id: ready for ready in definition.profiles}
    formulas = {
        row.account_id: apply_recorded(by_segment.get(row.profile.segment_id), parts[row.profile_id], "a")
        for row in latest
    }
    scores = _apply(latest, formulas)
    found = {}
    for row in latest:
        ready = by_segment.get(row.profile.segment_id)
        score = scores.get(row.account_id)
        found[row.account_id] = TriedDay(
            row.day,
            row.score,
            row.band,
            Tried(ready.profile, score, band_of(score, ready.profile)) if ready else None,
            _values(row, parts[row.profile_id]),
            formulas[row.account_id].unknown,
        )
    return found


def _apply(latest: Sequence[HealthDay], formulas: Mapping[int, AppliedFormula]) -> dict[int, float | None]:
    """The score that its formula gives each of the recorded days, by account."""
    pieces = [
        SQL(
            f"SELECT account_id, {formulas[row.account_id].score} FROM (SELECT {{}} FROM health_healthday r"
            f" WHERE r.account_id = {row.account_id} AND r.named_id = {row.named_id} AND r.day = {{}} OFFSET 0) pointed"
        ).format(join(", ", [SQL("r.account_id"), *formulas[row.account_id].points]), value(row.day))
        for row in latest
    ]
    return dict(rows(join(" UNION ALL ", pieces))) if pieces else {}


def _values(row: HealthDay, parts: Sequence[ProfileMeasure]) -> dict[str, Any]:
    """What was seen on a recorded day, by attribute; what made no sense for the account is not in it."""
    catalogue = Catalogue()
    values = {}
    for part, kept in zip(parts, row.values, strict=True):
        attribute = catalogue.get(part.measure.attribute)
        is_boolean = attribute is not None and attribute.type == Type.BOOLEAN
        if kept is None or not isnan(kept):
            values[part.measure.attribute] = read_value(kept, read_curve(part.measure.curve), is_boolean=is_boolean)
    return values


def points_of(ready: ReadyMeasure, found: Any) -> float | None:
    """The points of a value as people read it; None where the measure is then left out."""
    points = None
    if found is not None and isinstance(ready.curve, Table):
        name = {True: "true", False: "false"}.get(found, found)
        points = dict(ready.curve.points_of).get(name)
    elif found is not None:
        points = ready.curve.points(float(found))
    if points is None:
        return {Measure.Missing.NEUTRAL: 50.0, Measure.Missing.WORST: 0.0}.get(Measure.Missing(ready.measure.missing))
    return points
