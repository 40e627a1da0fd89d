"""The health of one account on its pages: the score and its reasons, and what changed it between two days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes.registry import choices_of
from accounts.models import Account, Workspace
from accounts.queries import facts_of
from common.templatetags.amounts import NOTHING
from common.templatetags.ui import stale_words
from health.curves import Table
from health.models import HealthScore, NamedScore, Profile
from health.queries import (
    Cause,
    ExplainedGroup,
    ExplainedMeasure,
    HealthChange,
    HealthExplanation,
    LeftOut,
    MeasureChange,
    Split,
    change_sentences,
    explain_health,
    explanation_sentences,
    what_changed,
)
from health.queries.words import SHOWN, value_words

CHANGES = (7, 30, 90)
OF_MEASURES = {
    Cause.BEHAVIOUR: gettext_lazy("By the account"),
    Cause.SEGMENT: gettext_lazy("By its segment"),
    Cause.FORMULA: gettext_lazy("By the formula"),
}


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One measure's part in the score, the band that its points would be, and how its curve shows the account.

    ``at`` is the account's value as a place on the curve, None without one; ``labels`` are those of choices.
    """

    part: ExplainedMeasure
    band: str
    at: float | str | None
    labels: Mapping[str, Any]

    @property
    def shown(self) -> Any:
        """The value as people know it."""
        return (
            self.labels.get(self.part.value, self.part.value) if isinstance(self.part.value, str) else self.part.value
        )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The measures of one group, the costliest first, with what they give together."""

    group: ExplainedGroup
    rows: list[MeasureRow]


@dataclass(frozen=True, slots=True)
class Health:
    """A score with its reasons by group, and what was left out."""

    explained: HealthExplanation
    groups: list[GroupRow]
    left_out: list[ExplainedMeasure]

    @property
    def counted(self) -> list[MeasureRow]:
        """All measures that count, the costliest first."""
        rows = [row for group in self.groups for row in group.rows]
        return sorted(rows, key=lambda row: -(row.part.cost or 0.0))

    @property
    def stale(self) -> str:
        """How many inputs are older than they should be, in words; empty when none is."""
        return stale_words(self.explained.stale_count, len(self.explained.counted))

    @property
    def sentences(self) -> list[str]:
        """The score told in sentences."""
        return explanation_sentences(self.explained)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a score did lately: by how much it moved in so many days, and for how long it is in its band."""

    band_days: int | None
    changes: list[tuple[int, float | None]]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One measure on both days, its values in words, and by how much it moved the score by each cause on show."""

    change: MeasureChange
    before: str
    after: str
    amounts: list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Change:
    """What moved the score between two days: in sentences, by cause and by measure.

    ``totals`` has the causes that had a part in it beside the override, in words, and how much they did in all; the
    rows have the same causes in the same order. What rounds to nothing is 0.
    """

    change: HealthChange
    sentences: list[str]
    totals: list[tuple[str, float]]
    rows: list[ChangeRow]


def health(
    account: Account, *, named: str = NamedScore.OVERALL, on: date | None = None, now: datetime
) -> Health | None:
    """One score of the account and its reasons, now or on a day before; None without a score."""
    explained = explain_health(account=account, named=named, on=on, now=now)
    if explained is None:
        return None
    return Health(
        explained=explained,
        groups=[
            GroupRow(group, [_row(part, explained.profile) for part in group.measures]) for group in explained.groups
        ],
        left_out=[part for part in explained.measures if part.left_out],
    )


def _row(part: ExplainedMeasure, profile: Profile) -> MeasureRow:
    at = str(part.value).lower() if isinstance(part.value, bool) else part.value
    return MeasureRow(part, profile.band_of(part.points), at, _labels(part))


def _labels(part: ExplainedMeasure) -> dict[str, Any]:
    """The words for choices; numbers need none."""
    return choices_of(part.source) if part.source and isinstance(part.curve, Table) else {}


def summary(account: Account, *, named: str = NamedScore.OVERALL, now: datetime) -> Summary:
    """How the score moved of the account's own doing; one query."""
    prefix = "health" if named == NamedScore.OVERALL else f"health.score.{named}"
    keys = [f"{prefix}.band_days", *(f"{prefix}.change_{days}d" for days in CHANGES)]
    facts = facts_of(account, keys, now=now)
    return Summary(
        band_days=facts[keys[0]].value,
        changes=[(days, facts[f"{prefix}.change_{days}d"].value) for days in CHANGES],
    )


def scores_of(account: Account) -> list[HealthScore]:
    """Every score that the account has, in their order."""
    found = HealthScore.objects.filter(account=account).select_related("named")
    return list(found.order_by("named__position", "named"))


def change(account: Account, *, named: str, since: date, until: date | None, now: datetime) -> Change | None:
    """What moved the score between two days; None when there is no score at all."""
    found = what_changed(account=account, named=named, since=since, until=until, now=now)
    if found is None:
        return None
    currency = Workspace.current().currency
    causes = [cause for cause in OF_MEASURES if any(cause in row.split.causes for row in found.measures)]
    return Change(
        change=found,
        sentences=change_sentences(found),
        totals=_amounts(found.split or Split(), causes),
        rows=[
            ChangeRow(
                row,
                before=_shown(row.before, currency),
                after=_shown(row.after, currency),
                amounts=_amounts(row.split, causes),
            )
            for row in found.measures
        ],
    )


def _amounts(split: Split, causes: Sequence[Cause]) -> list[tuple[str, float]]:
    found = {cause: getattr(split, cause) for cause in causes}
    return [(str(OF_MEASURES[cause]), amount if abs(amount) >= SHOWN else 0.0) for cause, amount in found.items()]


def _shown(part: ExplainedMeasure | None, currency: str) -> str:
    """A value in words, or why there is none."""
    if part is None:
        return NOTHING
    if part.value is not None:
        return value_words(part.value, part.source, currency)
    return {
        LeftOut.NOT_APPLICABLE: _("does not apply"),
        LeftOut.BROKEN: _("not computed"),
        LeftOut.UNSCORED: _("no points"),
    }.get(part.left_out or LeftOut.MISSING, _("not known"))
