"""The accounts that a draft moves, the biggest move first, and which measures move them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, FloatField, Q, QuerySet
from django.db.models.functions import Abs, Cast
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.conditions import matching
from accounts.models import Account, Segment, User
from common.templatetags.amounts import number, share
from common.templatetags.ui import BAND_LABELS
from health.models import NamedScore, SimulatedScore, Simulation
from health.queries.simulation import BANDS, UNCHANGED, scores_of

PAGE = 10
MOST_WHYS = 2
SMALLEST_WHY = 0.05
MOST_OFFSET = 10**6


@dataclass(frozen=True, slots=True)
class Filter:
    """What an address asks of the list: bands before and after, a segment, a CSM, and whether the same band counts.

    What cannot be read asks for nothing.
    """

    before: str
    after: str
    segment: str
    csm: str
    every: bool
    offset: int

    @property
    def is_narrowed(self) -> bool:
        return bool(self.before or self.after or self.segment or self.csm)


@dataclass(frozen=True, slots=True)
class Choice:
    """One select of the list: its name in the address, its label, what it may be, and what it is."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


@dataclass(frozen=True, slots=True)
class Why:
    """A measure that moves a score by so many points, and how in words."""

    label: str
    by: float
    how: str


@dataclass(frozen=True, slots=True)
class MovedAccount:
    """One account and its score by both formulas. ``note`` says what no measure says."""

    account: Account
    before: float | None
    after: float | None
    band_before: str
    band_after: str
    mrr: Decimal
    whys: tuple[Why, ...]
    note: str

    @property
    def change(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class Moves:
    """One page of the accounts that move, and how many there are in all."""

    rows: list[MovedAccount]
    total: int
    offset: int


def read_filter(query: QueryDict) -> tuple[Filter, list[Choice]]:
    """What ``query`` asks for, and the selects that ask it; two queries."""
    bands = [(band, str(BAND_LABELS[band])) for band in BANDS]
    staff = User.objects.filter(book__isnull=False).distinct().order_by("name").values_list("email", "name")
    choices = [
        _choice(query, "before", _("Band in force"), bands),
        _choice(query, "after", _("Band in the draft"), bands),
        _choice(query, "segment", _("Segment"), list(Segment.objects.values_list("key", "name"))),
        _choice(query, "csm", _("CSM"), list(staff)),
    ]
    before, after, segment, csm = (choice.value for choice in choices)
    raw = query.get("from", "")
    offset = min(int(raw), MOST_OFFSET) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0
    return Filter(before, after, segment, csm, query.get("every") == "1", offset), choices


def _choice(query: QueryDict, name: str, label: str, options: list[tuple[str, str]]) -> Choice:
    value = query.get(name, "")
    return Choice(name, label, options, value if value in dict(options) else "")


def moved_accounts(simulation: Simulation, named: NamedScore, wanted: Filter, *, user: User, now: datetime) -> Moves:
    """The page of accounts that ``wanted`` asks for, the biggest change first; at most four queries."""
    found = _narrowed(simulation, named, wanted, user=user, now=now)
    ordered = found.annotate(moved=Abs(Cast(F("score_after") - F("score_before"), FloatField()))).order_by(
        F("moved").desc(nulls_last=True), "account_id"
    )
    total = found.count()
    offset = wanted.offset if wanted.offset < total else 0
    page = ordered.select_related("account__owner")[offset : offset + PAGE]
    return Moves([_moved(row, simulation.profiles) for row in page], total, offset)


def _narrowed(
    simulation: Simulation, named: NamedScore, wanted: Filter, *, user: User, now: datetime
) -> QuerySet[SimulatedScore]:
    accounts = Account.objects.visible_to(user)
    if wanted.segment:
        accounts = matching(accounts, {"attribute": "segment", "operator": "in", "value": [wanted.segment]}, now=now)
    if wanted.csm:
        accounts = accounts.filter(owner__email=wanted.csm)
    found = scores_of(simulation, named)
    # Who sees every account needs no join with them.
    if accounts.query.where:
        found = found.filter(account__in=accounts)
    if wanted.before:
        found = found.filter(band_before=_band(wanted.before))
    if wanted.after:
        found = found.filter(band_after=_band(wanted.after))
    if wanted.before and wanted.after:
        return found
    moves_band = ~Q(band_before=F("band_after"))
    if not wanted.every:
        return found.filter(moves_band)
    apart = Q(score_after__gt=F("score_before") + UNCHANGED) | Q(score_after__lt=F("score_before") - UNCHANGED)
    return found.filter(moves_band | apart)


def _band(name: str) -> str:
    return "" if name == "none" else name


def _moved(row: SimulatedScore, profiles: Mapping[str, Any]) -> MovedAccount:
    before, after = profiles.get(str(row.profile_before)), profiles.get(str(row.profile_after))
    return MovedAccount(
        account=row.account,
        before=row.score_before,
        after=row.score_after,
        band_before=row.band_before,
        band_after=row.band_after,
        mrr=row.mrr,
        whys=_whys(row, before, after),
        note=_note(row, before, after),
    )


def _note(row: SimulatedScore, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    if after is None and before is not None:
        return _("No profile of the draft decides it.")
    if before is None and after is not None:
        return _("Scored as “%(segment)s”, which had no score before.") % {"segment": after["segment"]}
    if before and after and before["segment"] != after["segment"]:
        return _("Scored as “%(after)s” instead of “%(before)s”.") % {
            "after": after["segment"],
            "before": before["segment"],
        }
    if row.score_after is None and row.score_before is not None:
        return _("No measure of the draft has data.")
    is_same = (
        row.score_before is not None
        and row.score_after is not None
        and abs(row.score_after - row.score_before) <= UNCHANGED
    )
    return _("The score stays; the bands begin elsewhere.") if is_same and row.band_before != row.band_after else ""


@dataclass(frozen=True, slots=True)
class _Share:
    """One measure's part in one score: its points, its share of the weight in force, and what both come to."""

    label: str
    points: float
    share: float

    @property
    def contribution(self) -> float:
        return self.points * self.share


def _shares(points: Sequence[float | None], profile: Mapping[str, Any] | None) -> dict[str, _Share]:
    if profile is None:
        return {}
    counted = [
        (key, label, weight, found)
        for (key, label, weight), found in zip(profile["parts"], points, strict=True)
        if found is not None
    ]
    total = sum(weight for _key, _label, weight, _found in counted)
    return {key: _Share(label, found, weight / total) for key, label, weight, found in counted}


def _whys(row: SimulatedScore, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Why, ...]:
    """The measures whose contribution changes most in the direction of the score, at most ``MOST_WHYS``."""
    if row.score_before is None or row.score_after is None:
        return ()
    old, new = _shares(row.points_before, before), _shares(row.points_after, after)
    falls = row.score_after < row.score_before
    whys = []
    for key in {**old, **new}:
        was, now = old.get(key), new.get(key)
        by = (now.contribution if now else 0.0) - (was.contribution if was else 0.0)
        if abs(by) >= SMALLEST_WHY and (by < 0) == falls:
            whys.append(Why((now or was or _Share(key, 0, 0)).label, by, _how(was, now)))
    return tuple(sorted(whys, key=lambda why: -abs(why.by))[:MOST_WHYS])


def _how(was: _Share | None, now: _Share | None) -> str:
    if was is None:
        return _("counts now")
    if now is None:
        return _("no longer counts")
    if abs(was.points - now.points) >= SMALLEST_WHY:
        return _("%(before)s → %(after)s points") % {"before": number(was.points), "after": number(now.points)}
    return _("weighs %(before)s → %(after)s") % {"before": share(was.share), "after": share(now.share)}
