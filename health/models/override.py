from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from health.models.formula import NamedScore

if TYPE_CHECKING:
    from accounts.models import User


class OverrideQuerySet(models.QuerySet["Override"]):
    def visible_to(self, user: User) -> OverrideQuerySet:
        """The overrides of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def live(self, now: datetime) -> OverrideQuerySet:
        """Overrides that hold at ``now``."""
        return self.filter(ended_at=None, expires_at__gt=now)

    def expired(self, now: datetime) -> OverrideQuerySet:
        """Overrides whose time is over and that nobody has ended yet."""
        return self.filter(ended_at=None, expires_at__lte=now)


class Override(models.Model):
    """One score that a person set by hand, and why. It holds until it expires or is ended; the formula's stays beneath.

    ``ended_by`` is empty when it expired.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="health_overrides")
    named = models.ForeignKey(NamedScore, on_delete=models.PROTECT, related_name="overrides")
    score = models.FloatField()
    reason = models.CharField(max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = OverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="health_override_to_expire")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "named"], condition=Q(ended_at=None), name="health_override_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="health_override_0_to_100"),
            models.CheckConstraint(condition=~Q(reason=""), name="health_override_has_a_reason"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="health_override_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.score}"
