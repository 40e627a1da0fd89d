"""Why a score is what it is, as sentences that can be read to a customer."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Workspace
from common.templatetags.ui import stale_words
from health.models import Band, NamedScore, Override
from health.queries.attribution import State, fact_of
from health.queries.explained import ExplainedMeasure, HealthExplanation, LeftOut
from health.queries.words import (
    day_words,
    fact_words,
    listed,
    points_words,
    score_words,
)

MOST_COSTS = 3
LEAST_COST = 1
STRONG = 90


def explanation_sentences(explained: HealthExplanation) -> list[str]:
    """Tell a score: what it is, what costs most, what stands well, what is old, what was left out and why."""
    workspace = Workspace.current()
    costs = _costs(explained)
    return [
        *_headline(explained, workspace),
        *(_cost(row, place, workspace.currency) for place, row in enumerate(costs)),
        *_strengths(explained),
        *_assumed([row for row in explained.counted if row not in costs]),
        *_stale(explained, workspace),
        *_left_out(explained),
    ]


def subject(named: NamedScore) -> str:
    """What a sentence about a score begins with."""
    return _("The score") if named.is_overall else _("The score “%(name)s”") % {"name": named.label}


def author_of(override: Override) -> str:
    """Who set a score by hand."""
    return override.author.name if override.author else _("Somebody who has left")


def _headline(explained: HealthExplanation, workspace: Workspace) -> Iterator[str]:
    words = {"score": subject(explained.named)}
    if explained.override is not None and explained.score is not None:
        yield _("%(author)s set this score to %(points)s by hand on %(day)s, until %(end)s: “%(reason)s”") % {
            "author": author_of(explained.override),
            "points": score_words(explained.override.score),
            "day": day_words(workspace.day(explained.override.created_at)),
            "end": day_words(workspace.day(explained.override.expires_at)),
            "reason": explained.override.reason,
        }
        if explained.computed_score is None:
            yield _("Beneath that nothing is computed: nothing is known that could be scored.")
        else:
            yield _("Beneath that the formula comes to %(points)s.") % {"points": score_words(explained.computed_score)}
    elif explained.score is None:
        yield _("%(score)s is empty: nothing is known that could be scored.") % words
    elif explained.day is None:
        words |= {"points": score_words(explained.score), "band": str(Band(explained.band).label)}
        yield _("%(score)s is %(points)s of 100: %(band)s.") % words
    else:
        words |= {"points": score_words(explained.score), "band": str(Band(explained.band).label)}
        yield _("%(score)s was %(points)s of 100 on %(day)s: %(band)s.") % {**words, "day": day_words(explained.day)}


def _costs(explained: HealthExplanation) -> list[ExplainedMeasure]:
    """What keeps the most points away."""
    costly = [row for row in explained.counted if (row.cost or 0.0) >= LEAST_COST]
    return sorted(costly, key=lambda row: -(row.cost or 0.0))[:MOST_COSTS]


def _cost(row: ExplainedMeasure, place: int, currency: str) -> str:
    fact = fact_of(row)
    words = {
        "measure": row.label,
        "points": score_words(row.points or 0.0),
        "cost": points_words(row.cost or 0.0),
        "value": fact_words(fact, row.source, currency),
    }
    if fact.state == State.MISSING:
        if place == 0:
            return (
                _("%(measure)s costs most: nothing is known of it, so %(points)s of 100 count, %(cost)s less.") % words
            )
        return _("%(measure)s: nothing is known of it, so %(points)s of 100 count, which costs %(cost)s.") % words
    if fact.state == State.UNNAMED:
        return _("%(measure)s has a value without points, so %(points)s of 100 count, which costs %(cost)s.") % words
    if place == 0:
        return _("%(measure)s costs most: %(value)s earns %(points)s of 100, which costs %(cost)s.") % words
    return _("%(measure)s: %(value)s earns %(points)s of 100, which costs %(cost)s.") % words


def _strengths(explained: HealthExplanation) -> Iterator[str]:
    strong = [row.label for row in explained.counted if (row.points or 0.0) >= STRONG]
    if strong:
        yield ngettext(
            "%(measures)s has %(points)s of 100 points or more.",
            "%(measures)s have %(points)s of 100 points or more each.",
            len(strong),
        ) % {"measures": listed(strong), "points": STRONG}


def _assumed(rows: list[ExplainedMeasure]) -> Iterator[str]:
    for row in rows:
        if fact_of(row).state == State.MISSING:
            yield _("Nothing is known of %(measure)s, which counts as %(points)s of 100.") % {
                "measure": row.label,
                "points": score_words(row.points or 0.0),
            }


def _stale(explained: HealthExplanation, workspace: Workspace) -> Iterator[str]:
    old = [row for row in explained.counted if row.is_stale and row.heard_at]
    if old:
        yield _("%(stale)s: %(measures)s.") % {
            "stale": stale_words(len(old), len(explained.counted)),
            "measures": listed(
                _("%(measure)s (last heard on %(day)s)")
                % {"measure": row.label, "day": day_words(workspace.day(row.heard_at))}
                for row in old
                if row.heard_at
            ),
        }


def _left_out(explained: HealthExplanation) -> Iterator[str]:
    told = {
        LeftOut.MISSING: _("Left out, as nothing is known: %(measures)s."),
        LeftOut.NOT_APPLICABLE: _("Left out, as it does not apply to this account: %(measures)s."),
        LeftOut.UNSCORED: _("Left out, as its value has no points: %(measures)s."),
        LeftOut.BROKEN: _("Left out, as it cannot be computed: %(measures)s."),
    }
    for why, sentence in told.items():
        labels = [row.label for row in explained.measures if row.left_out == why]
        if labels:
            yield sentence % {"measures": listed(labels)}
