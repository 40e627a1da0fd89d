from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Segment


class Band(models.TextChoices):
    """The three bands that a score falls into."""

    GOOD = "good", _("Good")
    WATCH = "watch", _("Watch")
    POOR = "poor", _("Poor")


class Measure(models.Model):
    """One fact about an account that is scored 0-100: an attribute and the curve from its value to points.

    ``curve`` is a list of ``[value, points]`` with ascending values; between two of them the points are
    interpolated in a straight line, outside them the nearest one holds. Over a choice or a yes-or-no it is an
    object from value to points.
    """

    class Missing(models.TextChoices):
        LEAVE_OUT = "leave_out", _("Leave it out")
        NEUTRAL = "neutral", _("Score it 50")
        WORST = "worst", _("Score it 0")

    class Group(models.TextChoices):
        USAGE = "usage", _("Usage")
        RELATIONSHIP = "relationship", _("Relationship")
        OUTCOME = "outcome", _("Outcome")
        SUPPORT = "support", _("Support")
        MONEY = "money", _("Money")

    key = models.SlugField(max_length=64, unique=True)
    label = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    group = models.CharField(max_length=20, choices=Group)
    attribute = models.CharField(max_length=150)
    curve = models.JSONField()
    missing = models.CharField(max_length=10, choices=Missing, default=Missing.LEAVE_OUT)
    stale_after_days = models.PositiveSmallIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["label"]
        constraints = [
            # The key stands in computed SQL and in the key of an attribute.
            models.CheckConstraint(condition=Q(key__regex=r"^[-a-zA-Z0-9_]+$"), name="health_measure_key_is_a_slug"),
        ]

    def __str__(self) -> str:
        return self.label


class Profile(models.Model):
    """The health score of one segment: which measures apply there, with which weight, and where the bands begin."""

    name = models.CharField(max_length=200)
    segment = models.OneToOneField(Segment, on_delete=models.PROTECT, related_name="profile")
    good_from = models.PositiveSmallIntegerField(default=70)
    watch_from = models.PositiveSmallIntegerField(default=40)
    measures = models.ManyToManyField(Measure, through="health.ProfileMeasure", related_name="profiles")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["segment__priority"]
        constraints = [
            models.CheckConstraint(
                condition=Q(watch_from__gt=0, good_from__gt=models.F("watch_from"), good_from__lte=100),
                name="health_profile_bands_ascend",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ProfileMeasure(models.Model):
    """One measure within one profile, and how much it weighs there."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="profile_measures")
    measure = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="profile_measures")
    weight = models.DecimalField(max_digits=7, decimal_places=3, default=1)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "measure"], name="health_profilemeasure_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="health_profilemeasure_weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.measure_id} × {self.weight}"


class HealthScore(models.Model):
    """The health of one account now, and what it is made of.

    ``score`` is 0-100, or empty when no measure had data. ``components`` has one list for each measure of the
    profile: ``[measure key, value, points, weight, last heard (epoch seconds)]``, without points when the value is
    missing and the measure is left out then; only ``[measure key]`` when it makes no sense for the account, such as
    the use of a feature outside its plan. ``since`` is when the account entered its band, ``computed_at`` when the
    row came to be as it is: computing the same again leaves it alone.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="health"
    )
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_constraint=False, related_name="scores")
    score = models.FloatField(null=True)
    band = models.CharField(max_length=5, choices=Band, blank=True)
    since = models.DateTimeField()
    components = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["band", "score"], name="health_score_by_band")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.score}"


class HealthDay(models.Model):
    """The last health of one account on one day of the workspace. Partitioned by month; outlives the profile."""

    pk = models.CompositePrimaryKey("account_id", "day")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_constraint=False, related_name="health_days")
    day = models.DateField()
    profile = models.ForeignKey(Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    score = models.FloatField(null=True)
    band = models.CharField(max_length=5, choices=Band, blank=True)
    components = models.JSONField()

    class Meta:
        # Rows arrive day by day, so a summary of a few bytes finds those of one day.
        indexes = [BrinIndex(fields=["day"], name="health_day_brin", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.score}"


class Sweep(models.Model):
    """One computation of the whole base, in chunks; an unfinished one is gone on with, also after a crash."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        get_latest_by = "started_at"
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None),
                nulls_distinct=False,
                name="health_sweep_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.started_at)


class SweepChunk(models.Model):
    """The accounts of one sweep from ``first_id`` to ``last_id``; ``scored`` tells how many had a profile."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="chunks")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    done_at = models.DateTimeField(null=True, blank=True)
    scored = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(done_at=None), name="health_sweepchunk_waiting")]

    def __str__(self) -> str:
        return f"{self.first_id}-{self.last_id}"
