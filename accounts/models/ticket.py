from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.contact import Contact

if TYPE_CHECKING:
    from accounts.models.user import User


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        """The tickets of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def unsolved(self) -> TicketQuerySet:
        """Tickets that still wait for the company or the customer."""
        return self.filter(solved_at=None)


class Ticket(models.Model):
    """One request for support, as the help desk tells it."""

    class Priority(models.TextChoices):
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")
        URGENT = "urgent", _("Urgent")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tickets")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    subject = models.CharField(max_length=300, blank=True)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    opened_at = models.DateTimeField()
    first_answered_at = models.DateTimeField(null=True, blank=True)
    solved_at = models.DateTimeField(null=True, blank=True)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    is_escalated = models.BooleanField(default=False)
    satisfaction = models.PositiveSmallIntegerField(null=True, blank=True)
    heard_at = models.DateTimeField(auto_now=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-opened_at"], name="accounts_ticket_latest"),
            models.Index(fields=["account"], condition=Q(solved_at=None), name="accounts_ticket_unsolved"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="accounts_ticket_once_a_source"),
            models.CheckConstraint(
                condition=Q(solved_at=None) | Q(solved_at__gte=models.F("opened_at")),
                name="accounts_ticket_solved_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(satisfaction=None) | Q(satisfaction__range=(1, 5)),
                name="accounts_ticket_satisfaction_1_to_5",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.external_id
