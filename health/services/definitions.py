"""Defining what health is computed from. Only a draft can be changed; it counts when it is published."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.conditions import ConditionError
from accounts.models import Segment
from common.errors import Conflict, DomainError
from common.text import storable
from health.curves import BadCurve, check_direction, check_named, natural_direction, parse_curve
from health.models import Measure, NamedScore, Profile, ProfileMeasure, Version
from health.queries.definitions import check_applies_when, check_attribute, check_segment
from health.services.versions import lock_draft

HIGHEST_WEIGHT = 1000


class MeasureChanges(TypedDict, total=False):
    """What of a measure can be changed; its key stays, since history and conditions name it."""

    label: str
    description: str
    group: str
    attribute: str
    curve: Any
    direction: str
    missing: str
    stale_after_days: int | None
    applies_when: Any


class ProfileChanges(TypedDict, total=False):
    """What of a profile can be changed. ``weights`` replaces its measures: the weight of each, by measure key."""

    name: str
    named: NamedScore
    segment: Segment
    good_from: int
    watch_from: int
    weights: Mapping[str, Any]


class DefinitionError(DomainError):
    """A measure or profile that cannot be used; ``fields`` has a sentence for each field to correct."""

    code = "definition_invalid"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()), fields=fields)


@transaction.atomic
def create_measure(*, draft: Version, key: str, now: datetime, **given: Unpack[MeasureChanges]) -> Measure:
    """Define a measure in the draft; its direction is that of its curve unless given.

    Raises DefinitionError, or Conflict when the key is taken or it is no draft.
    """
    lock_draft(draft, now=now)
    measure = Measure(version=draft, key=key, **{"group": Measure.Group.USAGE, "curve": None, **given})
    if "direction" not in given and measure.attribute in (catalogue := Catalogue()):
        with suppress(BadCurve):
            measure.direction = natural_direction(parse_curve(measure.curve, catalogue[measure.attribute]))
    problems = _problems_of_key(key) | problems_of_measure(measure)
    if problems:
        raise DefinitionError(problems)
    try:
        with transaction.atomic():
            measure.save(force_insert=True)
    except IntegrityError:
        raise _taken("key", _("There is a measure “%(key)s” already; choose another key.") % {"key": key}) from None
    return measure


@transaction.atomic
def update_measure(*, measure: Measure, now: datetime, **changes: Unpack[MeasureChanges]) -> Measure:
    """Change a measure of the draft wherever it is used; raises DefinitionError, or Conflict when it is no draft."""
    lock_draft(measure.version, now=now)
    for field, given in changes.items():
        setattr(measure, field, given)
    if problems := problems_of_measure(measure):
        raise DefinitionError(problems)
    measure.save()
    return measure


@transaction.atomic
def delete_measure(*, measure: Measure, now: datetime) -> None:
    """Delete a measure of the draft that no profile uses; raises Conflict when one does, or it is no draft."""
    lock_draft(measure.version, now=now)
    try:
        measure.delete()
    except ProtectedError:
        message = _("“%(measure)s” is part of a profile; take it out there first.") % {"measure": measure.label}
        raise Conflict(message, code="measure_in_use") from None


@transaction.atomic
def create_profile(
    *,
    draft: Version,
    name: str,
    segment: Segment,
    weights: Mapping[str, Any],
    now: datetime,
    named: NamedScore | None = None,
    good_from: int = 70,
    watch_from: int = 40,
) -> Profile:
    """Define a score of a segment: the weight of each of its measures by key, and where the bands begin.

    It is the overall score unless ``named``. Raises DefinitionError, or Conflict when the segment has a profile
    for that score, or it is no draft.
    """
    profile = Profile(
        version=draft,
        named=named or NamedScore.overall(),
        name=name,
        segment=segment,
        good_from=good_from,
        watch_from=watch_from,
    )
    return _keep_profile(profile, weights, now)


@transaction.atomic
def update_profile(*, profile: Profile, now: datetime, **changes: Unpack[ProfileChanges]) -> Profile:
    """Change a profile of the draft; raises as ``create_profile`` does."""
    weights = changes.pop("weights", None)
    for field, given in changes.items():
        setattr(profile, field, given)
    return _keep_profile(profile, weights, now)


@transaction.atomic
def delete_profile(*, profile: Profile, now: datetime) -> None:
    """Delete a profile of the draft; once published, its accounts are scored by the next one whose segment has them."""
    lock_draft(profile.version, now=now)
    profile.delete()


def _keep_profile(profile: Profile, weights: Mapping[str, Any] | None, now: datetime) -> Profile:
    lock_draft(profile.version, now=now)
    problems = _problems_of_profile(profile)
    weighed: dict[str, Decimal] = {}
    if weights is not None:
        weighed, wrong = _weigh(profile.version, weights)
        problems |= wrong
    if problems:
        raise DefinitionError(problems)
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError:
        message = _("Segment “%(segment)s” has a profile already; change that one, or choose another segment.")
        raise _taken("segment", message % {"segment": profile.segment}) from None
    if weights is not None:
        ids = dict(profile.version.measures.filter(key__in=weighed).values_list("key", "pk"))
        ProfileMeasure.objects.filter(profile=profile).delete()
        ProfileMeasure.objects.bulk_create(
            ProfileMeasure(profile=profile, measure_id=ids[key], weight=weight) for key, weight in weighed.items()
        )
    return profile


def _taken(field: str, message: str) -> Conflict:
    return Conflict(message, code=f"{field}_taken", fields={field: message})


def _problems_of_key(key: str) -> dict[str, str]:
    try:
        validate_slug(key)
    except (ValidationError, TypeError):
        return {"key": _("Give a key of letters, digits, hyphens and underscores.")}
    if len(key) > 64:
        return {"key": _("Give a key of at most 64 characters.")}
    if f"health.{key}" in Catalogue() and not Measure.objects.filter(key=key).exists():
        return {"key": _("“%(key)s” is a figure of health itself; choose another key.") % {"key": key}}
    return {}


def _problems_of_name(field: str, given: Any) -> dict[str, str]:
    if not isinstance(given, str) or not given.strip() or len(given) > 200 or not storable(given):
        return {field: _("Give a name of 1 to 200 characters.")}
    return {}


def problems_of_measure(measure: Measure) -> dict[str, str]:
    """What is wrong with a measure as it stands, kept or not: a sentence for each field to correct."""
    problems = _problems_of_name("label", measure.label)
    description: object = measure.description
    if not isinstance(description, str) or not storable(description):
        problems["description"] = _("Give a text without control characters.")
    if measure.group not in Measure.Group.values:
        problems["group"] = _("Use one of: %(known)s.") % {"known": ", ".join(Measure.Group.values)}
    if measure.direction not in Measure.Direction.values:
        problems["direction"] = _("Use one of: %(known)s.") % {"known": ", ".join(Measure.Direction.values)}
    if measure.missing not in Measure.Missing.values:
        problems["missing"] = _("Use one of: %(known)s.") % {"known": ", ".join(Measure.Missing.values)}
    stale: object = measure.stale_after_days
    if stale is not None and (isinstance(stale, bool) or not isinstance(stale, int) or not 1 <= stale <= 3650):
        problems["stale_after_days"] = _("Give a whole number of days from 1 to 3650, or none.")
    catalogue = Catalogue()
    try:
        attribute = check_attribute(measure.attribute, catalogue=catalogue)
    except BadCurve as error:
        return problems | {"attribute": str(error)}
    try:
        curve = parse_curve(measure.curve, attribute)
        check_named(curve, attribute)
        check_direction(curve, measure.direction)
    except BadCurve as error:
        problems["curve"] = str(error)
    try:
        check_applies_when(measure, catalogue=catalogue)
    except ConditionError as error:
        problems["applies_when"] = error.message
    return problems


def _problems_of_profile(profile: Profile) -> dict[str, str]:
    problems = _problems_of_name("name", profile.name)
    for field in ("good_from", "watch_from"):
        given: object = getattr(profile, field)
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= 100:
            problems[field] = _("Give a whole number from 1 to 100.")
    if not problems.keys() & {"good_from", "watch_from"} and profile.watch_from >= profile.good_from:
        problems["watch_from"] = _("“Watch” must begin below “good”.")
    try:
        check_segment(profile.segment.condition, catalogue=Catalogue())
    except ConditionError as error:
        problems["segment"] = error.message
    return problems


def _weigh(version: Version, weights: Mapping[str, Any]) -> tuple[dict[str, Decimal], dict[str, str]]:
    """The weights as numbers by measure key, and what is wrong with them by ``weights.<key>``."""
    if not weights:
        return {}, {"weights": _("Give at least one measure and its weight.")}
    known = set(version.measures.filter(key__in=[str(key) for key in weights]).values_list("key", flat=True))
    weighed, problems = {}, {}
    for key, given in weights.items():
        try:
            weight = Decimal(str(given))
        except InvalidOperation:
            weight = Decimal("NaN")
        if key not in known:
            problems[f"weights.{key}"] = _("There is no measure “%(key)s”.") % {"key": str(key)[:60]}
        elif isinstance(given, bool) or not weight.is_finite() or not Decimal("0.001") <= weight <= HIGHEST_WEIGHT:
            problems[f"weights.{key}"] = _(
                "Give a weight above 0, at most %(most)s; leave the measure out instead."
            ) % {"most": HIGHEST_WEIGHT}
        else:
            weighed[key] = weight
    return weighed, problems
