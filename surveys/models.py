from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact
from outbox.models import Message

if TYPE_CHECKING:
    from accounts.models import User


class Survey(models.Model):
    """One survey: what it asks, in which languages, and how long an invitation may be answered.

    Who has not answered ``remind_after_days`` after the invitation is reminded once; without it, nobody is.

    ``texts`` maps a language to the company's own wording (``subject``, ``intro``, ``question`` ...); what it does
    not say is taken from the platform's own words in that language.
    """

    class Kind(models.TextChoices):
        NPS = "nps", _("NPS")
        CSAT = "csat", _("CSAT")
        CES = "ces", _("CES")

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=5, choices=Kind)
    texts = models.JSONField(default=dict, blank=True)
    sender_name = models.CharField(max_length=100, blank=True)
    expires_after_days = models.PositiveSmallIntegerField(default=30)
    remind_after_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_live = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(remind_after_days=None)
                | Q(remind_after_days__gte=1, remind_after_days__lt=F("expires_after_days")),
                name="surveys_survey_reminds_in_time",
            )
        ]

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: User) -> InvitationQuerySet:
        """The invitations of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def open(self, now: datetime) -> InvitationQuerySet:
        """Invitations that may still be answered, by somebody who is still there."""
        return self.filter(expires_at__gt=now, contact__left_at=None)

    def delivered(self) -> InvitationQuerySet:
        """Invitations whose mail a server took (or that came by another way), and did not bounce."""
        return self.filter(Q(message=None) | Q(message__status=Message.Status.SENT), bounced_at=None)

    def to_remind(self, now: datetime) -> InvitationQuerySet:
        """Invitations of which their contact should be reminded by ``now``; who was asked first comes first."""
        ago = F("survey__remind_after_days") * Value(timedelta(days=1))
        waited = models.ExpressionWrapper(Value(now) - ago, output_field=models.DateTimeField())
        unanswered = self.open(now).delivered().filter(response=None, reminder=None)
        return unanswered.filter(
            survey__is_live=True, invited_at__lte=waited, contact__in=Contact.objects.reachable()
        ).order_by("invited_at", "id")


class Invitation(models.Model):
    """One request to one contact to answer one survey. The link's token is not kept, only its hash.

    ``message`` is the mail that carries it, and ``bounced_at`` when that was found to have no mailbox to go to.
    """

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="invitations")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="invitations")
    occasion = models.CharField(max_length=150)
    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="invitations")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "-invited_at"], name="surveys_invitation_latest"),
            models.Index(fields=["survey", "expires_at"], name="surveys_invitation_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "contact", "occasion"], name="surveys_invitation_once_an_occasion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} {self.contact_id}"


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def delivered(self) -> ReminderQuerySet:
        """Reminders whose mail a server took (or that came by another way), and did not bounce."""
        taken = Q(message=None) | Q(message__status=Message.Status.SENT)
        return self.filter(taken, reminded_at__isnull=False, bounced_at=None)


class Reminder(models.Model):
    """The one reminder of an invitation. Without ``reminded_at`` the contact's budget holds it back, or nobody got it.

    ``message`` is the mail that carries it, and ``bounced_at`` when that was found to have no mailbox to go to.
    """

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="reminder")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="reminders")
    reminded_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)

    objects = ReminderQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.invitation_id)


class ResponseQuerySet(models.QuerySet["Response"]):
    def visible_to(self, user: User) -> ResponseQuerySet:
        """The answers of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))


class Response(models.Model):
    """One customer's answer to one invitation; it may be changed until the invitation expires."""

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="response")
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="responses")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="responses")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="responses")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True, max_length=10_000)
    answered_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        ordering = ["-answered_at"]
        indexes = [models.Index(fields=["account", "-answered_at"], name="surveys_response_latest")]
        constraints = [models.CheckConstraint(condition=Q(score__range=(0, 10)), name="surveys_response_score_0_to_10")]

    def __str__(self) -> str:
        return f"{self.survey_id} {self.score}"
