from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.account import Account

if TYPE_CHECKING:
    from accounts.models.user import User


class RatingQuerySet(models.QuerySet["Rating"]):
    def visible_to(self, user: User) -> RatingQuerySet:
        """The ratings of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))


class Rating(models.Model):
    """One time that somebody of the staff said how they feel an account is doing; the latest counts."""

    class Value(models.IntegerChoices):
        IN_TROUBLE = 1, _("In trouble")
        WORRYING = 2, _("Worrying")
        FAIR = 3, _("Fair")
        GOOD = 4, pgettext_lazy("rating", "Good")
        THRIVING = 5, _("Thriving")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="ratings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="ratings"
    )
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    value = models.PositiveSmallIntegerField(choices=Value)
    comment = models.TextField(blank=True, max_length=10_000)
    rated_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ["-rated_at", "-id"]
        indexes = [models.Index(fields=["account", "-rated_at"], name="accounts_rating_latest")]
        constraints = [models.CheckConstraint(condition=Q(value__range=(1, 5)), name="accounts_rating_1_to_5")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.value}"
