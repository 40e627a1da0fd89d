"""What happened to scores, in words: nobody takes a new formula or a person for the customer."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Event
from console.timeline import tell
from health.models import NamedScore
from tests.factories import NOW, AccountFactory

pytestmark = pytest.mark.django_db

BANDS = {"from": "good", "to": "watch", "score": 61.25}
DROP = {"score": 68.2, "before": 82.2, "points": 14.0, "days": 7, "measure": "Messaging", "by": -9.5}


@pytest.mark.parametrize(
    ("kind", "data", "title", "tone", "detail"),
    [
        ("health.band_changed", BANDS, "Health went from Good to Watch", "watch", "Score 61.3"),
        ("health.band_changed", {"from": "", "to": "poor"}, "Health has its first score: Poor", "poor", ""),
        ("health.band_changed", {"from": "poor", "to": ""}, "Health has no score any more", "", ""),
        (
            "health.band_restated",
            {**BANDS, "version": 3},
            "A new formula (version 3) moved Health from Good to Watch",
            "",
            "Score 61.3 · Not the customer’s doing: the same figures are counted in another way.",
        ),
        (
            "health.score.band_changed",
            {**BANDS, "named": "fit"},
            "Product fit went from Good to Watch",
            "watch",
            "Score 61.3",
        ),
        (
            "health.overridden",
            {**BANDS, "computed": 42.5, "reason": "They renew", "until": "2026-03-20T22:59:00+00:00"},
            "Health was set to 61 by hand until March 20",
            "watch",
            "They renew · computed beneath: 42.5",
        ),
        (
            "health.override_ended",
            {**BANDS, "computed": 42.5, "how": "expired"},
            "The time of what was set by hand is over: Health is computed again, Watch",
            "watch",
            "Score 42.5",
        ),
        (
            "health.override_ended",
            {**BANDS, "computed": 42.5, "how": "ended"},
            "What was set by hand was ended: Health is computed again, Watch",
            "watch",
            "Score 42.5",
        ),
        ("health.override_ended", {**BANDS, "how": "replaced"}, "What was set by hand for Health was replaced", "", ""),
        (
            "health.dropped",
            DROP,
            "Health fell 14 points in 7 days, from 82 to 68",
            "poor",
            "most by Messaging, \u22129.5",
        ),
        (
            "health.score.dropped",
            {**DROP, "days": 1, "measure": "", "named": "fit"},
            "Product fit fell 14 points in 1 day, from 82 to 68",
            "poor",
            "",
        ),
        ("health.unheard_of", {}, "Health unheard of", "", ""),
    ],
)
def test_change_is_told_in_words(kind: str, data: dict[str, Any], title: str, tone: str, detail: str) -> None:
    NamedScore.objects.create(key="fit", label="Product fit")
    event = Event(account=AccountFactory(), kind=kind, happened_at=NOW, data=data)

    [told] = tell([event], currency="USD")

    assert (told.title, told.tone, told.detail) == (title, tone, detail)
