"""Health of the whole base at a glance: bands, segments, who moved and by what, and what it is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Sum
from django.db.models.functions import Cast

from accounts.attributes import Catalogue
from accounts.models import Account, User, Workspace
from health.models import HealthDay, HealthScore, Measure, Profile, Sweep
from health.queries.definitions import Problem, load_definitions

MOVED_OVER = timedelta(days=7)
MOVERS = 8
SMALLEST_MOVE = 1.0
BANDS = ("good", "watch", "poor", "none")


@dataclass(frozen=True, slots=True)
class ProfileFigures:
    """One segment's health: how many accounts are scored by its profile, in which bands, and their average score."""

    profile: Profile
    accounts: int
    average: float | None
    bands: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many accounts are in each band (``none``: without a score), in all and by profile."""

    bands: Mapping[str, int]
    profiles: tuple[ProfileFigures, ...]

    @property
    def accounts(self) -> int:
        return sum(self.bands.values())


def distribution(user: User) -> Distribution:
    """The health of the live accounts that ``user`` may see; three queries."""
    visible = Account.objects.visible_to(user).live()
    counted = (
        HealthScore.objects.filter(account__in=visible)
        .order_by()
        .values_list("profile_id", "band")
        .annotate(accounts=Count("pk"), total=Sum("score"))
    )
    bands = dict.fromkeys(BANDS, 0)
    by_profile: dict[int, list[tuple[str, int, float]]] = {}
    for profile_id, band, accounts, total in counted:
        by_profile.setdefault(profile_id, []).append((band or "none", accounts, total or 0.0))
        bands[band or "none"] += accounts
    bands["none"] += visible.count() - sum(bands.values())
    profiles = Profile.objects.select_related("segment").order_by("segment__priority")
    return Distribution(bands, tuple(_figures(profile, by_profile.get(profile.pk, [])) for profile in profiles))


def _figures(profile: Profile, parts: Sequence[tuple[str, int, float]]) -> ProfileFigures:
    scored = sum(accounts for band, accounts, _total in parts if band != "none")
    return ProfileFigures(
        profile=profile,
        accounts=sum(accounts for _band, accounts, _total in parts),
        average=sum(total for _band, _accounts, total in parts) / scored if scored else None,
        bands={band: accounts for band, accounts, _total in parts},
    )


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score moved: before and now, and the measure that moved it most, by so many points."""

    account: Account
    before: float
    now: float
    band: str
    measure: str
    by: float

    @property
    def change(self) -> float:
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Movers:
    """The biggest drops and rises since ``since``; ``is_known`` is false while there is no history of that day."""

    since: date
    drops: tuple[Mover, ...]
    rises: tuple[Mover, ...]
    is_known: bool


def movers(user: User, *, now: datetime) -> Movers:
    """Who of the live accounts that ``user`` may see moved most within a week; at most four queries."""
    since = Workspace.current().day(now) - MOVED_OVER
    days = (
        HealthDay.objects.filter(day=since, score__isnull=False, account__in=Account.objects.visible_to(user).live())
        .filter(account__health__score__isnull=False)
        .annotate(change=Cast(F("account__health__score") - F("score"), FloatField()))
        .select_related("account__health", "account__owner")
    )
    drops = list(days.filter(change__lte=-SMALLEST_MOVE).order_by("change", "account_id")[:MOVERS])
    rises = list(days.filter(change__gte=SMALLEST_MOVE).order_by("-change", "account_id")[:MOVERS])
    labels = dict(Measure.objects.values_list("key", "label"))
    return Movers(
        since=since,
        drops=tuple(_mover(day, labels) for day in drops),
        rises=tuple(_mover(day, labels) for day in rises),
        is_known=bool(drops or rises) or HealthDay.objects.filter(day=since).exists(),
    )


def _mover(day: HealthDay, labels: Mapping[str, str]) -> Mover:
    health = day.account.health
    before, now = contributions(day.components), contributions(health.components)
    changes = {key: now.get(key, 0.0) - before.get(key, 0.0) for key in {**before, **now}}
    falling = (health.score or 0.0) < (day.score or 0.0)
    most = (min if falling else max)(changes, key=lambda key: changes[key], default="")
    return Mover(
        account=day.account,
        before=day.score or 0.0,
        now=health.score or 0.0,
        band=health.band,
        measure=labels.get(most, most),
        by=changes.get(most, 0.0),
    )


def contributions(components: Sequence[Sequence[Any]]) -> dict[str, float]:
    """What each measure adds to the score, in points, from the components that a score keeps."""
    counted = [part for part in components if len(part) > 1 and part[2] is not None]
    total = sum(weight for _key, _value, _points, weight, _heard in counted)
    return {key: weight * points / total for key, _value, points, weight, _heard in counted}


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """One measure: what it is taken from in words (None when that is gone), and its weight in each profile."""

    measure: Measure
    attribute: str | None
    unit: str
    weights: tuple[tuple[Profile, float], ...]


@dataclass(frozen=True, slots=True)
class WeighedMeasure:
    """One measure within a profile: its weight, and the share of the whole that it has when nothing is left out."""

    shown: ShownMeasure
    weight: float
    share: float


def shown_measures() -> list[ShownMeasure]:
    """Every measure with where it is used; three queries, and one for each family of attributes."""
    catalogue = Catalogue()
    measures = Measure.objects.prefetch_related("profile_measures__profile__segment").order_by("group", "label")
    shown = []
    for measure in measures:
        attribute = catalogue.get(measure.attribute)
        shown.append(
            ShownMeasure(
                measure=measure,
                attribute=str(attribute.label) if attribute else None,
                unit=str(attribute.unit) if attribute else "",
                weights=tuple((row.profile, float(row.weight)) for row in measure.profile_measures.all()),
            )
        )
    return shown


def weighed(profile: Profile, measures: Sequence[ShownMeasure]) -> list[WeighedMeasure]:
    """The measures of one profile, the heaviest first."""
    used = [(shown, weight) for shown in measures for other, weight in shown.weights if other == profile]
    total = sum(weight for _shown, weight in used)
    rows = [WeighedMeasure(shown, weight, weight / total) for shown, weight in used]
    return sorted(rows, key=lambda row: -row.weight)


def problems() -> tuple[Problem, ...]:
    """What health is computed without at present, and why."""
    return load_definitions().problems


def last_sweep() -> datetime | None:
    """When the whole base was last computed."""
    return (
        Sweep.objects.order_by("-finished_at").values_list("finished_at", flat=True).exclude(finished_at=None).first()
    )
