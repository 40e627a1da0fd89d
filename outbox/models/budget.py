from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact

if TYPE_CHECKING:
    from accounts.models import User

KEY_LENGTH = 200
LABEL_LENGTH = 200


class Kind(models.TextChoices):
    """What is written to a contact and counts. Sign-in mail and other answers to a person's own act do not."""

    SURVEY = "survey", _("Survey")
    REMINDER = "reminder", _("Reminder")
    PLAYBOOK = "playbook", _("Playbook mail")


class ContactBudget(models.Model):
    """How often a contact may be written to: ``most`` times in any ``days`` days. Without ``most``: no limit."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    most = models.PositiveSmallIntegerField(null=True, blank=True, default=4)
    days = models.PositiveSmallIntegerField(default=28)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="outbox_budget_is_one"),
            models.CheckConstraint(condition=Q(most=None) | Q(most__gte=1), name="outbox_budget_lets_one_pass"),
            models.CheckConstraint(condition=Q(days__gte=1), name="outbox_budget_has_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.most} / {self.days}"

    @classmethod
    def current(cls) -> ContactBudget:
        """The workspace's budget; made with its defaults when the deployment is new."""
        return cls.objects.get_or_create(id=1)[0]

    @property
    def period(self) -> timedelta:
        return timedelta(days=self.days)


class ContactSend(models.Model):
    """One message to a contact that took a place in the contact's budget. ``key`` names it: it takes one place only."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="sends")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    label = models.CharField(max_length=LABEL_LENGTH)
    counted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact", "-counted_at"], name="outbox_send_of_contact")]

    def __str__(self) -> str:
        return self.key


class HeldBackQuerySet(models.QuerySet["HeldBack"]):
    def visible_to(self, user: User) -> HeldBackQuerySet:
        """What was held back from contacts of the accounts that ``user`` may see."""
        return self.filter(contact__account__in=Account.objects.visible_to(user))

    def due(self, now: datetime, kind: Kind) -> HeldBackQuerySet:
        """What waits for a place that should be free by ``now``; who waited longest comes first."""
        return self.filter(outcome=HeldBack.Outcome.WAITING, kind=kind, until__lte=now).order_by("held_at", "id")


class HeldBack(models.Model):
    """One message that a contact's budget had no place for, and what became of it.

    ``most`` and ``days`` are the budget as it was. A place is free from ``until`` on; after ``useful_until`` the
    message would be of no use. ``details`` is what its sender needs to try again.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Waiting for a place")
        SENT = "sent", _("Sent later")
        TOO_LATE = "too_late", _("Dropped: too late to be of use")
        NOT_REACHABLE = "unreachable", _("Dropped: the contact cannot be written to")
        ANSWERED = "answered", _("Dropped: answered meanwhile")
        SWITCHED_OFF = "off", _("Dropped: switched off meanwhile")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="held_back")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    label = models.CharField(max_length=LABEL_LENGTH)
    details = models.JSONField(default=dict)
    most = models.PositiveSmallIntegerField()
    days = models.PositiveSmallIntegerField()
    held_at = models.DateTimeField()
    until = models.DateTimeField()
    useful_until = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.WAITING)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = HeldBackQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "until"], condition=Q(outcome="waiting"), name="outbox_held_back_waiting"),
            models.Index(fields=["-held_at", "-id"], name="outbox_held_back_latest"),
            models.Index(fields=["contact", "-held_at"], name="outbox_held_back_of_contact"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="waiting", settled_at=None) | (~Q(outcome="waiting") & Q(settled_at__isnull=False)),
                name="outbox_held_back_settled_once",
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_waiting(self) -> bool:
        return self.outcome == self.Outcome.WAITING
