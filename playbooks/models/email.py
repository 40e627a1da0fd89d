from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Contact
from outbox.models import Message
from playbooks.models.run import Run


class EmailTemplate(models.Model):
    """One mail that playbooks may write, in one language or several (``texts``)."""

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class EmailText(models.Model):
    """What a template says in one language: a subject and a body in Markdown, both with merge values (Liquid)."""

    template = models.ForeignKey(EmailTemplate, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(max_length=300)
    body = models.TextField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["template", "language"], name="playbooks_emailtext_once_a_language"),
        ]

    def __str__(self) -> str:
        return self.subject


class WrittenEmail(models.Model):
    """One mail that a run wrote to a contact; ``key`` is made of run and step.

    ``bounced_at`` is when it was seen that there is no such mailbox.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="emails")
    key = models.CharField(max_length=200, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="playbook_emails")
    template = models.CharField(max_length=64)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=300)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["message"], condition=Q(bounced_at=None), name="playbooks_writtenemail_open"),
        ]

    def __str__(self) -> str:
        return self.subject
