from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Playbook(models.Model):
    """One thing that the company does whenever an account is in a certain situation; its versions say what.

    ``problem`` is the sentence that says why nobody can enter it at present, such as a condition on a deleted field.
    ``is_catching_up`` from when it is resumed until those have entered that would have entered meanwhile.
    ``draft`` is the definition that is being worked on, until it is published; ``draft_number`` counts its changes.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("On")
        PAUSED = "paused", _("Paused")

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    live_version = models.ForeignKey(
        "playbooks.PlaybookVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_catching_up = models.BooleanField(default=False)
    problem = models.TextField(blank=True)
    draft = models.JSONField(null=True, blank=True)
    draft_number = models.PositiveIntegerField(default=0)
    draft_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    draft_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(live_version__isnull=False),
                name="playbooks_playbook_live_has_version",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(models.Model):
    """One definition of a playbook, never altered once published; runs finish on the version that they started on."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["playbook", "number"], name="playbooks_version_number_once")]

    def __str__(self) -> str:
        return f"{self.playbook_id} v{self.number}"


class EntryMatch(models.Model):
    """One account for which a playbook's entry condition holds; a new row is the condition becoming true.

    ``entered_at`` is empty while a rule (a live run, the re-entry rule) holds the account back.
    """

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="entry_matches")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    entered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("entry matches")
        indexes = [
            models.Index(fields=["playbook"], condition=Q(entered_at=None), name="playbooks_entrymatch_held_back")
        ]
        constraints = [models.UniqueConstraint(fields=["playbook", "account"], name="playbooks_entrymatch_once")]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.account_id}"
