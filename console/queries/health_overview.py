"""Health of the whole base at a glance: how scores are spread, and the bands by segment, CSM and stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Avg, Count, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, User
from accounts.queries import scope_of
from common.sql import SQL, rows, value
from health.models import HealthScore, NamedScore, Version

BANDS = ("good", "watch", "poor", "none")
BY = ("segment", "csm", "stage")
WIDTH = 5
FULL = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of accounts, and the list of just those."""

    band: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The accounts of one segment, CSM or stage: how many have the score, their average, and how many in each band."""

    label: str
    note: str
    url: str
    accounts: int
    accounts_url: str
    average: float | None
    cells: tuple[Cell, ...]

    @property
    def bands(self) -> dict[str, int]:
        return {cell.band: cell.count for cell in self.cells}


@dataclass(frozen=True, slots=True)
class Glance:
    """All accounts that one may see: how many, their average, the bands, and how many scores have old inputs."""

    accounts: int
    average: float | None
    cells: tuple[Cell, ...]
    scored: int
    stale: int
    stale_url: str

    @property
    def bands(self) -> dict[str, int]:
        return {cell.band: cell.count for cell in self.cells}

    @property
    def stale_share(self) -> float | None:
        return self.stale / self.scored if self.scored else None


def attribute_of(named: NamedScore) -> str:
    """The key of the attribute that holds a named score."""
    return "health" if named.is_overall else f"health.score.{named.key}"


def accounts_url(*conditions: Any, **chosen: str) -> str:
    """The list of accounts for which all conditions hold, and which the list's own filters narrow further."""
    query = {name: one for name, one in chosen.items() if one}
    if conditions:
        query["condition"] = json.dumps(
            conditions[0] if len(conditions) == 1 else {"all": list(conditions)}, separators=(",", ":")
        )
    return f"{reverse('console:accounts')}?{urlencode(query)}"


def _of_band(named: NamedScore, band: str) -> tuple[tuple[Any, ...], dict[str, str]]:
    """What narrows the list to a band: its own filter for the overall score, else a condition."""
    if named.is_overall:
        return (), {"band": band}
    key = f"{attribute_of(named)}.band"
    if band == "none":
        return ({"attribute": key, "operator": "is_missing"},), {}
    return ({"attribute": key, "operator": "in", "value": [band]},), {}


def _cells(
    named: NamedScore,
    counts: Mapping[str, int],
    conditions: Sequence[Any] = (),
    chosen: Mapping[str, str] | None = None,
) -> tuple[Cell, ...]:
    cells = []
    for band in BANDS:
        narrowed, filters = _of_band(named, band)
        url = accounts_url(*conditions, *narrowed, **{**(chosen or {}), **filters})
        cells.append(Cell(band, counts.get(band, 0), url))
    return tuple(cells)


def glance(user: User, named: NamedScore) -> Glance:
    """The whole base that ``user`` may see; two queries."""
    visible = Account.objects.visible_to(user).live()
    found = HealthScore.objects.filter(named=named, account__in=visible).aggregate(
        average=Avg("score"),
        scored=Count("account_id", filter=Q(score__isnull=False)),
        stale=Count("account_id", filter=Q(stale__gt=0)),
        **{band: Count("account_id", filter=Q(band=band)) for band in BANDS[:3]},
    )
    accounts = visible.count()
    counts = {band: found[band] for band in BANDS[:3]}
    counts["none"] = accounts - sum(counts.values())
    stale = {"attribute": f"{attribute_of(named)}.stale", "operator": "gte", "value": 1}
    return Glance(
        accounts=accounts,
        average=found["average"],
        cells=_cells(named, counts),
        scored=found["scored"],
        stale=found["stale"],
        stale_url=accounts_url(stale),
    )


def histogram(user: User, named: NamedScore) -> dict[str, Any]:
    """The data of a chart: how many accounts have a score from 0 to below 5, and so on, in the colour of their band."""
    visible = Account.objects.visible_to(user).live()
    found = rows(
        SQL(
            f"SELECT least(floor(score / {WIDTH})::int, {FULL // WIDTH - 1}), band, count(*) FROM health_healthscore"
            " WHERE named_id = {} AND score IS NOT NULL AND {} GROUP BY 1, 2"
        ).format(value(named.pk), scope_of(visible).on("account_id"))
    )
    counts = {(place, band): count for place, band, count in found}
    labels = {"poor": _("Poor"), "watch": _("Watch"), "good": _("Good")}
    return {
        "type": "bar",
        "stacked": True,
        "labels": [f"{low}–{low + WIDTH}" for low in range(0, FULL, WIDTH)],
        "axis": _("Score"),
        "unit": _("accounts"),
        "series": [
            {"label": label, "tone": band, "data": [counts.get((place, band), 0) for place in range(FULL // WIDTH)]}
            for band, label in labels.items()
        ],
    }


def by_group(user: User, named: NamedScore, by: str, *, version: Version | None) -> list[GroupRow]:
    """The bands by the segment that decides (the profiles of ``version``), by CSM or by stage; two queries."""
    if by == "segment":
        return _by_segment(user, named, version)
    key, label = ("account__owner__email", "account__owner__name")
    if by == "stage":
        key, label = ("account__stage__key", "account__stage__name")
    attribute = "owner" if by == "csm" else "stage"
    order: tuple[str, ...] = ("account__stage__position",) if by == "stage" else ("account__owner__name",)
    counted = (
        _scores(user, named)
        .order_by(*order)
        .values_list(key, label, "band")
        .annotate(accounts=Count("account_id"), total=Sum("score"))
    )
    groups: dict[tuple[str, str], list[tuple[str, int, float]]] = {}
    for found, words, band, accounts, total in counted:
        groups.setdefault((found or "", words or ""), []).append((band or "none", accounts, total or 0.0))
    made = []
    for (found, words), parts in groups.items():
        missing = [] if found else [{"attribute": attribute, "operator": "is_missing"}]
        nobody = _("Nobody") if by == "csm" else _("No stage")
        made.append(_row(named, words or nobody, "", "", parts, missing, {by: found} if found else {}))
    return made


def _scores(user: User, named: NamedScore) -> Any:
    return HealthScore.objects.filter(named=named, account__in=Account.objects.visible_to(user).live()).order_by()


def _by_segment(user: User, named: NamedScore, version: Version | None) -> list[GroupRow]:
    counted = (
        _scores(user, named)
        .values_list("profile_id", "band")
        .annotate(accounts=Count("account_id"), total=Sum("score"))
    )
    parts: dict[int, list[tuple[str, int, float]]] = {}
    for profile_id, band, accounts, total in counted:
        parts.setdefault(profile_id, []).append((band or "none", accounts, total or 0.0))
    profiles = version.profiles.filter(named=named).select_related("segment") if version else []
    made: list[GroupRow] = []
    earlier: list[str] = []
    for profile in sorted(profiles, key=lambda one: one.segment.priority):
        segment = profile.segment
        # The list of accounts shows those that this profile decides, not all that are in the segment.
        conditions: list[Any] = [{"attribute": "segment", "operator": "in", "value": [segment.key]}]
        if earlier:
            conditions.append({"attribute": "segment", "operator": "not_in", "value": list(earlier)})
        note = _("good from %(good)s, watch from %(watch)s") % {"good": profile.good_from, "watch": profile.watch_from}
        url = reverse("console:segment", args=[segment.key])
        made.append(_row(named, segment.name, note, url, parts.get(profile.pk, []), conditions, {}))
        earlier.append(segment.key)
    return made


def _row(
    named: NamedScore,
    label: str,
    note: str,
    url: str,
    parts: Sequence[tuple[str, int, float]],
    conditions: Sequence[Any],
    chosen: Mapping[str, str],
) -> GroupRow:
    counts = {band: accounts for band, accounts, _total in parts}
    scored = sum(accounts for band, accounts, _total in parts if band != "none")
    return GroupRow(
        label=label,
        note=note,
        url=url,
        accounts=sum(counts.values()),
        accounts_url=accounts_url(*conditions, **chosen),
        average=sum(total for _band, _accounts, total in parts) / scored if scored else None,
        cells=_cells(named, counts, conditions, chosen),
    )
