from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Plan


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
