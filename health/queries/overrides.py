"""Scores set by hand, with what was computed beneath them."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from accounts.models import User
from health.models import HealthScore, Override
from health.models.override import OverrideQuerySet


def overrides_seen_by(user: User) -> OverrideQuerySet:
    """The overrides of the accounts that ``user`` may see, with account, people and named score.

    Each has ``computed_score``, the formula's own beneath it while it holds, and ``band``, which it is in.
    """
    beneath = HealthScore.objects.filter(account=OuterRef("account"), named=OuterRef("named"), override=OuterRef("pk"))
    return (
        Override.objects.visible_to(user)
        .select_related("account__owner", "named", "author", "ended_by")
        .annotate(computed_score=Subquery(beneath.values("computed_score")), band=Subquery(beneath.values("band")))
    )
