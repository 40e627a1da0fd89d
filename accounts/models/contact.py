from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.workspace import validate_time_zone

if TYPE_CHECKING:
    from accounts.models.user import User


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> ContactQuerySet:
        """The contacts of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def reachable(self) -> ContactQuerySet:
        """Contacts that may be written to: still there, with an address that works, who did not unsubscribe."""
        return self.filter(left_at=None, unsubscribed_at=None, bounced_at=None).exclude(email="")


class Contact(models.Model):
    """One person at a customer."""

    class Role(models.TextChoices):
        CHAMPION = "champion", _("Champion")
        DECISION_MAKER = "decision_maker", _("Decision maker")
        USER = "user", _("User")
        BILLING = "billing", _("Billing")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.USER)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    last_seen_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["account", "name"], name="accounts_contact_of_account"),
            GinIndex(fields=["name"], name="accounts_contact_name_trgm", opclasses=["gin_trgm_ops"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=~models.Q(email=""),
                name="accounts_contact_address_once_an_account",
            ),
        ]

    def __str__(self) -> str:
        return self.name
