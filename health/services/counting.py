"""A measure and where it counts, changed together: what the editor of a measure keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from health.models import Measure, Profile, Version
from health.services.definitions import (
    DefinitionError,
    MeasureChanges,
    create_measure,
    update_measure,
    update_profile,
)


@transaction.atomic
def define_measure(
    *,
    draft: Version,
    key: str,
    weights: Mapping[int, Any],
    now: datetime,
    **given: Unpack[MeasureChanges],
) -> Measure:
    """Make or change the measure of this key in the draft, and how much it counts in profiles of the draft by their id:
    a weight, or None where it does not count. Profiles that are not named stay as they are.

    Raises DefinitionError, which says what is wrong with a weight at ``weights.<profile id>``, or Conflict when it is
    no draft.
    """
    measure = Measure.objects.filter(version=draft, key=key).select_related("version").first()
    if measure is None:
        measure = create_measure(draft=draft, key=key, now=now, **given)
    else:
        measure = update_measure(measure=measure, now=now, **given)
    problems: dict[str, str] = {}
    for profile in draft.profiles.filter(pk__in=weights).select_related("version", "segment"):
        problems |= _count(profile, key, weights[profile.pk], now)
    if problems:
        raise DefinitionError(problems)
    return measure


def _count(profile: Profile, key: str, weight: Any, now: datetime) -> dict[str, str]:
    """Let the measure weigh so much in the profile; returns what is wrong with it."""
    before = {part.measure.key: part.weight for part in profile.profile_measures.select_related("measure")}
    if before.get(key) == weight:
        return {}
    after: dict[str, Any] = {**before, key: weight}
    if weight is None:
        del after[key]
    if not after:
        return {f"weights.{profile.pk}": _("It is all that counts there; add another measure to the profile first.")}
    try:
        update_profile(profile=profile, now=now, weights=after)
    except DefinitionError as error:
        return {f"weights.{profile.pk}": " ".join(error.fields.values())}
    return {}
