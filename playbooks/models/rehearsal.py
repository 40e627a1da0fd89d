from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Contact
from playbooks.models.playbook import Playbook
from playbooks.models.run import Run


class Rehearsal(models.Model):
    """What a definition would have done in the days from ``first_day`` to ``last_day``, by the history that is kept.

    ``draft_number`` tells the draft that was tried, ``version_number`` the published version; one of both is set.
    ``days_done`` counts up while it runs, and ``attempts`` the workers that began it. ``judged_by_today`` are the keys
    of the attributes whose past is not kept. ``problem`` says why it was given up.
    """

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="rehearsals")
    definition = models.JSONField()
    draft_number = models.PositiveIntegerField(null=True, blank=True)
    version_number = models.PositiveIntegerField(null=True, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    worked_at = models.DateTimeField(null=True, blank=True)
    days_done = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    judged_by_today = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [models.Index(fields=["asked_at"], condition=Q(finished_at=None), name="playbooks_rehearsal_to_do")]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="playbooks_rehearsal_has_days"),
            models.CheckConstraint(
                condition=Q(draft_number=None, version_number__isnull=False)
                | Q(draft_number__isnull=False, version_number=None),
                name="playbooks_rehearsal_of_draft_or_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.asked_at:%Y-%m-%d}"

    @property
    def days(self) -> int:
        """How many days are rehearsed."""
        return (self.last_day - self.first_day).days + 1

    @property
    def is_complete(self) -> bool:
        return self.finished_at is not None and not self.problem


class RehearsedRun(models.Model):
    """One account that would have entered, and how its run stood on the last day.

    ``is_from_start`` is for those of whom the entry was true already on the first day, which no history explains.
    ``fired_on`` is the day of its first action.
    """

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.CASCADE, related_name="runs", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    entered_on = models.DateField()
    is_from_start = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=Run.State)
    ended_on = models.DateField(null=True, blank=True)
    fired_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["entered_on", "id"]
        indexes = [models.Index(fields=["rehearsal", "entered_on", "id"], name="playbooks_rehearsedrun_order")]

    def __str__(self) -> str:
        return f"{self.rehearsal_id} {self.account_id} {self.state}"


class RehearsedAct(models.Model):
    """One action that would have been taken. ``owner`` would have got the work, ``contact`` the mail."""

    run = models.ForeignKey(RehearsedRun, on_delete=models.CASCADE, related_name="acts")
    step = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    day = models.DateField()
    makes_task = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["day", "id"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.step} {self.day}"
