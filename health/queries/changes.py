"""What changed a score between two days: what the account did, another segment, another formula, or an override."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from accounts.models import Account
from health.models import NamedScore, Profile, ProfileMeasure, Version
from health.queries.attribution import Fact, Scored, applied, effects, fact_of, score_of, scored_rows
from health.queries.explain import explain_health, parts_of
from health.queries.explained import ExplainedMeasure, HealthExplanation

NOTHING = 1e-9


class Cause(StrEnum):
    """Why a score moved."""

    BEHAVIOUR = "behaviour"
    SEGMENT = "segment"
    FORMULA = "formula"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Split:
    """Points of the score by cause; they add up to the difference."""

    behaviour: float = 0.0
    segment: float = 0.0
    formula: float = 0.0
    override: float = 0.0

    @property
    def total(self) -> float:
        return self.behaviour + self.segment + self.formula + self.override

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes that had a part in it, the strongest first."""
        amounts = {cause: abs(getattr(self, cause)) for cause in Cause}
        return tuple(sorted((cause for cause in Cause if amounts[cause] > NOTHING), key=lambda cause: -amounts[cause]))


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """One measure on both days, None where the formula of the day has no such measure, and what it did to the score.

    ``found_before`` and ``found_after`` is what was found on each day as far as the first formula asks for it, None
    where it does not. ``split`` is by how much it moved the score and why (see ``attribution.effects``); those of all
    measures and the override's add up to the difference. ``contribution_change`` is the plain difference of its
    contributions, which moves with the weight of the others too.
    """

    before: ExplainedMeasure | None
    after: ExplainedMeasure | None
    found_before: Fact | None
    found_after: Fact | None
    split: Split

    @property
    def latest(self) -> ExplainedMeasure:
        """The measure as it was last known."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def key(self) -> str:
        return self.latest.key

    @property
    def label(self) -> str:
        return self.latest.label

    @property
    def contribution_change(self) -> float:
        before, after = (row.contribution if row else None for row in (self.before, self.after))
        return (after or 0.0) - (before or 0.0)

    @property
    def cause(self) -> Cause | None:
        """What moved the score most by way of this measure; None when nothing did."""
        return next(iter(self.split.causes), None)

    @property
    def has_moved(self) -> bool:
        """Whether something else was found than before, whatever the formulas make of it."""
        return self.found_before != self.found_after


@dataclass(frozen=True, slots=True)
class HealthChange:
    """One score of an account on two days, and what lies between.

    ``before`` is None when there was no score yet up to the first day, ``after`` when there is none any more.
    ``split`` and those of the measures are by how much it moved and why; ``split`` is None when one of the days has
    no score, as then there is no difference. ``versions`` came into force in between, the oldest first.
    """

    account: Account
    named: NamedScore
    since: date
    until: date | None
    before: HealthExplanation | None
    after: HealthExplanation | None
    split: Split | None
    measures: tuple[MeasureChange, ...]
    versions: tuple[Version, ...]

    @property
    def difference(self) -> float | None:
        """The score after less the score before; None when one of them is not known."""
        scores = [day.score if day else None for day in (self.before, self.after)]
        return None if None in scores else (scores[1] or 0.0) - (scores[0] or 0.0)

    @property
    def computed_difference(self) -> float | None:
        """The difference of what was computed, overrides aside."""
        scores = [day.computed_score if day else None for day in (self.before, self.after)]
        return None if None in scores else (scores[1] or 0.0) - (scores[0] or 0.0)

    @property
    def facts_stayed(self) -> bool:
        """Whether everything that was found on both days is the same."""
        return not any(row.has_moved for row in self.measures)


def what_changed(
    *, account: Account, since: date, until: date | None = None, named: str = NamedScore.OVERALL, now: datetime
) -> HealthChange | None:
    """What moved a score from the end of ``since`` to the end of ``until``, or to ``now``; None without any score.

    A day without a score of its own counts as the last one before it that has one. With f, x the formula and the
    facts of the first day, f', x' those of the second: behaviour is f(x') - f(x), and f'(x') - f(x') the segment's
    and the formula's, between which stands the first formula's profile of the second segment where both formulas
    have both. What only one formula looks at keeps the value known for it (see ``attribution.applied``); when the
    first formula finds nothing to score in x', its replacement made all the difference. The override's is the rest.
    """
    before = explain_health(account=account, named=named, on=since, now=now, trend_days=0)
    after = explain_health(account=account, named=named, on=until, now=now, trend_days=0)
    known = after or before
    if known is None:
        return None
    start, end = (scored_rows(day.measures) if day else [] for day in (before, after))
    # A profile of its own is asked again: what is known of the facts of the second day.
    is_same = before is not None and after is not None and before.profile == after.profile
    moved = end if is_same else applied([row.part for row in start], later=end, earlier=start)
    steps = _steps(before, after, start, moved, end) if before and after else {}
    return HealthChange(
        account=account,
        named=known.named,
        since=since,
        until=until,
        before=before,
        after=after,
        split=_split(before, after, steps) if before and after else None,
        measures=_measures(before, after, {row.key: row.fact for row in moved}, steps),
        versions=_versions(before, after),
    )


def _steps(
    before: HealthExplanation,
    after: HealthExplanation,
    start: Sequence[Scored],
    moved: Sequence[Scored],
    end: Sequence[Scored],
) -> dict[Cause, dict[str, float]]:
    """The effects of each cause by measure key; empty when one of the days has nothing computed.

    ``moved`` is the first day's profile over the facts of the second.
    """
    if before.computed_score is None or after.computed_score is None:
        return {}
    if before.profile == after.profile:
        return {Cause.BEHAVIOUR: effects(start, end)}
    cause = Cause.SEGMENT if before.profile.version_id == after.profile.version_id else Cause.FORMULA
    if score_of(moved) is None:
        return {cause: effects(start, end)}
    found = {Cause.BEHAVIOUR: effects(start, moved)}
    if cause == Cause.FORMULA:
        between = applied(_profile_between(before.profile, after.profile), later=end, earlier=start)
        known = {row.key for row in (*start, *end)}
        if score_of(between) is not None and all(row.key in known for row in between):
            return {**found, Cause.SEGMENT: effects(moved, between), Cause.FORMULA: effects(between, end)}
    return {**found, cause: effects(moved, end)}


def _profile_between(before: Profile, after: Profile) -> list[ProfileMeasure]:
    """The parts of the first version's profile of the second segment; none unless the account moved by itself.

    It did when both versions have a profile for both segments: otherwise the formula decided where it belongs.
    """
    if before.segment_id == after.segment_id:
        return []
    found = Profile.objects.filter(
        version__in=(before.version_id, after.version_id),
        segment__in=(before.segment_id, after.segment_id),
        named=before.named_id,
    )
    by_place = {(profile.version_id, profile.segment_id): profile.pk for profile in found}
    if len(by_place) < 4:
        return []
    pk = by_place[before.version_id, after.segment_id]
    return parts_of([pk])[pk]


def _split(
    before: HealthExplanation, after: HealthExplanation, steps: Mapping[Cause, Mapping[str, float]]
) -> Split | None:
    if before.score is None or after.score is None:
        return None
    by_cause = {cause.value: sum(found.values()) for cause, found in steps.items()}
    return Split(**by_cause, override=after.score - before.score - sum(by_cause.values()))


def _measures(
    before: HealthExplanation | None,
    after: HealthExplanation | None,
    moved: Mapping[str, Fact],
    steps: Mapping[Cause, Mapping[str, float]],
) -> tuple[MeasureChange, ...]:
    """Every measure of both days and of the profile between, what moved the score most coming first."""
    then = {row.key: row for row in before.measures} if before else {}
    now = {row.key: row for row in after.measures} if after else {}
    found = [
        MeasureChange(
            before=then.get(key),
            after=now.get(key),
            found_before=fact_of(then[key]) if key in then else None,
            found_after=moved.get(key),
            split=Split(**{cause.value: by.get(key, 0.0) for cause, by in steps.items()}),
        )
        for key in {**now, **then}
    ]
    return tuple(sorted(found, key=lambda row: -abs(row.split.total)))


def _versions(before: HealthExplanation | None, after: HealthExplanation | None) -> tuple[Version, ...]:
    """The versions that came into force after that of the first day, up to that of the second."""
    if before is None or after is None or before.profile.version_id == after.profile.version_id:
        return ()
    first, last = before.profile.version, after.profile.version
    found = Version.objects.published().filter(effective_at__gt=first.effective_at, effective_at__lte=last.effective_at)
    return tuple(found.select_related("author", "published_by").order_by("effective_at", "number"))
