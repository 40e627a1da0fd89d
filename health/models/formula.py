"""What scores are computed from: versions of the formula, each with all its measures and profiles."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Segment


class Band(models.TextChoices):
    """The three bands that a score falls into."""

    GOOD = "good", _("Good")
    WATCH = "watch", _("Watch")
    POOR = "poor", _("Poor")


class NamedScore(models.Model):
    """One score that accounts have: the overall one, or one of a kind such as product fit or relationship.

    ``drop_points`` is how far it must fall within a week to be told as a drop.
    """

    OVERALL = "overall"

    id = models.SmallAutoField(primary_key=True)
    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    drop_points = models.PositiveSmallIntegerField(default=10)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            # The key stands in computed SQL and in the key of an attribute.
            models.CheckConstraint(condition=Q(key__regex=r"^[-a-zA-Z0-9_]+$"), name="health_namedscore_key_is_a_slug"),
            models.CheckConstraint(condition=Q(drop_points__range=(1, 100)), name="health_namedscore_drop_1_to_100"),
        ]

    def __str__(self) -> str:
        return self.label

    @classmethod
    def overall(cls) -> NamedScore:
        """The score that is meant where none is named; made when the deployment is new."""
        return cls.objects.get_or_create(key=cls.OVERALL, defaults={"label": "Health"})[0]

    @classmethod
    def every(cls) -> list[NamedScore]:
        """All named scores in their order, the overall one among them."""
        found = list(NamedScore.objects.all())
        return found if any(named.is_overall for named in found) else [cls.overall(), *found]

    @property
    def is_overall(self) -> bool:
        return self.key == self.OVERALL


class VersionQuerySet(models.QuerySet["Version"]):
    def draft(self) -> VersionQuerySet:
        """The version that is being worked on; there is at most one."""
        return self.filter(published_at=None)

    def published(self) -> VersionQuerySet:
        """Versions that are in force, were, or will be; the one that takes effect last comes first."""
        return self.filter(published_at__isnull=False).order_by("-effective_at", "-number")

    def in_force(self, now: datetime) -> Version | None:
        """The version that scores are computed with at ``now``."""
        return self.published().filter(effective_at__lte=now).first()


class Version(models.Model):
    """One formula: every measure and profile as they are in force together.

    A draft can be changed. What is published never is: scores of old days stay explained by what they were computed
    with. Of the published versions, the one that took effect last is in force; one with ``effective_at`` ahead waits.
    """

    number = models.PositiveIntegerField(unique=True)
    note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    based_on = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["published_at"],
                condition=Q(published_at=None),
                nulls_distinct=False,
                name="health_version_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(published_at=None, effective_at=None)
                | Q(published_at__isnull=False, effective_at__gte=models.F("published_at")),
                name="health_version_effective_when_published",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.published_at is None


class Measure(models.Model):
    """One fact about an account that is scored 0-100: an attribute and the curve from its value to points.

    ``curve`` is one of three: a list of ``[value, points]`` with ascending values, interpolated in a straight line,
    the nearest one holding outside; ``{"below": points, "steps": [[value, points], ...]}``, where each step holds
    from its value on; or, over a choice or a yes-or-no, an object from value to points. ``direction`` says which
    way is better and so how points may run. ``applies_when`` is a condition: where it does not hold, the measure is
    left out, and so it is where its attribute makes no sense, such as a feature outside the plan.
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

    class Direction(models.TextChoices):
        HIGHER = "higher", _("Higher is better")
        LOWER = "lower", _("Lower is better")
        MIDDLE = "middle", _("Best in the middle")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="measures")
    key = models.SlugField(max_length=64)
    label = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    group = models.CharField(max_length=20, choices=Group)
    attribute = models.CharField(max_length=150)
    curve = models.JSONField()
    direction = models.CharField(max_length=10, choices=Direction, default=Direction.HIGHER)
    missing = models.CharField(max_length=10, choices=Missing, default=Missing.LEAVE_OUT)
    stale_after_days = models.PositiveSmallIntegerField(null=True, blank=True)
    applies_when = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="health_measure_once_a_version"),
            # The key stands in computed SQL and in the key of an attribute.
            models.CheckConstraint(condition=Q(key__regex=r"^[-a-zA-Z0-9_]+$"), name="health_measure_key_is_a_slug"),
        ]

    def __str__(self) -> str:
        return self.label


class Profile(models.Model):
    """One score of one segment: which measures apply there, with which weight, and where the bands begin."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="profiles")
    named = models.ForeignKey(NamedScore, on_delete=models.PROTECT, related_name="profiles")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="profiles")
    name = models.CharField(max_length=200)
    good_from = models.PositiveSmallIntegerField(default=70)
    watch_from = models.PositiveSmallIntegerField(default=40)
    measures = models.ManyToManyField(Measure, through="health.ProfileMeasure", related_name="profiles")

    class Meta:
        ordering = ["named__position", "segment__priority"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "named", "segment"], name="health_profile_one_a_segment_and_score"
            ),
            models.CheckConstraint(
                condition=Q(watch_from__gt=0, good_from__gt=models.F("watch_from"), good_from__lte=100),
                name="health_profile_bands_ascend",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def band_of(self, score: float | None) -> str:
        """The band that ``score`` is in here; empty without a score."""
        if score is None:
            return ""
        return Band.GOOD if score >= self.good_from else Band.WATCH if score >= self.watch_from else Band.POOR


class ProfileMeasure(models.Model):
    """One measure within one profile, how much it weighs there, and its place among the parts of a score."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="profile_measures")
    measure = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="profile_measures")
    weight = models.DecimalField(max_digits=7, decimal_places=3, default=1)

    class Meta:
        # The parts of a kept score stand in this order.
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "measure"], name="health_profilemeasure_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="health_profilemeasure_weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.measure_id} × {self.weight}"
