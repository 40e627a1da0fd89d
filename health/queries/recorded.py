"""Formulas applied to what was recorded on days before: the values that scores of those days were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.sql import SQL, join, value
from health.curves import Curve, Table, number, read_curve
from health.models import ProfileMeasure
from health.queries.definitions import Part, ReadyMeasure, ReadyProfile, ScoreDefinition
from health.queries.scored import MISSING

NO_SCORE = "NULL::float8"


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a record has the value that a measure needs: its place from 1 on, and the curve it was scored by."""

    place: int
    curve: Curve


@dataclass(frozen=True, slots=True)
class AppliedFormula:
    """One formula over the records of one profile: each measure's points, the score of them, and what is unknown."""

    points: tuple[SQL, ...]
    score: str
    unknown: tuple[str, ...]


def apply_recorded(ready: ReadyProfile | None, recorded: Sequence[ProfileMeasure], prefix: str) -> AppliedFormula:
    """``ready`` over records with the parts ``recorded``, as SQL over a relation ``r`` with a column ``values``.

    A measure takes the recorded value of the same attribute and is scored by its own curve, weight and rule for what
    is missing; where nothing of the kind was recorded it is left out and named in ``unknown``. The columns of
    ``points`` are called ``<prefix>0``, ``<prefix>1`` ..., which ``score`` refers to. Without a profile there is no
    score.
    """
    if ready is None:
        return AppliedFormula((), NO_SCORE, ())
    points: list[SQL] = []
    terms: list[str] = []
    weights: list[str] = []
    unknown: list[str] = []
    for part in ready.parts:
        found = _find(part, recorded)
        if found is None or part.ready is None:
            unknown.append(part.measure.key)
            continue
        name = f"{prefix}{len(points)}"
        points.append(SQL(f"{{}} AS {name}").format(_points(part.ready, found)))
        terms.append(f"coalesce({name} * {number(part.weight)}, 0)")
        weights.append(f"CASE WHEN {name} IS NULL THEN 0 ELSE {number(part.weight)} END")
    score = f"({' + '.join(terms)}) / nullif({' + '.join(weights)}, 0)" if terms else NO_SCORE
    return AppliedFormula(tuple(points), score, tuple(unknown))


def _find(part: Part, recorded: Sequence[ProfileMeasure]) -> _Found | None:
    """Where the record has what ``part`` needs.

    A measure that applies by a condition needs a record of the same condition: whether another one held was not
    recorded.
    """
    if part.ready is None:
        return None
    same: list[tuple[bool, _Found]] = []
    for place, other in enumerate(recorded, start=1):
        if other.measure.attribute != part.measure.attribute:
            continue
        alike = other.measure.applies_when == part.measure.applies_when
        curve = read_curve(other.measure.curve)
        if (alike or part.measure.applies_when is None) and isinstance(curve, Table) == isinstance(
            part.ready.curve, Table
        ):
            same.append((alike, _Found(place, curve)))
    return next((found for alike, found in same if alike), same[0][1] if same else None)


def _points(ready: ReadyMeasure, found: _Found) -> SQL:
    """The points of a recorded value; null where the measure did not apply."""
    column = f"r.values[{found.place}]"
    missing = MISSING[type(ready.measure).Missing(ready.measure.missing)]
    if isinstance(ready.curve, Table) and isinstance(found.curve, Table):
        scored = _renamed(found.curve, ready.curve, column, missing)
    else:
        scored = ready.curve.sql(column)
    return SQL(
        f"CASE WHEN {column} = 'NaN'::float8 THEN NULL WHEN {column} IS NULL THEN {missing} ELSE {{}} END"
    ).format(scored)


def _renamed(recorded: Table, curve: Table, column: str, missing: str) -> SQL:
    """The points by the value that stands at the recorded place; one that either table does not name is missing."""
    points_of = dict(curve.points_of)
    branches = [
        f"WHEN {column} = {number(place)} THEN {number(points_of[name])}"
        for place, (name, _points) in enumerate(recorded.points_of)
        if name in points_of
    ]
    return SQL(f"CASE {' '.join(branches)} ELSE {missing} END" if branches else missing)


def applied_to(
    records: str,
    *,
    before: ScoreDefinition,
    after: ScoreDefinition,
    recorded: Mapping[int, tuple[int, Sequence[ProfileMeasure]]],
) -> SQL:
    """The query that scores the rows of ``records`` (a relation with ``profile_id`` and ``values``) by both formulas.

    ``recorded`` has the segment and the parts of every profile that records may be of. The profile of a formula is
    that of the segment which decided the record. Columns: those of ``records``, before, after, unknown_before,
    unknown_after.
    """
    by_segment = [{ready.profile.segment_id: ready for ready in one.profiles} for one in (before, after)]
    branches = []
    for profile_id, (segment_id, parts) in recorded.items():
        old, new = (
            apply_recorded(profiles.get(segment_id), parts, prefix)
            for profiles, prefix in zip(by_segment, ("b", "a"), strict=True)
        )
        columns = [SQL("r.*"), *old.points, *new.points]
        branches.append(
            SQL(
                f"SELECT account_id, day, is_lost, {old.score} AS before, {new.score} AS after,"
                " {}::varchar[] AS unknown_before, {}::varchar[] AS unknown_after"
                f" FROM (SELECT {{}} FROM {records} r WHERE profile_id = {profile_id} OFFSET 0) pointed"
            ).format(value(list(old.unknown)), value(list(new.unknown)), join(", ", columns))
        )
    nothing = SQL(
        "SELECT NULL::bigint AS account_id, NULL::date AS day, FALSE AS is_lost, NULL::float8 AS before,"
        " NULL::float8 AS after, NULL::varchar[] AS unknown_before, NULL::varchar[] AS unknown_after WHERE FALSE"
    )
    return join(" UNION ALL ", branches) if branches else nothing
