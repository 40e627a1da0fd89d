from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.contact import Contact

if TYPE_CHECKING:
    from accounts.models.user import User


class TouchpointQuerySet(models.QuerySet["Touchpoint"]):
    def visible_to(self, user: User) -> TouchpointQuerySet:
        """The touchpoints of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))


class Touchpoint(models.Model):
    """One exchange between the company and a customer, or a note about one."""

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        MEETING = "meeting", _("Meeting")
        BUSINESS_REVIEW = "business_review", _("Business review")
        EMAIL = "email", _("Email")
        CHAT = "chat", _("Chat")
        WEBINAR = "webinar", _("Webinar")
        IN_APP = "in_app", _("In-app message")
        NOTE = "note", _("Note")

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("From the customer")
        OUTBOUND = "outbound", _("To the customer")

    class Sentiment(models.TextChoices):
        POSITIVE = "positive", _("Positive")
        NEUTRAL = "neutral", _("Neutral")
        NEGATIVE = "negative", _("Negative")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="touchpoints")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="touchpoints")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="touchpoints"
    )
    external_id = models.CharField(max_length=200, unique=True, null=True, blank=True)
    kind = models.CharField(max_length=20, choices=Kind)
    direction = models.CharField(max_length=10, choices=Direction, default=Direction.OUTBOUND)
    sentiment = models.CharField(max_length=10, choices=Sentiment, blank=True)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    summary = models.CharField(max_length=300)
    body = models.TextField(blank=True, max_length=100_000)
    next_step = models.CharField(max_length=300, blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TouchpointQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-id"]
        indexes = [models.Index(fields=["account", "-happened_at"], name="accounts_touchpoint_latest")]

    def __str__(self) -> str:
        return self.summary
