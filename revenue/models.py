from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Account, Plan

if TYPE_CHECKING:
    from accounts.models import User


class Subscription(models.Model):
    """One recurring line of a contract, from its start to its end; a change of price or plan is a new line.

    ``mrr`` is the line's amount a month in the workspace's currency, discounts and tax out.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="subscriptions")
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions")
    seats = models.PositiveIntegerField(null=True, blank=True)
    mrr = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    term_months = models.PositiveSmallIntegerField(default=1)
    started_on = models.DateField()
    renews_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    is_trial = models.BooleanField(default=False)
    auto_renews = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-started_on", "-id"]
        indexes = [
            models.Index(fields=["account", "-started_on"], name="revenue_subscription_latest"),
            models.Index(fields=["renews_on"], condition=Q(ended_on=None), name="revenue_subscription_renewals"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="revenue_subscription_ends_after_start",
            ),
            models.CheckConstraint(condition=Q(mrr__gte=0), name="revenue_subscription_mrr_not_negative"),
            models.CheckConstraint(condition=Q(term_months__gte=1), name="revenue_subscription_term_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.mrr} {self.currency}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: User) -> InvoiceQuerySet:
        """The invoices of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def unpaid(self) -> InvoiceQuerySet:
        """Invoices that still wait for their money."""
        return self.filter(paid_on=None, voided_on=None)


class Invoice(models.Model):
    """One invoice to a customer, as the billing system that wrote it tells it; amounts in the workspace's currency."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invoices")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    number = models.CharField(max_length=100, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    issued_on = models.DateField()
    due_on = models.DateField()
    paid_on = models.DateField(null=True, blank=True)
    voided_on = models.DateField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_on", "-id"]
        indexes = [
            models.Index(fields=["account", "-issued_on"], name="revenue_invoice_latest"),
            models.Index(
                fields=["account", "due_on"], condition=Q(paid_on=None, voided_on=None), name="revenue_invoice_unpaid"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="revenue_invoice_once_a_source"),
            models.CheckConstraint(condition=Q(due_on__gte=F("issued_on")), name="revenue_invoice_due_after_issue"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="revenue_invoice_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id

    def days_overdue(self, today: date) -> int:
        """For how many days its money has been late on ``today``; zero when it is not, or is not awaited any more."""
        if self.paid_on is not None or self.voided_on is not None:
            return 0
        return max(0, (today - self.due_on).days)


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def visible_to(self, user: User) -> OpportunityQuerySet:
        """The opportunities of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def open(self) -> OpportunityQuerySet:
        """Those that are neither won nor lost."""
        return self.filter(closed_at=None)


class Opportunity(models.Model):
    """Something that an account may buy or renew; ``amount`` is what it would be worth a year, None when not known.

    ``origin`` names the playbook that found it, empty for a person's; ``key`` is the reason that opened it.
    """

    class Kind(models.TextChoices):
        UPSELL = "upsell", _("Upsell")
        CROSS_SELL = "cross_sell", _("Cross-sell")
        RENEWAL = "renewal", pgettext_lazy("opportunity", "Renewal")

    class Stage(models.TextChoices):
        OPEN = "open", pgettext_lazy("opportunity", "Open")
        QUALIFIED = "qualified", pgettext_lazy("opportunity", "Qualified")
        PROPOSED = "proposed", pgettext_lazy("opportunity", "Proposed")
        WON = "won", pgettext_lazy("opportunity", "Won")
        LOST = "lost", pgettext_lazy("opportunity", "Lost")

    CLOSED = (Stage.WON, Stage.LOST)

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="opportunities")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.UPSELL)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="opportunities"
    )
    expected_on = models.DateField(null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    opened_at = models.DateTimeField()
    origin = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=200, unique=True, null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        ordering = ["expected_on", "id"]
        indexes = [
            models.Index(fields=["account", "-opened_at"], name="revenue_opportunity_latest"),
            models.Index(
                fields=["expected_on", "id"], condition=Q(closed_at=None), name="revenue_opportunity_expected"
            ),
            models.Index(fields=["-closed_at", "-id"], name="revenue_opportunity_closed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="revenue_opportunity_amount_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=["won", "lost"], closed_at__isnull=False)
                | (~Q(stage__in=["won", "lost"]) & Q(closed_at=None)),
                name="revenue_opportunity_closed_when_won_or_lost",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_closed(self) -> bool:
        """Whether it is won or lost."""
        return self.stage in self.CLOSED
