from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.leave import Leave
from accounts.models.workspace import Workspace, validate_time_zone
from common import clock

if TYPE_CHECKING:
    from accounts.models.user import User


class Plan(models.Model):
    """One plan that the company sells; the features it includes are kept with the features."""

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> AccountQuerySet:
        """The accounts that ``user`` may see: all, or under the own-book rule what a CSM owns, helps or covers."""
        workspace = Workspace.current()
        if user.role != user.Role.CSM or not workspace.csms_see_only_their_book:
            return self
        helping = AccountTeamMember.objects.filter(user=user).values("account_id")
        covered = Leave.objects.covered_by(user, workspace.day(clock.now()))
        return self.filter(Q(owner__in=[user.pk, *covered]) | Q(pk__in=helping))

    def live(self) -> AccountQuerySet:
        """Accounts that have not ended."""
        return self.filter(ended_at__isnull=True)


class Account(models.Model):
    """One customer of the company: who they are. What is true of them now are attributes."""

    class TouchModel(models.TextChoices):
        SELF_SERVICE = "self_service", _("Self-service")
        LOW_TOUCH = "low_touch", _("Low-touch")
        HIGH_TOUCH = "high_touch", _("High-touch")

    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="book"
    )
    touch_model = models.CharField(max_length=20, choices=TouchModel, default=TouchModel.LOW_TOUCH)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    seats = models.PositiveIntegerField(null=True, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    custom = models.JSONField(default=dict, blank=True)
    stage = models.ForeignKey(
        "accounts.Stage", on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    stage_entered_at = models.DateTimeField(null=True, blank=True)
    customer_since = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["owner", "name"], name="accounts_account_book"),
            models.Index(fields=["name", "id"], name="accounts_account_by_name"),
            GinIndex(fields=["tags"], name="accounts_account_tags"),
            GinIndex(fields=["name"], name="accounts_account_name_trgm", opclasses=["gin_trgm_ops"]),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="accounts_account_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountTeamMember(models.Model):
    """One person of the staff who works with an account in a role beside its owner."""

    class Role(models.TextChoices):
        EXECUTIVE_SPONSOR = "executive_sponsor", _("Executive sponsor")
        SUPPORT = "support", _("Support")
        SALES = "sales", _("Sales")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="team")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="helps")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "role"], name="accounts_team_one_a_role")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class CustomField(models.Model):
    """The declaration of one custom attribute of accounts: its key, and the type that its values must have."""

    class Type(models.TextChoices):
        NUMBER = "number", _("Number")
        TEXT = "text", _("Text")
        CHOICE = "choice", _("Choice")
        BOOLEAN = "boolean", _("Yes or no")
        DATE = "date", _("Date")

    key = models.SlugField(max_length=64, unique=True)
    label = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=Type)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    unit = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class Offboarding(models.Model):
    """One end of an account: when it left, whether the customer decided it, and why."""

    class Kind(models.TextChoices):
        VOLUNTARY = "voluntary", _("The customer decided")
        INVOLUNTARY = "involuntary", _("Payment failed or the contract ran out")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="offboardings")
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    ended_on = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.VOLUNTARY)
    category = models.CharField(max_length=64, blank=True)
    competitor = models.CharField(max_length=200, blank=True)
    feedback = models.TextField(blank=True)
    refund = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-ended_on"], name="accounts_offboarding_latest")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.ended_on}"
