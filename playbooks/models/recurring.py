from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from playbooks.models.task import Task


class TaskTemplate(models.Model):
    """A task as it is often made: what to do, the steps of it, and a text to send."""

    key = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=300)
    guidance = models.TextField(blank=True)
    checklist = models.JSONField(default=list)
    email_text = models.TextField(blank=True)
    severity = models.PositiveSmallIntegerField(choices=Task.Severity, default=Task.Severity.NORMAL)
    due_in_days = models.PositiveSmallIntegerField(default=2)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class TaskSeries(models.Model):
    """A task that comes again: every so many days, weeks or months, counted from its first day.

    ``next_on`` is the day of the next task that has not been made; empty when the series has ended or was stopped.
    """

    class Unit(models.TextChoices):
        DAY = "day", _("Every … days")
        WEEK = "week", _("Every … weeks")
        MONTH = "month", _("Every … months")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="task_series")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="task_series"
    )
    title = models.CharField(max_length=300)
    guidance = models.TextField(blank=True)
    checklist = models.JSONField(default=list)
    severity = models.PositiveSmallIntegerField(choices=Task.Severity, default=Task.Severity.NORMAL)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=5, choices=Unit)
    every = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    next_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_on"], condition=Q(next_on__isnull=False), name="playbooks_series_due"),
        ]
        constraints = [models.CheckConstraint(condition=Q(every__gte=1), name="playbooks_series_goes_on")]

    def __str__(self) -> str:
        return self.title


class CalendarFeed(models.Model):
    """The private address at which somebody's tasks are read by a calendar. Only the hash of its token is kept."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id}"
