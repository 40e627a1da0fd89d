"""How scores are spread now: over all accounts that one may see, or over those of one segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import Count
from django.db.models.functions import Floor

from accounts.models import Account, Segment, User
from health.models import HealthScore, NamedScore

WIDTH = 5
FULL = 100


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """How many accounts have each whole score, and how many have none."""

    counts: Mapping[int, int]
    without: int

    @property
    def accounts(self) -> int:
        return sum(self.counts.values())

    def bands(self, good_from: int, watch_from: int) -> dict[str, int]:
        """How many accounts would be in each band."""
        found = {"good": 0, "watch": 0, "poor": 0}
        for whole, count in self.counts.items():
            found[_tone(whole, good_from, watch_from)] += count
        return found

    def picture(self, good_from: int, watch_from: int) -> dict[str, Any]:
        """The data of ``components/histogram.html``: bars of five points, cut where a band begins."""
        edges = sorted({*range(0, FULL + 1, WIDTH), good_from, watch_from})
        bins = [
            {
                "from": start,
                "to": end,
                "count": sum(self.counts.get(whole, 0) for whole in range(start, end + (end == FULL))),
                "tone": _tone(start, good_from, watch_from),
            }
            for start, end in pairwise(edges)
        ]
        known = sorted(Counter(dict(self.counts)).elements())
        return {
            "bins": bins,
            "missing": self.without,
            "quantiles": {"p50": known[len(known) // 2]} if known else {},
            "min": known[0] if known else None,
            "max": known[-1] if known else None,
        }


def score_spread(user: User, named: NamedScore, *, segment: Segment | None = None) -> ScoreSpread:
    """The scores of the live accounts that ``user`` may see; with ``segment``, of those that its profile decides.

    One query.
    """
    scores = HealthScore.objects.filter(named=named, account__in=Account.objects.visible_to(user).live())
    if segment is not None:
        scores = scores.filter(profile__segment=segment)
    counted = dict(
        scores.order_by().annotate(whole=Floor("score")).values_list("whole").annotate(accounts=Count("account_id"))
    )
    without = counted.pop(None, 0)
    return ScoreSpread({int(whole): count for whole, count in counted.items()}, without)


def _tone(whole: int, good_from: int, watch_from: int) -> str:
    return "good" if whole >= good_from else "watch" if whole >= watch_from else "poor"
