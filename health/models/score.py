from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.models import Account
from health.models.formula import Band, NamedScore, Profile
from health.models.override import Override


class HealthScoreQuerySet(models.QuerySet["HealthScore"]):
    def of(self, key: str) -> HealthScoreQuerySet:
        """The scores of the named score with this key."""
        return self.filter(named__key=key)

    def overall(self) -> HealthScoreQuerySet:
        """The overall scores."""
        return self.of(NamedScore.OVERALL)


class HealthDayQuerySet(models.QuerySet["HealthDay"]):
    def of(self, key: str) -> HealthDayQuerySet:
        """The days of the named score with this key."""
        return self.filter(named__key=key)

    def overall(self) -> HealthDayQuerySet:
        """The days of the overall score."""
        return self.of(NamedScore.OVERALL)


class ScoredParts(models.Model):
    """A score and what it is made of.

    ``score`` is 0-100, or empty when no measure had data. Where an override holds, ``score`` is the person's and
    ``computed_score`` the formula's beneath it; otherwise ``computed_score`` is empty.

    The parts stand in the order of the profile's measures, one element each. ``values`` has what was found: the
    number itself, or the place of a choice in the measure's curve (-1 for one that the curve does not name); null
    when nothing was known, NaN where the measure does not apply. ``points`` is null where the measure is left out.
    ``heard`` is when the value's source was last heard, in minutes since 1970.
    """

    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    override = models.ForeignKey(
        Override,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )
    score = models.FloatField(null=True)
    computed_score = models.FloatField(null=True)
    band = models.CharField(max_length=5, choices=Band, blank=True)
    values = ArrayField(models.FloatField(null=True))
    points = ArrayField(models.FloatField(null=True))
    heard = ArrayField(models.IntegerField(null=True))

    class Meta:
        abstract = True


class HealthScore(ScoredParts):
    """One score of one account now.

    ``since`` is when the account entered its band, ``computed_at`` when the row came to be as it is: computing the
    same again leaves it alone. ``stale`` counts the parts in force whose source was not heard for too long.
    ``dropped_at`` is when it was last told as a drop.

    A sweep may write every row anew. Pages are half full and no index but the key is kept, so that the new row lies
    beside the old one and no index has to be told.
    """

    pk = models.CompositePrimaryKey("account_id", "named_id")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="health_scores"
    )
    named = models.ForeignKey(
        NamedScore, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    since = models.DateTimeField()
    stale = models.PositiveSmallIntegerField(default=0)
    computed_at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = HealthScoreQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.account_id} {self.score}"


class HealthDay(ScoredParts):
    """The last of one score of one account on one day of the workspace. Partitioned by month.

    ``formula_shift`` is by how much the score moved on that day because another version came into force.
    """

    pk = models.CompositePrimaryKey("account_id", "named_id", "day")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="health_days"
    )
    named = models.ForeignKey(
        NamedScore, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    day = models.DateField()
    formula_shift = models.FloatField(null=True)

    objects = HealthDayQuerySet.as_manager()

    class Meta:
        # Rows arrive day by day, so a summary of a few bytes finds those of one day.
        indexes = [
            BrinIndex(fields=["day"], name="health_day_brin", autosummarize=True),
            # There are rows for few days only: those on which another version came into force.
            models.Index(
                fields=["account", "named", "day"],
                include=["formula_shift"],
                condition=Q(formula_shift__isnull=False),
                name="health_day_formula_shift",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.score}"
