"""What a version computes: its profiles and measures, checked; what is broken is set aside and named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Catalogue
from accounts.conditions import ConditionError, Node, parse
from accounts.conditions.parse import leaves
from health.curves import BadCurve, Curve, parse_curve
from health.models import Measure, NamedScore, Profile, ProfileMeasure, Version


@dataclass(frozen=True, slots=True)
class ReadyMeasure:
    """A measure that can be scored: its attribute, its curve, and the tree of the condition where it applies."""

    measure: Measure
    attribute: Attribute
    curve: Curve
    applies_when: Node | None


@dataclass(frozen=True, slots=True)
class Part:
    """One place among the parts of a profile's scores; ``ready`` is None while the measure cannot be scored."""

    measure: Measure
    weight: float
    ready: ReadyMeasure | None


@dataclass(frozen=True, slots=True)
class ReadyProfile:
    """A profile whose segment can be decided, with all its parts in the order in which a score keeps them."""

    profile: Profile
    segment: Node
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that health is computed without until it is mended: a measure, or a whole profile."""

    message: str
    measure: Measure | None = None
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class ScoreDefinition:
    """One named score: its profiles in the order in which their segments decide, and the ids of those set aside.

    Scores of a profile that is set aside stay as they are: nobody can tell which accounts it decides.
    """

    named: NamedScore
    profiles: tuple[ReadyProfile, ...]
    set_aside: tuple[int, ...]

    @property
    def profile_ids(self) -> list[int]:
        """The ids of all its profiles, those set aside included."""
        return [ready.profile.pk for ready in self.profiles] + list(self.set_aside)

    @property
    def measures(self) -> dict[int, ReadyMeasure]:
        """The measures that can be scored, by id, each once."""
        return {part.ready.measure.pk: part.ready for ready in self.profiles for part in ready.parts if part.ready}


@dataclass(frozen=True, slots=True)
class Definitions:
    """What one version computes, for every named score there is, and what of it had to be set aside."""

    version: Version | None
    scores: tuple[ScoreDefinition, ...]
    problems: tuple[Problem, ...]


def depends_on_health(key: str) -> bool:
    """Whether an attribute is computed from health, so that health cannot be computed from it."""
    return key == "health" or key.startswith("health.")


def definitions_in_force(now: datetime) -> Definitions:
    """What health is computed from at ``now``; nothing before a first version is in force."""
    return load_definitions(Version.objects.in_force(now))


def load_definitions(
    version: Version | None, *, failing: Collection[str] = (), catalogue: Catalogue | None = None
) -> Definitions:
    """What ``version`` computes. ``failing`` names attributes whose values cannot be read. At most four queries,
    and those of the attributes' families."""
    catalogue = catalogue or Catalogue()
    problems: list[Problem] = []
    checked: dict[int, ReadyMeasure] = {}
    parts: dict[int, list[Part]] = {}
    rows = ProfileMeasure.objects.filter(profile__version=version).select_related("measure").order_by("id")
    for measure in {row.measure_id: row.measure for row in rows}.values():
        try:
            checked[measure.pk] = check_measure(measure, failing=failing, catalogue=catalogue)
        except (BadCurve, ConditionError) as error:
            problems.append(Problem(str(error), measure=measure))
    for row in rows:
        parts.setdefault(row.profile_id, []).append(Part(row.measure, float(row.weight), checked.get(row.measure_id)))
    profiles: dict[int, list[ReadyProfile]] = {}
    aside: dict[int, list[int]] = {}
    for profile in Profile.objects.filter(version=version).select_related("segment").order_by("segment__priority"):
        try:
            segment = check_segment(profile.segment.condition, failing=failing, catalogue=catalogue)
        except ConditionError as error:
            problems.append(Problem(error.message, profile=profile))
            aside.setdefault(profile.named_id, []).append(profile.pk)
            continue
        profiles.setdefault(profile.named_id, []).append(
            ReadyProfile(profile, segment, tuple(parts.get(profile.pk, [])))
        )
    scores = tuple(
        ScoreDefinition(named, tuple(profiles.get(named.pk, [])), tuple(aside.get(named.pk, [])))
        for named in NamedScore.every()
    )
    return Definitions(version, scores, tuple(problems))


def check_attribute(key: Any, *, catalogue: Catalogue, failing: Collection[str] = ()) -> Attribute:
    """The attribute of a measure; raises BadCurve when it cannot be scored."""
    if not isinstance(key, str) or key not in catalogue:
        message = _("There is no attribute “%(key)s”.") % {"key": str(key)[:60]}
        if close := get_close_matches(str(key)[:150], list(catalogue), n=3):
            message += " " + _("Did you mean %(close)s?") % {"close": _(" or ").join(close)}
        raise BadCurve(message)
    if depends_on_health(key):
        raise BadCurve(_("A measure cannot be taken from health itself; choose another attribute."))
    if key in failing:
        raise BadCurve(
            _("The values of “%(key)s” cannot be read; correct them, or choose another attribute.") % {"key": key}
        )
    return catalogue[key]


def check_measure(measure: Measure, *, catalogue: Catalogue, failing: Collection[str] = ()) -> ReadyMeasure:
    """The measure, ready to be scored; raises BadCurve or ConditionError when it cannot be."""
    attribute = check_attribute(measure.attribute, catalogue=catalogue, failing=failing)
    curve = parse_curve(measure.curve, attribute)
    return ReadyMeasure(measure, attribute, curve, check_applies_when(measure, catalogue=catalogue, failing=failing))


def check_applies_when(measure: Measure, *, catalogue: Catalogue, failing: Collection[str] = ()) -> Node | None:
    """The tree of where a measure applies, None for everywhere; raises ConditionError when it may not be used."""
    if measure.applies_when is None:
        return None
    return _check_condition(
        measure.applies_when,
        catalogue=catalogue,
        failing=failing,
        on_health=_("A measure cannot apply by health: “%(key)s” is computed from the measures."),
    )


def check_segment(condition: object, *, catalogue: Catalogue, failing: Collection[str] = ()) -> Node:
    """The tree of a segment that may decide a profile; raises ConditionError when it may not."""
    return _check_condition(
        condition,
        catalogue=catalogue,
        failing=failing,
        on_health=_("A segment with a profile cannot depend on health: “%(key)s” is computed from the profile."),
    )


def _check_condition(condition: object, *, catalogue: Catalogue, failing: Collection[str], on_health: str) -> Node:
    node = parse(condition, catalogue=catalogue)
    for leaf in leaves(node):
        key = leaf.attribute.key
        if depends_on_health(key):
            message = on_health
        elif key in failing:
            message = _("The values of “%(key)s” cannot be read; correct them, or compare something else.")
        else:
            continue
        message %= {"key": key}
        raise ConditionError(message, code="condition_not_decidable", fields={leaf.path: message})
    return node
