from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account


class Stage(models.Model):
    """One stage of the lifecycle, in the order that a customer usually passes through."""

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(unique=True)
    target_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_lost = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class StageEntry(models.Model):
    """One stay of an account in a stage, from when it entered until it left."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="stage_entries")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="entries")
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = _("stage entries")
        indexes = [models.Index(fields=["account", "-entered_at"], name="accounts_stageentry_history")]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(left_at=None), name="accounts_stageentry_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.stage_id}"
