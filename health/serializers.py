from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Segment
from health.models import Measure, Profile
from health.queries import ExplainedMeasure, HealthExplanation


class MeasureSerializer(serializers.ModelSerializer[Measure]):
    class Meta:
        model = Measure
        fields = [
            "id",
            "key",
            "label",
            "description",
            "group",
            "attribute",
            "curve",
            "missing",
            "stale_after_days",
            "updated_at",
        ]
        extra_kwargs: dict[str, Any] = {"key": {"validators": []}}


class ProfileSerializer(serializers.ModelSerializer[Profile]):
    """``weights`` maps measure keys to weights; equal weights make the score the plain mean."""

    segment = serializers.SlugRelatedField(slug_field="key", queryset=Segment.objects.all())
    weights = serializers.DictField(child=serializers.JSONField())

    class Meta:
        model = Profile
        fields = ["id", "name", "segment", "good_from", "watch_from", "weights", "updated_at"]
        extra_kwargs: dict[str, Any] = {"segment": {"validators": []}}

    def to_representation(self, instance: Profile) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "name": instance.name,
            "segment": instance.segment.key,
            "good_from": instance.good_from,
            "watch_from": instance.watch_from,
            "weights": {part.measure.key: float(part.weight) for part in instance.profile_measures.all()},
            "updated_at": instance.updated_at,
        }


class ExplainedMeasureSerializer(serializers.Serializer[ExplainedMeasure]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own
    attribute = serializers.CharField()
    value = serializers.JSONField()
    points = serializers.FloatField(allow_null=True)
    weight = serializers.FloatField(allow_null=True)
    contribution = serializers.FloatField(allow_null=True)
    heard_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    left_out = serializers.CharField(allow_null=True)


class HealthSerializer(serializers.Serializer[HealthExplanation]):
    """The score and the measures whose contributions add up to it."""

    score = serializers.FloatField(allow_null=True)
    band = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)
    measures = ExplainedMeasureSerializer(many=True)
