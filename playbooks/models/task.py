from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Account
from playbooks.models.run import Run

if TYPE_CHECKING:
    from accounts.models import User


NOBODYS = Q(owner=None) | Q(owner__is_active=False)
"""Tasks that nobody has who is still here."""


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> TaskQuerySet:
        """The tasks on the accounts that ``user`` may see."""
        accounts = Account.objects.visible_to(user)
        # Who sees every account needs no join with them, which 100,000 open tasks would feel.
        return self.filter(account__in=accounts) if accounts.query.where else self

    def open(self) -> TaskQuerySet:
        """Tasks that still wait for somebody, snoozed ones included."""
        return self.filter(status=Task.Status.OPEN)

    def awake(self, now: datetime) -> TaskQuerySet:
        """Open tasks that are not snoozed at ``now``."""
        return self.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))


class Task(models.Model):
    """One thing that one person of the staff should do for an account, and why.

    ``why`` holds what was seen, oldest first; ``playbooks.record`` writes it and turns it into sentences.
    ``minutes`` is the work it is taken to need. ``handed`` holds how it came to its owner, oldest first, and
    ``playbooks.handing`` writes it and turns it into sentences.
    ``checklist`` holds its items in order, each ``{"text", "done"}`` where ``done`` is null or who ticked it and when.
    ``snoozed_for`` is how things stood when it was snoozed until they get worse, and ``woken`` what got worse since;
    ``playbooks.services.worsening`` says what worse is.
    ``priority`` is the number the queue is ordered by, and ``priority_reasons`` the parts that it is made of.
    """

    class Severity(models.IntegerChoices):
        LOW = 1, _("Low")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High")
        URGENT = 4, _("Urgent")

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("task", "Open")
        DONE = "done", pgettext_lazy("task", "Done")
        CANCELLED = "cancelled", _("Cancelled")

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        SAVED = "saved", _("Saved")
        NO_ANSWER = "no_answer", _("No answer")
        LOST = "lost", _("Lost")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tasks")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    title = models.CharField(max_length=300)
    guidance = models.TextField(blank=True)
    why = models.JSONField(default=list)
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    dedupe_key = models.CharField(max_length=200, unique=True, null=True, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.NORMAL)
    minutes = models.PositiveSmallIntegerField(default=30)
    handed = models.JSONField(default=list)
    due_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_for = models.JSONField(null=True, blank=True)
    woken = models.JSONField(null=True, blank=True)
    checklist = models.JSONField(default=list)
    series = models.ForeignKey(
        "playbooks.TaskSeries", on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    note = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    priority = models.FloatField(default=0)
    priority_reasons = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["owner", "-priority", "id"],
                condition=Q(status="open"),
                include=["snoozed_until", "due_at"],
                name="playbooks_task_queue",
            ),
            models.Index(
                fields=["-priority", "id"],
                condition=Q(status="open"),
                include=["snoozed_until", "due_at"],
                name="playbooks_task_team_queue",
            ),
            models.Index(
                fields=["account"], condition=Q(status="open"), include=["due_at"], name="playbooks_task_open_of"
            ),
            models.Index(
                fields=["due_at"], condition=Q(status="open"), include=["snoozed_until"], name="playbooks_task_due"
            ),
            models.Index(
                fields=["snoozed_until"],
                condition=Q(status="open", snoozed_until__isnull=False),
                name="playbooks_task_snoozed",
            ),
            models.Index(fields=["account", "-created_at"], name="playbooks_task_of_account"),
            models.Index(
                fields=["done_at"],
                condition=Q(status="done"),
                include=["done_by", "outcome"],
                name="playbooks_task_done",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | Q(~Q(status="done"), done_at=None),
                name="playbooks_task_done_has_time",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Yardstick(models.Model):
    """What a customer pays a month on average, against which the value of each task's account is measured."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    average_mrr = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="playbooks_yardstick_is_one")]

    def __str__(self) -> str:
        return str(self.average_mrr)
