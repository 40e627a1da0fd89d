from __future__ import annotations

from typing import Any

from rest_framework import serializers

from health.models import NamedScore, Override


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """A score set by hand: which (``named``), what, why, by whom and until when; it holds until ``ended_at`` is known.

    ``computed_score`` is the formula's own beneath it, while it holds. ``ended_by`` is empty when it expired.
    """

    named = serializers.SlugRelatedField(slug_field="key", queryset=NamedScore.objects.all(), required=False)
    # What is out of range is refused with the service's own sentences.
    score = serializers.FloatField()
    reason = serializers.CharField(allow_blank=True)
    author = serializers.EmailField(source="author.email", read_only=True, allow_null=True)
    ended_by = serializers.EmailField(source="ended_by.email", read_only=True, allow_null=True)
    computed_score = serializers.FloatField(read_only=True, allow_null=True)

    class Meta:
        model = Override
        fields = [
            "id",
            "account",
            "named",
            "score",
            "computed_score",
            "reason",
            "author",
            "created_at",
            "expires_at",
            "ended_at",
            "ended_by",
        ]
        read_only_fields = ["account", "created_at", "ended_at"]
        # The service replaces what holds, and says when somebody else was quicker.
        validators: list[Any] = []
