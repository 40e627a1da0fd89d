"""How the demo company computes health: a first formula, a better one half a year later, and a draft of the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Segment, User
from health.library import BY_KEY
from health.models import NamedScore, Version
from health.services import (
    create_measure,
    create_named_score,
    create_profile,
    open_draft,
    publish,
    update_measure,
    update_profile,
)

REVISED_DAYS_AGO = 130
"""The second formula takes effect at the first look so many days ago or less."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One measure: its key, the ready measure that it was made from, and what the company changed of that."""

    key: str
    ready: str
    feature: str = ""
    label: str = ""
    curve: Any = None
    missing: str = ""


MEASURES = (
    Scored("seats", "seats-in-use"),
    Scored("breadth", "adoption-breadth", curve=[[15, 0], [45, 40], [70, 80], [90, 100]]),
    Scored("trend", "usage-trend", curve=[[-35, 0], [-10, 40], [5, 70], [30, 100]]),
    Scored("recency", "login-recency"),
    Scored("messaging", "feature-use", "messaging", "Messaging", [[0, 0], [150, 40], [1200, 100]], missing="leave_out"),
    Scored("tasks", "feature-use", "tasks", "Tasks", [[0, 0], [40, 40], [300, 100]]),
    Scored("champion", "champions"),
    Scored("touch", "days-since-touch"),
    Scored("nps", "nps"),
    Scored("csat", "csat"),
    Scored("open", "tickets-open"),
    Scored("urgent", "tickets-urgent"),
)
"""Those of the first formula; two more are the company's own."""

OWN: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "load",
        {
            "label": "New tickets",
            "description": "How many requests for support came in 28 days.",
            "group": "support",
            "attribute": "tickets.opened_28d",
            "curve": [[0, 100], [2, 60], [6, 0]],
            "missing": "neutral",
        },
    ),
    (
        "payment",
        {
            "label": "Paying on time",
            "description": "How many days late the last invoice was paid.",
            "group": "money",
            "attribute": "custom.invoice_days_late",
            "curve": [[0, 100], [10, 60], [30, 0]],
        },
    ),
)

# segment -> (good from, watch from, {measure: weight})
PROFILES: dict[str, tuple[int, int, dict[str, float]]] = {
    "enterprise": (
        75,
        55,
        {
            "seats": 3,
            "breadth": 2,
            "trend": 3,
            "messaging": 1,
            "champion": 3,
            "touch": 2,
            "nps": 2,
            "open": 1,
            "urgent": 2,
            "payment": 1,
        },
    ),
    "mid-market": (
        72,
        52,
        {
            "seats": 3,
            "breadth": 2,
            "trend": 3,
            "messaging": 2,
            "champion": 2,
            "touch": 1,
            "nps": 2,
            "csat": 1,
            "urgent": 2,
            "payment": 1,
        },
    ),
    "growth": (
        68,
        48,
        {"seats": 2, "breadth": 2, "trend": 3, "messaging": 2, "tasks": 2, "touch": 1, "nps": 1, "open": 1, "load": 1},
    ),
    "self-service": (65, 45, {"recency": 3, "seats": 2, "breadth": 2, "trend": 2, "tasks": 2, "nps": 1, "payment": 2}),
}

ADDED = (Scored("reopened", "tickets-reopened"), Scored("sponsor", "sponsor-lost"), Scored("rating", "csm-rating"))
"""What the second formula counts besides."""

ADDED_WEIGHTS: dict[str, dict[str, float]] = {
    "enterprise": {"reopened": 2, "sponsor": 2},
    "mid-market": {"reopened": 1, "sponsor": 2},
}

RELATIONSHIP_SEGMENTS = ("enterprise", "mid-market", "growth")
RELATIONSHIP = ("champion", "sponsor", "touch", "nps", "rating")


def first_version(segments: dict[str, Segment], *, author: User, now: datetime) -> None:
    """Define the first formula and put it in force."""
    draft = open_draft(by=author, now=now)
    for scored in MEASURES:
        _add(draft, scored, now)
    for key, own in OWN:
        create_measure(draft=draft, key=key, now=now, **own)
    for key, (good_from, watch_from, weights) in PROFILES.items():
        create_profile(
            draft=draft,
            name=segments[key].name,
            segment=segments[key],
            weights=weights,
            good_from=good_from,
            watch_from=watch_from,
            now=now,
        )
    publish(draft=draft, by=author, note="First version", now=now)


def second_version(*, author: User, now: datetime) -> None:
    """Count lost sponsors and reopened tickets, and tell the relationship as a score of its own."""
    draft = open_draft(by=author, now=now)
    for scored in ADDED:
        _add(draft, scored, now)
    for profile in draft.profiles.select_related("segment", "version"):
        if added := ADDED_WEIGHTS.get(profile.segment.key):
            update_profile(profile=profile, now=now, weights={**PROFILES[profile.segment.key][2], **added})
    named = create_named_score(
        key="relationship",
        label="Relationship",
        description="How well we stand with the people there, whatever they do in the product.",
        drop_points=15,
    )
    for segment in Segment.objects.filter(key__in=RELATIONSHIP_SEGMENTS):
        create_profile(
            draft=draft,
            named=named,
            name=f"Relationship: {segment.name}",
            segment=segment,
            weights=dict.fromkeys(RELATIONSHIP, 1),
            good_from=65,
            watch_from=45,
            now=now,
        )
    note = "Two customers left after their sponsor had, with good scores: count that, and tickets opened again."
    publish(draft=draft, by=author, note=note, now=now)


def next_draft(*, author: User, now: datetime) -> None:
    """Leave a draft with one change: new customers are to be spoken with more often."""
    draft = open_draft(by=author, now=now - timedelta(hours=20))
    touch = draft.measures.select_related("version").get(key="touch")
    update_measure(measure=touch, now=now - timedelta(hours=19), curve=[[7, 100], [30, 60], [60, 0]])


def has_second_version() -> bool:
    """Whether the second formula is there already."""
    return NamedScore.objects.filter(key="relationship").exists()


def _add(draft: Version, scored: Scored, now: datetime) -> None:
    ready = BY_KEY[scored.ready]
    create_measure(
        draft=draft,
        key=scored.key,
        now=now,
        label=scored.label or str(ready.label),
        description=str(ready.description),
        group=ready.group,
        attribute=ready.attribute_of(scored.feature),
        curve=scored.curve or ready.curve,
        direction=ready.direction,
        missing=scored.missing or ready.missing,
        stale_after_days=ready.stale_after_days,
        applies_when=ready.applies_when,
    )
