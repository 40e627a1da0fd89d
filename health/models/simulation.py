"""A draft tried on the whole base: what each account would score, and how the lost would have been ranked."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from health.models.formula import Band, NamedScore, Version


class Simulation(models.Model):
    """One trial of a draft over the whole base, beside ``against``, the version that was in force when it began.

    It writes no score that anybody works with. ``draft_changed_at`` is the state of the draft that was tried.
    ``profiles`` keeps, by the id of a profile, what a row needs to be read after the draft has changed: ``name``,
    ``segment`` and ``parts``, a list of ``[measure key, label, weight]``. ``failing`` names the attributes of which
    some value could not be read; where that is so, measures of them are left out. ``problem`` says why it was given
    up.
    """

    class Problem(models.TextChoices):
        DRAFT_CHANGED = (
            "draft_changed",
            _("The draft was changed while it was simulated; run the simulation again."),
        )

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="simulations")
    draft_changed_at = models.DateTimeField()
    against = models.ForeignKey(Version, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=20, choices=Problem, blank=True)
    profiles = models.JSONField(default=dict)
    failing = ArrayField(models.CharField(max_length=150), default=list, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None),
                nulls_distinct=False,
                name="health_simulation_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.started_at}"

    @property
    def is_complete(self) -> bool:
        """Whether it ran to its end, so that there is something to read."""
        return self.finished_at is not None and not self.problem

    def is_out_of_date(self, now: datetime) -> bool:
        """Whether the draft was changed since, or another version is in force than it was compared with."""
        return self.version.changed_at != self.draft_changed_at or Version.objects.in_force(now) != self.against


class SimulationChunk(models.Model):
    """A piece of a simulation: the accounts from ``first_id`` to ``last_id``, or the accounts lost in some days."""

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="chunks")
    first_id = models.BigIntegerField(null=True, blank=True)
    last_id = models.BigIntegerField(null=True, blank=True)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(done_at=None), name="health_simulationchunk_waiting")]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_id__isnull=False, last_id__isnull=False, first_day=None, last_day=None)
                | Q(first_id=None, last_id=None, first_day__isnull=False, last_day__isnull=False),
                name="health_simulationchunk_accounts_or_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id or self.first_day}-{self.last_id or self.last_day}"


class SimulatedScore(models.Model):
    """One score of one account by the version in force and by the draft, both from the same facts, no override.

    ``profile_*`` is the id of the profile that scored it (see ``Simulation.profiles``), empty where none did.
    ``values_*`` and ``points_*`` are as in ``ScoredParts``. ``mrr`` is what the account was worth then.
    """

    pk = models.CompositePrimaryKey("simulation_id", "named_id", "account_id")
    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, db_index=False, related_name="scores")
    named = models.ForeignKey(
        NamedScore, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    mrr = models.DecimalField(max_digits=14, decimal_places=2)
    profile_before = models.BigIntegerField(null=True)
    profile_after = models.BigIntegerField(null=True)
    score_before = models.FloatField(null=True)
    score_after = models.FloatField(null=True)
    band_before = models.CharField(max_length=5, choices=Band, blank=True)
    band_after = models.CharField(max_length=5, choices=Band, blank=True)
    stale_before = models.PositiveSmallIntegerField(default=0)
    stale_after = models.PositiveSmallIntegerField(default=0)
    values_before = ArrayField(models.FloatField(null=True))
    values_after = ArrayField(models.FloatField(null=True))
    points_before = ArrayField(models.FloatField(null=True))
    points_after = ArrayField(models.FloatField(null=True))

    def __str__(self) -> str:
        return f"{self.account_id} {self.score_before} > {self.score_after}"


class SimulatedLoss(models.Model):
    """How one score would have ranked one account that was lost, by each formula, from what was recorded before.

    ``day`` is the day of the record, empty when there is none. ``rank_*`` is the share of the ``compared_*``
    accounts of that day that scored lower, ties half: 0 is the worst of all. It and the score are empty where the
    formula cannot be applied to the record. ``unknown_*`` has the keys of the measures that were not recorded.
    """

    pk = models.CompositePrimaryKey("simulation_id", "named_id", "account_id")
    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, db_index=False, related_name="losses")
    named = models.ForeignKey(
        NamedScore, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    ended_on = models.DateField()
    day = models.DateField(null=True)
    score_before = models.FloatField(null=True)
    score_after = models.FloatField(null=True)
    rank_before = models.FloatField(null=True)
    rank_after = models.FloatField(null=True)
    compared_before = models.PositiveIntegerField(default=0)
    compared_after = models.PositiveIntegerField(default=0)
    unknown_before = ArrayField(models.CharField(max_length=64), default=list)
    unknown_after = ArrayField(models.CharField(max_length=64), default=list)

    def __str__(self) -> str:
        return f"{self.account_id} {self.rank_before} > {self.rank_after}"
