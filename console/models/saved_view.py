from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def of(self, user: User) -> SavedViewQuerySet:
        """The views that ``user`` made and has not deleted."""
        return self.filter(user=user, deleted_at=None)


class SavedView(models.Model):
    """One way to look at a list, under a name: the query string of its address.

    A deleted one is kept, so that deleting can be taken back.
    """

    class Page(models.TextChoices):
        QUEUE = "queue", _("Queue")
        ACCOUNTS = "accounts", _("Accounts")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20, choices=Page)
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["page", "user"], condition=Q(deleted_at=None), name="console_view_of_page")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "page"],
                condition=Q(is_default=True, deleted_at=None),
                name="console_view_one_default",
            ),
            models.UniqueConstraint(
                fields=["user", "page", "name"], condition=Q(deleted_at=None), name="console_view_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
