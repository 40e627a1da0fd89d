from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outbox.models.budget import ContactSend
from outbox.models.destination import Destination


class Withdrawal(models.TextChoices):
    """Why a message that was owed to a contact is not to be sent any more; each is an outcome of ``HeldBack`` too."""

    NOT_REACHABLE = "unreachable", _("the contact cannot be written to any more")
    ANSWERED = "answered", _("it was answered meanwhile")
    SWITCHED_OFF = "off", _("it was switched off meanwhile")
    TOO_LATE = "too_late", _("the time for it is over")


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> MessageQuerySet:
        """Messages that should go out by ``now`` and that no worker has; the longest waiting first."""
        return self.free(now).filter(status=Message.Status.PENDING, due_at__lte=now).order_by("due_at", "id")

    def free(self, now: datetime) -> MessageQuerySet:
        """Messages that no worker has."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=now))

    def parked(self) -> MessageQuerySet:
        """Messages that were given up and can be sent again."""
        return self.filter(status=Message.Status.PARKED)

    def unsent(self, now: datetime) -> MessageQuerySet:
        """Messages that have not gone and that no worker has: those that wait, and those that were given up."""
        return self.free(now).filter(status__in=[Message.Status.PENDING, Message.Status.PARKED])


class Message(models.Model):
    """One message owed to somebody outside, written with the change that owes it and sent afterwards.

    ``recipient`` is an address, or the name of the ``destination`` that a message to Slack or a webhook goes to.

    ``leased_until`` is the time until which one worker has it, and ``told_at`` when those whom it concerns were told
    that it was given up. ``payload`` is what the channel needs to send it; it is emptied once the message is sent,
    refused or withdrawn, since it may hold links that act for their reader.

    ``place`` is what a message to a contact took of the contact's budget; only such messages are ever withdrawn, and
    give it back.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("Email")
        SLACK = "slack", _("Slack")
        WEBHOOK = "webhook", _("Webhook")

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENT = "sent", _("Sent")
        REFUSED = "refused", _("No such mailbox")
        PARKED = "parked", _("Gave up")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    dedupe_key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=10, choices=Channel)
    destination = models.ForeignKey(
        Destination, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    place = models.ForeignKey(ContactSend, on_delete=models.CASCADE, null=True, blank=True, related_name="messages")
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=300, blank=True)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    withdrawn_because = models.CharField(max_length=12, choices=Withdrawal, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["channel", "due_at", "id"], condition=Q(status="pending"), name="outbox_message_due"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(status__in=["refused", "parked", "withdrawn"]),
                name="outbox_message_stuck",
            ),
            models.Index(fields=["id"], condition=Q(status="parked", told_at=None), name="outbox_message_untold"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="email", destination=None)
                | Q(channel__in=["slack", "webhook"], destination__isnull=False),
                name="outbox_message_has_its_destination",
            ),
            models.CheckConstraint(
                condition=Q(status="withdrawn") ^ Q(withdrawn_because=""), name="outbox_message_withdrawn_with_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.dedupe_key
