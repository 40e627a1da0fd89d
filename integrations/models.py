from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Import(models.Model):
    """One run of a file through an importer, with what came in and what was refused."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    importer = models.CharField(max_length=40)
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    mapping = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    rows_read = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    rows_warned = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.importer} {self.file_name}"


class Finding(models.Model):
    """What was found about one row of a file: where, a code, a sentence that says what to do, and the row as it was."""

    line = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)
    row = models.JSONField()

    class Meta:
        abstract = True
        ordering = ["line"]

    def __str__(self) -> str:
        return f"{self.line}: {self.message}"


class RefusedRow(Finding):
    """One row of an import that was not taken, and the first reason why."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="refused")

    class Meta(Finding.Meta):
        constraints = [models.UniqueConstraint(fields=["run", "line"], name="integrations_refusedrow_once")]


class DoubtfulRow(Finding):
    """One doubt about a row of an import that was taken; a row may raise several."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="doubtful")

    class Meta(Finding.Meta):
        indexes = [models.Index(fields=["run", "line"], name="integrations_doubtful_in_order")]
