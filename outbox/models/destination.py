from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.sealing import unseal


class Destination(models.Model):
    """A Slack channel or a webhook that messages may go to. ``key`` names it in playbooks.

    What opens it, its address and a webhook's signing secret, is kept encrypted; ``host`` is shown in lists. The secret
    before the last rotation signs too until ``previous_until``. ``failures`` counts tries in a row that found it away;
    until ``away_until`` nothing is tried there.
    """

    class Kind(models.TextChoices):
        SLACK = "slack", _("Slack")
        WEBHOOK = "webhook", _("Webhook")

    key = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=100)
    host = models.CharField(max_length=255)
    sealed_url = models.TextField()
    sealed_secret = models.TextField(blank=True)
    sealed_previous = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    is_on = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0)
    away_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return unseal(self.sealed_url)

    def signing_secrets(self, now: datetime) -> list[str]:
        """A webhook's secrets that sign at ``now``, the present one first."""
        sealed = [self.sealed_secret]
        if self.previous_until is not None and self.previous_until > now:
            sealed.append(self.sealed_previous)
        return [unseal(secret) for secret in sealed]
