"""The definitions in force: every profile with its measures, checked; what is broken is set aside and named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Catalogue
from accounts.conditions import ConditionError, Node, parse
from accounts.conditions.parse import leaves
from health.curves import BadCurve, Curve, parse_curve
from health.models import Measure, Profile, ProfileMeasure


@dataclass(frozen=True, slots=True)
class WeightedMeasure:
    """A measure as one profile uses it."""

    measure: Measure
    attribute: Attribute
    curve: Curve
    weight: float


@dataclass(frozen=True, slots=True)
class ReadyProfile:
    """A profile whose segment can be decided, with those of its measures that can be scored."""

    profile: Profile
    segment: Node
    measures: tuple[WeightedMeasure, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that health is computed without until it is mended: a measure, or a whole profile."""

    message: str
    measure: Measure | None = None
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Definitions:
    """Profiles in the order in which their segments decide, and what had to be set aside.

    Scores of a profile that is set aside stay as they are: nobody can tell which accounts it decides.
    """

    profiles: tuple[ReadyProfile, ...]
    problems: tuple[Problem, ...]

    @property
    def set_aside(self) -> list[int]:
        """The ids of the profiles that cannot be computed."""
        return [problem.profile.pk for problem in self.problems if problem.profile]


def depends_on_health(key: str) -> bool:
    """Whether an attribute is computed from health, so that health cannot be computed from it."""
    return key == "health" or key.startswith("health.")


def load_definitions(*, failing: Collection[str] = (), catalogue: Catalogue | None = None) -> Definitions:
    """What health is computed from now. ``failing`` names attributes whose values cannot be read."""
    catalogue = catalogue or Catalogue()
    problems: list[Problem] = []
    checked: dict[int, tuple[Attribute, Curve]] = {}
    for measure in Measure.objects.filter(profile_measures__isnull=False).distinct():
        try:
            checked[measure.pk] = check_measure(measure, failing=failing, catalogue=catalogue)
        except BadCurve as error:
            problems.append(Problem(str(error), measure=measure))
    used: dict[int, list[ProfileMeasure]] = {}
    for row in ProfileMeasure.objects.select_related("measure").order_by("id"):
        used.setdefault(row.profile_id, []).append(row)
    ready = []
    for profile in Profile.objects.select_related("segment").order_by("segment__priority"):
        try:
            segment = check_segment(profile.segment.condition, failing=failing, catalogue=catalogue)
        except ConditionError as error:
            problems.append(Problem(error.message, profile=profile))
            continue
        measures = tuple(
            WeightedMeasure(row.measure, *checked[row.measure_id], weight=float(row.weight))
            for row in used.get(profile.pk, [])
            if row.measure_id in checked
        )
        ready.append(ReadyProfile(profile, segment, measures))
    return Definitions(tuple(ready), tuple(problems))


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


def check_measure(measure: Measure, *, catalogue: Catalogue, failing: Collection[str] = ()) -> tuple[Attribute, Curve]:
    """The attribute and the curve of a measure; raises BadCurve when it cannot be scored."""
    attribute = check_attribute(measure.attribute, catalogue=catalogue, failing=failing)
    return attribute, parse_curve(measure.curve, attribute)


def check_segment(condition: object, *, catalogue: Catalogue, failing: Collection[str] = ()) -> Node:
    """The tree of a segment that may decide a profile; raises ConditionError when it may not."""
    node = parse(condition, catalogue=catalogue)
    for leaf in leaves(node):
        key = leaf.attribute.key
        if depends_on_health(key):
            message = _("A segment with a profile cannot depend on health: “%(key)s” is computed from the profile.")
        elif key in failing:
            message = _("The values of “%(key)s” cannot be read; correct them, or leave it out of the segment.")
        else:
            continue
        raise ConditionError(message % {"key": key}, code="segment_not_decidable", fields={leaf.path: message})
    return node
