"""Versions of the formula: when each was in force, who made it, and how many accounts it moved to another band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Count, Q

from accounts.models import Account, Event, User
from health.models import Version


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One version: its ``state`` (draft, scheduled, in_force, past), until when it was in force, and how many accounts
    of those that one may see it moved to another band (None before it takes effect)."""

    version: Version
    state: str
    until: datetime | None
    moved: int | None


def listed_versions(user: User, *, now: datetime) -> list[ListedVersion]:
    """Every version, the latest first, the draft before all; two queries."""
    versions = Version.objects.select_related("author", "published_by", "based_on")
    published = list(versions.published())
    began = [version for version in reversed(published) if version.effective_at and version.effective_at <= now]
    until = {before.pk: after.effective_at for before, after in pairwise(began)}
    moved = _moved(began, user)
    current = began[-1] if began else None
    rows = [ListedVersion(draft, "draft", None, None) for draft in versions.draft()]
    for version in published:
        state = "in_force" if version == current else "past" if version.pk in moved else "scheduled"
        rows.append(ListedVersion(version, state, until.get(version.pk), moved.get(version.pk)))
    return rows


def _moved(began: Sequence[Version], user: User) -> dict[int, int]:
    """For each version that took effect, how many accounts were in another band because of it.

    An account is told of once in the time between a version and the next, when its score follows.
    """
    if not began:
        return {}
    spans = {
        f"v{version.pk}": Q(happened_at__gte=version.effective_at)
        & (Q(happened_at__lt=after.effective_at) if after else Q())
        for version, after in zip(began, [*began[1:], None], strict=True)
    }
    restated = Event.objects.filter(kind="health.band_restated", account__in=Account.objects.visible_to(user))
    counted = restated.aggregate(**{name: Count("account", filter=span, distinct=True) for name, span in spans.items()})
    return {version.pk: counted[f"v{version.pk}"] for version in began}
