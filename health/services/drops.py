"""Scores that fell far within a week by the customer's doing: told once, so that somebody looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.attributes import Context
from accounts.services.ledger import record_many
from common.doorbell import ring
from common.locks import only_one
from common.sql import SQL, rows, value
from health.models import HealthDay, HealthScore, NamedScore, ProfileMeasure
from health.models.score import ScoredParts
from health.queries.attribution import Scored, effects, scored_rows
from health.queries.explain import explain_parts, parts_of
from health.services.events import health_event

WITHIN = timedelta(days=7)
RECENTLY = timedelta(minutes=10)
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Drop:
    """One score that fell: what was computed now, and at the end of ``day`` as the formulas since would have it."""

    account_id: int
    named_id: int
    score: float
    before: float
    day: date


def tell_drops(*, now: datetime, everywhere: bool = False) -> int:
    """Write the event of each score that fell by its ``drop_points`` within a week; returns how many there were.

    It is measured against the highest of the last seven days, by what was computed: neither an override nor a new
    formula is a drop. Of one score of an account there is at most one in seven days. Looks at scores that changed in
    the last ten minutes, or ``everywhere``; safe to run twice and at once, and to be killed over.
    """
    with only_one("health.drops") as alone:
        if not alone:
            return 0
        context = Context.at(now)
        found = [Drop(*row) for row in rows(_mark(context, None if everywhere else now - RECENTLY))]
        causes = _causes(found, now)
        scores = {named.pk: named for named in NamedScore.objects.all()}
        record_many(
            [
                health_event(
                    "dropped",
                    named=scores[drop.named_id],
                    account_id=drop.account_id,
                    happened_at=now,
                    data={
                        "score": drop.score,
                        "before": drop.before,
                        "points": drop.before - drop.score,
                        "days": (context.today - drop.day).days,
                        **causes.get(drop, {}),
                    },
                )
                for drop in found
            ],
            touches=False,
        )
        if found:
            ring("playbooks.tick")
        return len(found)


def _mark(context: Context, since: datetime | None) -> SQL:
    """Note on up to ``AT_ONCE`` scores that they dropped, and answer with what is told of each.

    A score that is being computed at this moment is left to the next look: waiting for it could be a deadlock.
    """
    return SQL("""
        UPDATE health_healthscore s SET dropped_at = {now} FROM (
            SELECT h.account_id, h.named_id, computed.score, highest.before, highest.day
            FROM health_healthscore h
            JOIN health_namedscore n ON n.id = h.named_id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN h.override_id IS NULL THEN h.score ELSE h.computed_score END AS score
            ) computed
            CROSS JOIN LATERAL (
                SELECT day, computed + coalesce(shifted, 0) AS before FROM (
                    SELECT d.day, CASE WHEN d.override_id IS NULL THEN d.score ELSE d.computed_score END AS computed,
                        sum(d.formula_shift) OVER (ORDER BY d.day DESC
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS shifted
                    FROM health_healthday d WHERE d.account_id = h.account_id AND d.named_id = h.named_id
                        AND d.day BETWEEN {first} AND {today}
                ) days WHERE day < {today} AND computed IS NOT NULL ORDER BY before DESC, day DESC LIMIT 1
            ) highest
            WHERE {recent} AND (h.dropped_at IS NULL OR h.dropped_at <= {quiet})
                AND highest.before - computed.score >= n.drop_points
            LIMIT {limit} FOR UPDATE OF h SKIP LOCKED
        ) fell WHERE s.account_id = fell.account_id AND s.named_id = fell.named_id
        RETURNING fell.account_id, fell.named_id, fell.score, fell.before, fell.day
    """).format(
        now=value(context.now),
        first=SQL("%s::date", (context.today - WITHIN,)),
        today=SQL("%s::date", (context.today,)),
        recent=SQL("h.computed_at >= {}").format(value(since)) if since else SQL("TRUE"),
        quiet=value(context.now - WITHIN),
        limit=value(AT_ONCE),
    )


def _causes(drops: Sequence[Drop], now: datetime) -> dict[Drop, Mapping[str, object]]:
    """The measure that took most points of each, where the formula is the one of the day before; three queries."""
    if not drops:
        return {}
    accounts = {drop.account_id for drop in drops}
    scores = {(row.account_id, row.named_id): row for row in HealthScore.objects.filter(account__in=accounts)}
    found = HealthDay.objects.filter(account__in=accounts, day__in={drop.day for drop in drops})
    days = {(row.account_id, row.named_id, row.day): row for row in found}
    parts = parts_of({row.profile_id for row in scores.values()})
    causes = {}
    for drop in drops:
        row, day = scores[drop.account_id, drop.named_id], days[drop.account_id, drop.named_id, drop.day]
        if row.profile_id == day.profile_id:
            causes[drop] = _cause(day, row, parts[row.profile_id], now)
    return causes


def _cause(day: HealthDay, row: HealthScore, parts: Sequence[ProfileMeasure], now: datetime) -> Mapping[str, object]:
    def taken_apart(scored: ScoredParts) -> list[Scored]:
        return scored_rows(explain_parts(scored, parts, moment=now))

    moved = effects(taken_apart(day), taken_apart(row))
    most = min(moved, key=lambda key: moved[key])
    label = next(part.measure.label for part in parts if part.measure.key == most)
    return {"measure": label, "by": moved[most]}
