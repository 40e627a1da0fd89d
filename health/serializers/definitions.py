from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Segment
from health.models import Measure, NamedScore, Profile, Version


class VersionSerializer(serializers.ModelSerializer[Version]):
    """``is_draft`` until it is published; it counts from ``effective_at`` until a later one takes effect."""

    class Meta:
        model = Version
        fields = ["id", "number", "note", "is_draft", "created_at", "changed_at", "published_at", "effective_at"]
        read_only_fields = fields


class PublishVersionSerializer(serializers.Serializer[Version]):
    """What changes and why, and from when on; at once when no time is given."""

    note = serializers.CharField()
    effective_at = serializers.DateTimeField(required=False, allow_null=True)


class RollBackSerializer(serializers.Serializer[Version]):
    """Why the earlier version comes back."""

    note = serializers.CharField()


class NamedScoreSerializer(serializers.ModelSerializer[NamedScore]):
    class Meta:
        model = NamedScore
        fields = ["id", "key", "label", "description", "position", "drop_points"]


class MeasureSerializer(serializers.ModelSerializer[Measure]):
    """``version`` is the number of the version that this measure belongs to."""

    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Measure
        fields = [
            "id",
            "key",
            "version",
            "label",
            "description",
            "group",
            "attribute",
            "curve",
            "direction",
            "missing",
            "stale_after_days",
            "applies_when",
        ]
        extra_kwargs: dict[str, Any] = {"key": {"validators": []}}


class ProfileSerializer(serializers.ModelSerializer[Profile]):
    """``weights`` maps measure keys to weights; equal weights make the score the plain mean."""

    score = serializers.SlugRelatedField(
        source="named", slug_field="key", queryset=NamedScore.objects.all(), required=False
    )
    segment = serializers.SlugRelatedField(slug_field="key", queryset=Segment.objects.all())
    weights = serializers.DictField(child=serializers.JSONField())
    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Profile
        fields = ["id", "version", "score", "name", "segment", "good_from", "watch_from", "weights"]
        # The service says what stands in the way, with the draft locked.
        validators: list[Any] = []

    def to_representation(self, instance: Profile) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "version": instance.version.number,
            "score": instance.named.key,
            "name": instance.name,
            "segment": instance.segment.key,
            "good_from": instance.good_from,
            "watch_from": instance.watch_from,
            "weights": {part.measure.key: float(part.weight) for part in instance.profile_measures.all()},
        }
