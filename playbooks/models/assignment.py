from __future__ import annotations

from django.conf import settings
from django.db import models


class Assignment(models.Model):
    """One time that accounts, with their open tasks, were given to other people: kept whole, to be taken back whole.

    ``accounts`` and ``tasks`` hold ``[id, owner before, owner after]`` of each that changed hands. ``leaver`` is the
    person whose whole work was handed over, if it was, and ``ended_access`` whether they were locked out with it.
    """

    reason = models.CharField(max_length=300, blank=True)
    accounts = models.JSONField(default=list)
    tasks = models.JSONField(default=list)
    leaver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_access = models.BooleanField(default=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{len(self.accounts)} + {len(self.tasks)}"


class RoundRobin(models.Model):
    """Whose turn was last among the people of one pool; ``pool`` is empty for all CSMs, else a digest of the named.

    Whoever chooses holds the row locked, so that two who choose at once get two different people.
    """

    pool = models.CharField(max_length=64, unique=True, blank=True)
    last = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.pool} {self.last}"
