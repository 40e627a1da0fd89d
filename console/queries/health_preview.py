"""What a changed measure does to a few accounts: its value, its points, and the score, in force and in the draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber

from accounts.attributes import Attribute, Catalogue, Context
from accounts.attributes.registry import choices_of
from accounts.models import Account, User, Workspace
from common.text import storable
from console.templatetags.values import shown_value
from health.models import HealthDay, HealthScore, NamedScore, Version
from health.queries import definitions_in_force, load_definitions
from health.queries.definitions import Definitions, ReadyMeasure, ScoreDefinition, depends_on_health
from health.queries.trial import TriedDay, points_of, try_last_day, try_measures, try_scores, with_measure

OF_EACH_BAND = 2
MOST = 12
FOUND = 6
KEPT_FOR = 365


@dataclass(frozen=True, slots=True)
class PreviewedAccount:
    """One account: what the measure sees there, the points in force and in the draft, and the score in both.

    ``left_on`` is the last day of an account that has left, which it is then judged by. Without a score on a side
    nothing is None there.
    """

    account: Account
    left_on: date | None
    value: str
    points_before: float | None
    points: float | None
    score_before: float | None
    band_before: str
    score: float | None
    band: str

    @property
    def change(self) -> float | None:
        return None if self.score is None or self.score_before is None else self.score - self.score_before


def suggested_accounts(user: User, named: NamedScore, *, now: datetime) -> list[int]:
    """Accounts to look at: two of each band, and the one that left last; two queries."""
    visible = Account.objects.visible_to(user)
    place = Window(RowNumber(), partition_by=F("band"), order_by=F("account_id").asc())
    scores = HealthScore.objects.filter(named=named, account__in=visible.live()).exclude(band="").annotate(place=place)
    found = scores.filter(place__lte=OF_EACH_BAND).values_list("band", "account_id")
    by_band = sorted(found, key=lambda row: ("good", "watch", "poor").index(row[0]))
    days = HealthDay.objects.filter(named=named, account=OuterRef("pk"), score__isnull=False)
    gone = visible.filter(Exists(days), ended_at__lte=now).order_by("-ended_at", "pk").values_list("pk", flat=True)
    return [pk for _band, pk in by_band] + list(gone[:1])


def found_accounts(user: User, wanted: str, *, without: Iterable[int]) -> list[Account]:
    """Accounts whose name has ``wanted`` in it, those aside that are there already."""
    if not wanted or not storable(wanted):
        return []
    named = Account.objects.visible_to(user).filter(name__icontains=wanted).exclude(pk__in=list(without))
    return list(named.order_by("name", "pk")[:FOUND])


def preview(
    user: User,
    *,
    draft: Version,
    edited: ReadyMeasure,
    weights: Mapping[int, float | None],
    named: NamedScore,
    account_ids: Sequence[int],
    now: datetime,
) -> list[PreviewedAccount]:
    """The accounts that ``user`` may see, judged by what is in force, and by the draft with the measure as edited."""
    accounts = Account.objects.visible_to(user).filter(pk__in=account_ids[:MOST]).in_bulk()
    context = Context.at(now)
    in_force, changed = definitions_in_force(now), with_measure(load_definitions(draft), edited, weights)
    before, after = _of(in_force, named), _of(changed, named)
    former = next((ready for ready in _measures(in_force) if ready.measure.key == edited.measure.key), None)
    live = [pk for pk, account in accounts.items() if account.ended_at is None or account.ended_at > now]
    seen = try_measures([edited, *([former] if former else [])], live, context=context)
    scores_before = try_scores(before, live, context=context) if before else {}
    scores_after = try_scores(after, live, context=context) if after else {}
    left = try_last_day(after, [pk for pk in accounts if pk not in live]) if after else {}
    say = _Words(edited.attribute)
    rows = []
    for pk in account_ids:
        account = accounts.get(pk)
        if account is None:
            continue
        if pk in left:
            rows.append(_judged_by_last_day(account, left[pk], edited, former, say))
        elif pk in seen:
            value, points = seen[pk][0]
            was, is_now = scores_before.get(pk), scores_after.get(pk)
            rows.append(
                PreviewedAccount(
                    account=account,
                    left_on=None,
                    value=say(value),
                    points_before=seen[pk][1][1] if former else None,
                    points=points,
                    score_before=was.score if was else None,
                    band_before=was.band if was else "",
                    score=is_now.score if is_now else None,
                    band=is_now.band if is_now else "",
                )
            )
    return rows


def _of(definitions: Definitions, named: NamedScore) -> ScoreDefinition | None:
    return next((score for score in definitions.scores if score.named == named), None)


def _measures(definitions: Definitions) -> Iterable[ReadyMeasure]:
    for score in definitions.scores:
        yield from score.measures.values()


def _judged_by_last_day(
    account: Account, told: TriedDay, edited: ReadyMeasure, former: ReadyMeasure | None, say: _Words
) -> PreviewedAccount:
    key = edited.measure.attribute
    known = key in told.values and edited.measure.key not in told.unknown
    return PreviewedAccount(
        account=account,
        left_on=told.day,
        value=say(told.values.get(key)),
        points_before=points_of(former, told.values[key])
        if former and former.measure.attribute == key and known
        else None,
        points=points_of(edited, told.values[key]) if known else None,
        score_before=told.score,
        band_before=told.band,
        score=told.tried.score if told.tried else None,
        band=told.tried.band if told.tried else "",
    )


class _Words:
    """Values of one attribute as people read them."""

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute
        self.currency = Workspace.current().currency
        self.names: dict[str, Any] = choices_of(attribute) if attribute.choices else {}

    def __call__(self, value: Any) -> str:
        return str(shown_value(value, self.attribute, currency=self.currency, names=self.names))


def scorable(catalogue: Catalogue) -> list[Attribute]:
    """Every attribute that a measure can be taken from."""
    return [
        catalogue[key]
        for key in catalogue
        if not depends_on_health(key)
        and (catalogue[key].type.is_numeric or catalogue[key].type in ("choice", "boolean"))
    ]
