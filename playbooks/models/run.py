from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Event
from playbooks.models.playbook import Playbook, PlaybookVersion

if TYPE_CHECKING:
    from accounts.models import User


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> RunQuerySet:
        """The runs of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def due(self, now: datetime) -> RunQuerySet:
        """Waiting runs whose time has come, whether a worker has leased them or not."""
        return self.filter(
            Q(retry_at=None) | Q(retry_at__lte=now), state=Run.State.WAITING, held=False, due_at__lte=now
        )

    def live(self) -> RunQuerySet:
        """Runs that have not ended."""
        return self.filter(state__in=Run.LIVE)


class Run(models.Model):
    """One playbook version at work on one account. Waiting is ``due_at``; ``step`` is the id of the step to do then.

    ``attempts`` counts the turns that failed, or in which a worker died, since the last one that was finished; after
    one that failed the next is not taken before ``retry_at``. ``held`` is set while the playbook is paused, and
    ``waiting_since`` while the run waits for a date or a condition. ``is_alone`` is set by playbooks with a priority:
    an account is in one at a time. ``is_held_out``: it is only watched, so that the effect of the rest can be measured.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RECOVERED = "recovered", _("Recovered")
        REACHED = "reached", _("Reached its goal")
        FINISHED = "finished", _("Finished")
        EXITED = "exited", _("Left")
        PARKED = "parked", _("Needs attention")

    LIVE = (State.WAITING, State.PARKED)

    # The constraints and indexes below that begin with these serve their keys too.
    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="runs", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(PlaybookVersion, on_delete=models.PROTECT, related_name="runs")
    event = models.ForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    step = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)
    is_alone = models.BooleanField(default=False)
    is_held_out = models.BooleanField(default=False)
    held = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-entered_at", "-id"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting", held=False), name="playbooks_run_due"),
            models.Index(
                fields=["version", "step"],
                condition=Q(state="waiting", waiting_since__isnull=False),
                name="playbooks_run_waits_for",
            ),
            models.Index(fields=["account", "-entered_at"], name="playbooks_run_of_account"),
            models.Index(fields=["playbook", "state", "-entered_at"], name="playbooks_run_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account"],
                condition=Q(state__in=["waiting", "parked"]),
                name="playbooks_run_one_live",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["waiting", "parked"], is_alone=True),
                name="playbooks_run_one_alone",
            ),
            models.UniqueConstraint(fields=["playbook", "event"], name="playbooks_run_once_an_event"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "parked"], ended_at=None)
                | Q(~Q(state__in=["waiting", "parked"]), ended_at__isnull=False),
                name="playbooks_run_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.account_id} {self.state}"


class Lease(models.Model):
    """Runs, by their ids, of which one worker takes a turn. What it has not given back by ``until`` is claimed anew."""

    runs = ArrayField(models.BigIntegerField())
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{len(self.runs)} until {self.until}"


class RunStep(models.Model):
    """One step that a run has taken: what it found, what it decided, and when. Never altered.

    ``facts`` holds what was seen; ``playbooks.record`` writes and reads it.
    """

    class Decision(models.TextChoices):
        ENTERED = "entered", _("Entered")
        WAITING = "waiting", _("Waiting")
        STILL = "still", _("Still so")
        TURNED = "turned", _("Went another way")
        RECOVERED = "recovered", _("Recovered")
        REACHED = "reached", _("Reached its goal")
        PASSED = "passed", _("Went on")
        EXPIRED = "expired", _("Time ran out")
        ACTED = "acted", _("Acted")
        WATCHED = "watched", _("Only watched")
        MOVED = "moved", _("Moved to another version")
        EXITED = "exited", _("Left")
        FINISHED = "finished", _("Finished")

    pk = models.CompositePrimaryKey("run_id", "position")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)  # the key begins so
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    decision = models.CharField(max_length=20, choices=Decision)
    facts = models.JSONField(default=dict)
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.position} {self.step}"
