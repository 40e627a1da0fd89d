"""What one formula makes of the facts of another day, and how much of a difference each measure made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from health.curves import Curve, Table, read_curve
from health.models import Measure, ProfileMeasure
from health.queries.explained import ExplainedMeasure, LeftOut


class State(StrEnum):
    """What is known of a measure."""

    KNOWN = "known"
    MISSING = "missing"
    UNNAMED = "unnamed"
    NOT_APPLICABLE = "not_applicable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Fact:
    """What was found for a measure: a number, or a choice by name; nothing but a ``state`` when it is not known.

    ``UNNAMED`` is a choice that the curve does not name, ``BROKEN`` what could not be scored at all.
    """

    state: State
    value: float | str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One measure of a profile with what was found, and the points that it has for that; None when left out."""

    part: ProfileMeasure
    curve: Curve
    fact: Fact
    points: float | None

    @property
    def key(self) -> str:
        return self.part.measure.key

    @property
    def weight(self) -> float:
        return float(self.part.weight)


def fact_of(row: ExplainedMeasure) -> Fact:
    """What a score kept of one measure."""
    if row.left_out == LeftOut.BROKEN:
        return Fact(State.BROKEN)
    if row.kept is None:
        return Fact(State.MISSING)
    if isnan(row.kept):
        return Fact(State.NOT_APPLICABLE)
    if not isinstance(row.curve, Table):
        return Fact(State.KNOWN, row.kept)
    name = row.curve.name(row.kept)
    return Fact(State.UNNAMED) if name is None else Fact(State.KNOWN, name)


def scored_rows(rows: Iterable[ExplainedMeasure]) -> list[Scored]:
    """The measures of a kept score."""
    return [Scored(row.part, row.curve, fact_of(row), row.points) for row in rows]


def score_of(rows: Iterable[Scored]) -> float | None:
    """``sum(weight * points) / sum(weight)`` over the measures that have points; None without any."""
    counted = [(row.weight, row.points) for row in rows if row.points is not None]
    total = sum(weight for weight, _points in counted)
    return sum(weight * points for weight, points in counted) / total if counted else None


def applied(parts: Iterable[ProfileMeasure], *, later: Sequence[Scored], earlier: Sequence[Scored]) -> list[Scored]:
    """The measures of a profile over the facts of the later day.

    Where the later day does not tell, because its formula has no such measure or asks another question, the fact of
    the earlier day stays. What neither tells is left out.
    """
    return [_apply(part, later, earlier) for part in parts]


def _apply(part: ProfileMeasure, later: Sequence[Scored], earlier: Sequence[Scored]) -> Scored:
    curve = read_curve(part.measure.curve)
    before, after = _like(part.measure, earlier), _like(part.measure, later)
    for source in (before if _asks_otherwise(part.measure, before, after) else after, before):
        if source is None or not _tells(source, curve):
            continue
        return Scored(part, curve, source.fact, _points(source.fact, curve, part.measure))
    return Scored(part, curve, Fact(State.BROKEN), None)


def _like(measure: Measure, rows: Sequence[Scored]) -> Scored | None:
    """The row that is about the same attribute; the one of the same measure when there are several."""
    found = [row for row in rows if row.part.measure.attribute == measure.attribute]
    return next((row for row in found if row.key == measure.key), found[0] if found else None)


def _asks_otherwise(measure: Measure, before: Scored | None, after: Scored | None) -> bool:
    """Whether the later day's answer to where the measure applies is one to another condition."""
    if before is None or after is None or after.part.measure.applies_when == measure.applies_when:
        return False
    return State.NOT_APPLICABLE in (before.fact.state, after.fact.state)


def _tells(source: Scored, curve: Curve) -> bool:
    """Whether a fact that was kept by the curve of ``source`` can be read by ``curve``."""
    if source.fact.state not in (State.KNOWN, State.UNNAMED):
        return True
    if not isinstance(curve, Table) or not isinstance(source.curve, Table):
        return isinstance(curve, Table) == isinstance(source.curve, Table)
    # What one curve does not name may be what the other one does.
    return source.fact.state == State.KNOWN or dict(curve.points_of).keys() <= dict(source.curve.points_of).keys()


def _points(fact: Fact, curve: Curve, measure: Measure) -> float | None:
    """The points of a fact, as computing has them."""
    if fact.state in (State.NOT_APPLICABLE, State.BROKEN):
        return None
    if isinstance(fact.value, str):
        named = dict(curve.points_of) if isinstance(curve, Table) else {}
        if fact.value in named:
            return named[fact.value]
    elif fact.value is not None:
        return curve.points(fact.value)
    return {Measure.Missing.NEUTRAL: 50.0, Measure.Missing.WORST: 0.0}.get(Measure.Missing(measure.missing))


def effects(before: Sequence[Scored], after: Sequence[Scored]) -> dict[str, float]:
    """By how much each measure moved the score from ``before`` to ``after``, both of which have one; by measure key.

    With S the score before, w and p weight and points (w = 0 where left out), and c the factor by which weights
    differ between the profiles in general,

        effect = (w' (p' - S) - c w (p - S)) / sum of w'

    They add up to the difference, since w (p - S) adds up to 0. Unlike differences of contributions they are 0 for
    a measure that stayed as it was when another one came, went or weighs more.
    """
    start, end = score_of(before), score_of(after)
    if start is None or end is None:
        raise ValueError("only a difference between two scores can be taken apart")
    factor = _factor(before, after)
    total = sum(row.weight for row in after if row.points is not None)
    found = {row.key: 0.0 for row in (*before, *after)}
    for row in before:
        if row.points is not None:
            found[row.key] -= factor * row.weight * (row.points - start) / total
    for row in after:
        if row.points is not None:
            found[row.key] += row.weight * (row.points - start) / total
    # Where weights differ by many orders of magnitude, sums lose digits; the largest effect takes what was lost.
    largest = max(found, key=lambda key: abs(found[key]))
    found[largest] += end - start - sum(found.values())
    return found


def _factor(before: Sequence[Scored], after: Sequence[Scored]) -> float:
    """By how much weights differ in general: what most measures share, so that the others are those that changed."""
    weights: Mapping[str, float] = {row.key: row.weight for row in before}
    ratios = Counter(round(row.weight / weights[row.key], 9) for row in after if row.key in weights)
    if not ratios:
        return 1.0
    most = max(ratios.values())
    return min((ratio for ratio, count in ratios.items() if count == most), key=lambda ratio: abs(ratio - 1))
