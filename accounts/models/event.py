from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now

from accounts.models.account import Account
from accounts.models.contact import Contact
from accounts.models.rating import Rating
from accounts.models.touchpoint import Touchpoint

if TYPE_CHECKING:
    from accounts.models.user import User


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> EventQuerySet:
        """The events of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def timeline(self) -> EventQuerySet:
        """Latest first."""
        return self.order_by("-happened_at", "-id")

    def standing(self) -> EventQuerySet:
        """Without touchpoints and ratings that were taken back, nor their taking back."""
        named = self.alias(touchpoint=KT("data__touchpoint"), rating=KT("data__rating"))
        logged = Exists(Touchpoint.objects.filter(pk=Cast(OuterRef("touchpoint"), models.BigIntegerField())))
        rated = Exists(Rating.objects.filter(pk=Cast(OuterRef("rating"), models.BigIntegerField())))
        return (
            named.exclude(Q(kind="touchpoint.logged", touchpoint__isnull=False) & ~logged)
            .exclude(Q(kind="account.rated", rating__isnull=False) & ~rated)
            .exclude(kind__in=("touchpoint.withdrawn", "account.rating_withdrawn"))
        )


class Event(models.Model):
    """One thing that happened to an account; written with the change itself and never altered."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=64)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "-happened_at", "-id"], name="accounts_event_timeline"),
            models.Index(fields=["kind", "-happened_at"], name="accounts_event_by_kind"),
        ]

    def __str__(self) -> str:
        return self.kind


class EventInbox(models.Model):
    """One event that one consumer has not dealt with yet.

    The row is written with the event and deleted in the transaction of its effect. A high-water mark would
    skip events of transactions that commit late, and a restored copy of the database restarts its transaction ids.
    """

    consumer = models.CharField(max_length=32)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="inboxes")

    class Meta:
        indexes = [models.Index(fields=["consumer", "id"], name="accounts_inbox_in_order")]
        constraints = [models.UniqueConstraint(fields=["event", "consumer"], name="accounts_inbox_once_a_consumer")]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class Touched(models.Model):
    """One notice that facts about an account changed, for whoever keeps something computed from them.

    Append-only without a unique key: a key would make the writers of a busy account wait for each other.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    touched_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "touched"

    def __str__(self) -> str:
        return str(self.account_id)
