from __future__ import annotations

from django.db import models


class Segment(models.Model):
    """A named condition over accounts. Where one segment must decide, the lowest ``priority`` wins."""

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    condition = models.JSONField()
    priority = models.PositiveSmallIntegerField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["priority"]

    def __str__(self) -> str:
        return self.name
