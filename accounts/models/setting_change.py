from __future__ import annotations

from django.conf import settings
from django.db import models


class SettingChange(models.Model):
    """One time that somebody set something of the company otherwise: what (``setting``), from what, to what.

    Null is what is not set.
    """

    setting = models.CharField(max_length=100)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-id"]
        indexes = [models.Index(fields=["setting", "-changed_at", "-id"], name="accounts_setting_latest")]

    def __str__(self) -> str:
        return self.setting
