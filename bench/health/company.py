"""Six segments of eight measures each, as definitions of the product and as somebody would write them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Segment
from health.services import create_measure, create_profile, open_draft, publish

USE: list[list[float]] = [[0, 0], [20, 60], [100, 100]]
FEATURES = (1, 2, 3, 16, 20, 30)
"""The features whose use is measured; those from 16 on are outside of some plans."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One measure: its attribute, curve, what missing data means, and after how many days it is old."""

    attribute: str
    curve: list[list[float]]
    missing: str
    stale_after_days: int | None = None


MEASURES = {
    **{f"use-{n}": Scored(f"usage.feature-{n}.28d", USE, "worst", 14) for n in FEATURES},
    "trend": Scored("usage.change_28d", [[-50, 0], [0, 60], [50, 100]], "leave_out", 14),
    "recency": Scored("usage.days_since", [[0, 100], [14, 60], [45, 0]], "worst"),
    "seats": Scored("seats.active_share", [[0, 0], [5, 80], [20, 100]], "leave_out", 28),
    "tickets": Scored("tickets.open", [[0, 100], [3, 50], [8, 0]], "leave_out"),
    "opened": Scored("tickets.opened_28d", [[0, 100], [5, 0]], "leave_out"),
    "touch": Scored("touch.days_since", [[7, 100], [60, 40], [120, 0]], "neutral", 90),
    "renewal": Scored("days_to_renewal", [[0, 20], [90, 70], [365, 100]], "leave_out", 60),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One segment: its condition, the same by hand over ``a`` and ``su``, and the weights of its measures.

    ``{upper}`` stands for the ids of the two upper plans.
    """

    condition: dict[str, Any]
    by_hand: str
    weights: dict[str, int]


def _leaf(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


SEGMENTS = {
    "enterprise": Part(
        _leaf("seats", "gte", 500),
        "a.seats >= 500",
        {"use-1": 2, "use-2": 1, "use-16": 1, "trend": 1, "seats": 2, "tickets": 1, "touch": 1, "renewal": 1},
    ),
    "high-touch": Part(
        {"all": [_leaf("touch_model", "is", "high_touch"), _leaf("plan", "in", ["plan-2", "plan-3"])]},
        "a.touch_model = 'high_touch' AND a.plan_id IN ({upper})",
        {"use-1": 1, "use-3": 1, "use-20": 1, "trend": 2, "recency": 1, "opened": 1, "touch": 2, "renewal": 1},
    ),
    "beta": Part(
        _leaf("tags", "has_any", ["beta"]),
        "a.tags && ARRAY['beta']::varchar[]",
        {"use-2": 1, "use-3": 1, "use-16": 1, "use-20": 1, "use-30": 1, "recency": 1, "seats": 1, "opened": 1},
    ),
    "middle": Part(
        {"any": [_leaf("seats", "gte", 100), _leaf("mrr", "gte", 3000)]},
        "a.seats >= 100 OR coalesce(su.mrr, 0) >= 3000",
        {"use-1": 1, "use-2": 1, "use-3": 1, "trend": 1, "recency": 1, "seats": 1, "tickets": 1, "renewal": 1},
    ),
    "low-touch": Part(
        _leaf("touch_model", "is", "low_touch"),
        "a.touch_model = 'low_touch'",
        {"use-1": 3, "use-2": 1, "use-30": 1, "trend": 1, "recency": 2, "tickets": 1, "opened": 1, "seats": 1},
    ),
    "rest": Part(
        {"all": []},
        "TRUE",
        {"use-1": 1, "use-2": 1, "use-3": 1, "use-16": 1, "recency": 1, "seats": 1, "tickets": 1, "renewal": 1},
    ),
}


def define(now: datetime) -> None:
    """Put the six profiles in force."""
    draft = open_draft(by=None, now=now)
    for key, scored in MEASURES.items():
        create_measure(
            draft=draft,
            key=key,
            label=key,
            attribute=scored.attribute,
            curve=scored.curve,
            missing=scored.missing,
            stale_after_days=scored.stale_after_days,
            now=now,
        )
    for priority, (key, part) in enumerate(SEGMENTS.items(), 1):
        segment = Segment.objects.create(key=key, name=key, priority=priority, condition=part.condition)
        create_profile(draft=draft, name=key, segment=segment, weights=part.weights, now=now)
    publish(draft=draft, by=None, note="First", now=now)
