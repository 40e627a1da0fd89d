from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from playbooks.models.playbook import Playbook


class Holdout(models.Model):
    """A question put to a playbook: of those that enter until a day, some are only watched, and both are compared.

    ``share`` of a hundred entrants are held out. ``outcome`` is the condition that is looked at ``after_days`` after an
    account entered; ``base_rate`` is how many of a hundred were expected to fulfil it without the playbook. Nobody
    reads a result before ``verdict_on``, so accounts are enrolled until ``after_days`` before it. ``problem`` says why
    outcomes cannot be looked at.
    """

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="holdouts")
    share = models.PositiveSmallIntegerField()
    outcome = models.JSONField()
    after_days = models.PositiveSmallIntegerField()
    base_rate = models.FloatField()
    verdict_on = models.DateField()
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stopped_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook"], condition=Q(stopped_at=None), name="playbooks_holdout_one_open"
            ),
            models.CheckConstraint(condition=Q(share__gte=5, share__lte=50), name="playbooks_holdout_share"),
            models.CheckConstraint(condition=Q(base_rate__gt=0, base_rate__lt=100), name="playbooks_holdout_base_rate"),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(stopped_at__gte=F("started_at")),
                name="playbooks_holdout_stopped_after",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.started_at:%Y-%m-%d}"


class HoldoutMember(models.Model):
    """One account that entered while a holdout enrolled: its arm, written down before anything was done, and for good.

    ``band`` is its health band then, within which the arms are kept even. ``is_met`` is the outcome, once it was due.
    """

    class Arm(models.TextChoices):
        TREATED = "treated", _("With the playbook")
        HELD_OUT = "held_out", _("Only watched")

    holdout = models.ForeignKey(Holdout, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    arm = models.CharField(max_length=10, choices=Arm)
    band = models.CharField(max_length=10, blank=True)
    entered_at = models.DateTimeField()
    due_at = models.DateTimeField()
    is_met = models.BooleanField(null=True)
    measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(measured_at=None), name="playbooks_holdoutmember_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["holdout", "account"], name="playbooks_holdoutmember_once"),
            models.CheckConstraint(
                condition=Q(measured_at=None, is_met=None) | Q(measured_at__isnull=False, is_met__isnull=False),
                name="playbooks_holdoutmember_measured",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holdout_id} {self.account_id} {self.arm}"
