"""Versions of the formula: worked on as a draft, published at once or from a date, gone back to."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from common.doorbell import ring
from common.errors import Conflict, DomainError
from health.models import Measure, Profile, ProfileMeasure, Version
from health.queries.definitions import load_definitions
from health.services.simulations import drop_simulations
from health.services.sweeps import sweep_anew

LONGEST_NOTE = 300


@transaction.atomic
def open_draft(*, by: User | None, now: datetime) -> Version:
    """The draft that everybody works on; made as a copy of what was published last when there is none."""
    if draft := Version.objects.draft().first():
        return draft
    source = Version.objects.published().first()
    try:
        with transaction.atomic():
            draft = _new_version(source, by=by, now=now)
    except IntegrityError:
        # Somebody opened it at the same moment.
        return Version.objects.draft().get()
    if source is not None:
        _copy(source, draft)
    return draft


def lock_draft(version: Version, *, now: datetime) -> None:
    """Hold ``version`` for a change until the transaction ends; raises Conflict when it is a draft no longer."""
    if not Version.objects.draft().select_for_update().filter(pk=version.pk).update(changed_at=now):
        message = _("This version is published or was discarded; open a draft to change something.")
        raise Conflict(message, code="not_a_draft")


@transaction.atomic
def discard_draft(*, draft: Version, now: datetime) -> None:
    """Throw the draft away; raises Conflict when it is a draft no longer."""
    lock_draft(draft, now=now)
    drop_simulations(draft)
    ProfileMeasure.objects.filter(profile__version=draft).delete()
    draft.delete()


@transaction.atomic
def publish(
    *, draft: Version, by: User | None, note: str, now: datetime, effective_at: datetime | None = None
) -> Version:
    """Put the draft in force, at once or from ``effective_at`` on; scores follow within minutes, old days stay.

    Raises DomainError when something of it cannot be computed, the note is missing, or the date has passed;
    Conflict when it is a draft no longer.
    """
    lock_draft(draft, now=now)
    problems = _problems_of_publishing(draft, note, now, effective_at)
    if problems:
        raise DomainError(" ".join(problems.values()), code="not_publishable", fields=problems)
    draft.note, draft.published_by, draft.published_at = note.strip(), by, now
    draft.effective_at = effective_at or now
    draft.save(update_fields=["note", "published_by", "published_at", "effective_at"])
    if draft.effective_at <= now:
        _follow(now)
    return draft


@transaction.atomic
def withdraw(*, version: Version, now: datetime) -> Version:
    """Take back a version that has not taken effect yet: it is the draft again.

    Raises Conflict when it is in force already, or there is another draft.
    """
    try:
        with transaction.atomic():
            taken = Version.objects.filter(pk=version.pk, effective_at__gt=now).update(
                published_at=None, published_by=None, effective_at=None, changed_at=now
            )
    except IntegrityError:
        message = _("There is a draft already; publish or discard it first.")
        raise Conflict(message, code="draft_exists") from None
    if not taken:
        raise Conflict(_("This version is in force already; go back to an earlier one instead."), code="in_force")
    version.refresh_from_db()
    return version


@transaction.atomic
def roll_back(*, to: Version, by: User | None, note: str, now: datetime) -> Version:
    """Publish a copy of an earlier version at once; raises DomainError when it cannot be computed any more."""
    if to.effective_at is None or to.effective_at > now:
        raise Conflict(_("Only a version that was in force can be gone back to."), code="never_in_force")
    version = _new_version(to, by=by, now=now, published=True)
    _copy(to, version)
    problems = _problems_of_publishing(version, note, now, None)
    if problems:
        raise DomainError(" ".join(problems.values()), code="not_publishable", fields=problems)
    version.note = note.strip()
    version.save(update_fields=["note"])
    _follow(now)
    return version


def _follow(now: datetime) -> None:
    """Have every score follow the version that has just taken effect."""
    sweep_anew(now=now)
    ring("health.recompute_all")


def _new_version(source: Version | None, *, by: User | None, now: datetime, published: bool = False) -> Version:
    highest = Version.objects.aggregate(highest=Max("number"))["highest"] or 0
    return Version.objects.create(
        number=highest + 1,
        author=by,
        based_on=source,
        created_at=now,
        changed_at=now,
        published_by=by if published else None,
        published_at=now if published else None,
        effective_at=now if published else None,
    )


def _copy(source: Version, target: Version) -> None:
    """Give ``target`` the measures and profiles of ``source``."""
    measures = {measure.pk: measure for measure in source.measures.all()}
    profiles = {profile.pk: profile for profile in source.profiles.all()}
    parts = list(ProfileMeasure.objects.filter(profile__in=profiles).order_by("id"))
    for measure in measures.values():
        measure.pk, measure.version = None, target
    for profile in profiles.values():
        profile.pk, profile.version = None, target
    Measure.objects.bulk_create(measures.values())
    Profile.objects.bulk_create(profiles.values())
    ProfileMeasure.objects.bulk_create(
        ProfileMeasure(profile=profiles[part.profile_id], measure=measures[part.measure_id], weight=part.weight)
        for part in parts
    )


def _problems_of_publishing(
    version: Version, note: str, now: datetime, effective_at: datetime | None
) -> dict[str, str]:
    problems = {}
    if not note.strip() or len(note.strip()) > LONGEST_NOTE:
        problems["note"] = _("Say in 1 to %(most)s characters what changes and why.") % {"most": LONGEST_NOTE}
    if effective_at is not None and effective_at < now:
        problems["effective_at"] = _("This time has passed; choose a later one, or publish at once.")
    for problem in load_definitions(version).problems:
        if problem.measure:
            problems[f"measures.{problem.measure.key}"] = f"{problem.measure.label}: {problem.message}"
        elif problem.profile:
            problems[f"profiles.{problem.profile.pk}"] = f"{problem.profile.name}: {problem.message}"
    for profile in version.profiles.filter(profile_measures=None):
        problems[f"profiles.{profile.pk}"] = _("“%(profile)s” has no measures; give it one, or delete it.") % {
            "profile": profile.name
        }
    return problems
