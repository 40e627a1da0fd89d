from __future__ import annotations

from django.db import models
from django.db.models import Q

from health.models.formula import Version


class Sweep(models.Model):
    """One computation of the whole base, in chunks; an unfinished one is gone on with, also after a crash.

    ``version`` is the one that was in force when it began; when another takes effect, the base is swept anew.
    """

    version = models.ForeignKey(Version, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
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
