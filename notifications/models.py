from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from notifications.kinds import KINDS, Channel, Kind, Told


class Notification(models.Model):
    """Something that one person is told; its words are made of ``data`` when it is read.

    ``key`` says of what it comes, so that nobody is told twice. ``channel`` is how the person wanted to be told then;
    ``mailed_at`` is when the digest took it along.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    kind = models.CharField(max_length=40)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=120)
    channel = models.CharField(max_length=10, choices=Channel)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notifications_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notifications_unread"),
            models.Index(
                fields=["user"],
                condition=Q(channel="digest", read_at=None, mailed_at=None),
                name="notifications_for_digest",
            ),
            models.Index(fields=["created_at"], name="notifications_by_age"),
        ]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notifications_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}"

    @property
    def declared(self) -> Kind | None:
        """Its kind; None for one that an earlier release knew."""
        return KINDS.get(self.kind)

    @property
    def told(self) -> Told:
        return Told(self.account_id, self.account.name if self.account else "", self.data)

    @property
    def words(self) -> str:
        """Its sentence, in the language that is active."""
        return self.declared.words(self.told) if self.declared else ""

    @property
    def page(self) -> str:
        """The address of what it is about."""
        return self.declared.page(self.told) if self.declared else "/"


class Preference(models.Model):
    """How one person wants to be told of one kind; without a row as the kind says by itself."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences", db_index=False
    )
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notifications_preference_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.channel}"


class Digest(models.Model):
    """That one person's daily mail of one day was written."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="notifications_digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"
