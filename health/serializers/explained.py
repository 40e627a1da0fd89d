"""A score taken apart, its history, and its change between two days."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from health.models import Override, Version
from health.queries import (
    DayOfHealth,
    ExplainedGroup,
    ExplainedMeasure,
    HealthChange,
    HealthExplanation,
    MeasureChange,
    Split,
    change_sentences,
    explanation_sentences,
)


class ExplainedMeasureSerializer(serializers.Serializer[ExplainedMeasure]):
    """One input: its value with ``unit``, what it earns by its curve, and what it adds to the score.

    ``cost`` is how many points more the score would have with all 100 points here. ``trend`` has the points of the
    last days, oldest first. ``left_out`` says why it does not count: ``missing``, ``unscored``, ``not_applicable`` or
    ``broken``.
    """

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own
    group = serializers.CharField()
    attribute = serializers.CharField()
    value = serializers.JSONField()
    unit = serializers.CharField()
    curve = serializers.JSONField(source="measure.curve")
    direction = serializers.CharField(source="measure.direction")
    points = serializers.FloatField(allow_null=True)
    weight = serializers.FloatField()
    contribution = serializers.FloatField(allow_null=True)
    cost = serializers.FloatField(allow_null=True)
    trend = serializers.ListField(child=serializers.FloatField(allow_null=True))
    heard_at = serializers.DateTimeField(allow_null=True)
    stale_after_days = serializers.IntegerField(source="measure.stale_after_days", allow_null=True)
    is_stale = serializers.BooleanField()
    left_out = serializers.CharField(allow_null=True)


class ExplainedGroupSerializer(serializers.Serializer[ExplainedGroup]):
    """The inputs of one group together; the contributions of all groups add up to what is computed."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own
    contribution = serializers.FloatField()
    cost = serializers.FloatField()
    points = serializers.FloatField()
    measures = serializers.ListField(child=serializers.CharField(), source="keys")


class StandingOverrideSerializer(serializers.ModelSerializer[Override]):
    """The score that a person set by hand."""

    author = serializers.EmailField(source="author.email", default=None)

    class Meta:
        model = Override
        fields = ["id", "score", "reason", "author", "created_at", "expires_at"]
        read_only_fields = fields


class HealthSerializer(serializers.Serializer[HealthExplanation]):
    """The score, and the measures whose contributions add up to it with that of an override.

    ``stale`` of ``inputs`` are older than they should be. ``sentences`` tell it in the reader's language.
    """

    named = serializers.CharField(source="named.key")
    version = serializers.IntegerField(source="profile.version.number")
    profile = serializers.CharField(source="profile.name")
    score = serializers.FloatField(allow_null=True)
    computed_score = serializers.FloatField(allow_null=True)
    override = StandingOverrideSerializer(allow_null=True)
    override_contribution = serializers.FloatField(allow_null=True)
    band = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)
    stale = serializers.IntegerField(source="stale_count")
    inputs = serializers.SerializerMethodField()
    sentences = serializers.SerializerMethodField()
    groups = ExplainedGroupSerializer(many=True)
    measures = ExplainedMeasureSerializer(many=True)

    def get_inputs(self, explained: HealthExplanation) -> int:
        return len(explained.counted)

    def get_sentences(self, explained: HealthExplanation) -> list[str]:
        return explanation_sentences(explained)


class DayOfHealthSerializer(serializers.Serializer[DayOfHealth]):
    """The last of a score on one day; ``formula_shift`` is by how much a new version moved it on that day."""

    day = serializers.DateField()
    score = serializers.FloatField(allow_null=True)
    computed_score = serializers.FloatField(allow_null=True)
    band = serializers.CharField()
    version = serializers.IntegerField(source="version.number")
    is_overridden = serializers.BooleanField()
    formula_shift = serializers.FloatField(allow_null=True)
    points = serializers.DictField(child=serializers.FloatField(allow_null=True))


class HistorySerializer(serializers.Serializer[dict[str, Any]]):
    """The days with a score, oldest first."""

    days = DayOfHealthSerializer(many=True)


class SplitSerializer(serializers.Serializer[Split]):
    """Points of the score by cause, which add up to the difference."""

    behaviour = serializers.FloatField()
    segment = serializers.FloatField()
    formula = serializers.FloatField()
    override = serializers.FloatField()


class MeasureSplitSerializer(serializers.Serializer[Split]):
    """Points of the score by cause, of one input."""

    behaviour = serializers.FloatField()
    segment = serializers.FloatField()
    formula = serializers.FloatField()


class MeasureOfDaySerializer(serializers.Serializer[ExplainedMeasure]):
    """One input on one of the two days."""

    value = serializers.JSONField()
    points = serializers.FloatField(allow_null=True)
    weight = serializers.FloatField()
    contribution = serializers.FloatField(allow_null=True)
    left_out = serializers.CharField(allow_null=True)


class MeasureChangeSerializer(serializers.Serializer[MeasureChange]):
    """One input on both days; null on a day whose formula has no such measure.

    ``split`` is by how much it moved the score and why, ``contribution_change`` the difference of its contributions.
    """

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own
    unit = serializers.CharField(source="latest.unit")
    before = MeasureOfDaySerializer(allow_null=True)
    after = MeasureOfDaySerializer(allow_null=True)
    contribution_change = serializers.FloatField()
    split = MeasureSplitSerializer()
    cause = serializers.CharField(allow_null=True)


class ScoreOfDaySerializer(serializers.Serializer[HealthExplanation]):
    """The score on one of the two days; ``day`` is null for now, and otherwise the last one with a score."""

    day = serializers.DateField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    computed_score = serializers.FloatField(allow_null=True)
    band = serializers.CharField()
    version = serializers.IntegerField(source="profile.version.number")
    profile = serializers.CharField(source="profile.name")
    override = StandingOverrideSerializer(allow_null=True)


class VersionBetweenSerializer(serializers.ModelSerializer[Version]):
    """A version that came into force between the two days."""

    author = serializers.EmailField(source="published_by.email", default=None)

    class Meta:
        model = Version
        fields = ["number", "note", "author", "effective_at"]
        read_only_fields = fields


class HealthChangeSerializer(serializers.Serializer[HealthChange]):
    """What moved a score between two days.

    ``split``, and those of the measures with its ``override``, add up to the ``difference``; both are null when one
    of the days has no score. ``sentences`` tell it in the reader's language.
    """

    named = serializers.CharField(source="named.key")
    since = serializers.DateField()
    until = serializers.DateField(allow_null=True)
    before = ScoreOfDaySerializer(allow_null=True)
    after = ScoreOfDaySerializer(allow_null=True)
    difference = serializers.FloatField(allow_null=True)
    split = SplitSerializer(allow_null=True)
    sentences = serializers.SerializerMethodField()
    versions = VersionBetweenSerializer(many=True)
    measures = MeasureChangeSerializer(many=True)

    def get_sentences(self, change: HealthChange) -> list[str]:
        return change_sentences(change)


class ChangeDaysSerializer(serializers.Serializer[dict[str, Any]]):
    """Two days to compare: ``until`` is now when it is not given. The context has ``today``."""

    since = serializers.DateField()
    until = serializers.DateField(required=False)

    def validate_since(self, since: date) -> date:
        return self._past(since)

    def validate_until(self, until: date) -> date:
        return self._past(until)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "until" in attrs and attrs["until"] < attrs["since"]:
            raise serializers.ValidationError({"until": [_("Give a day that is not before the first one.")]})
        return attrs

    def _past(self, day: date) -> date:
        if day > self.context["today"]:
            raise serializers.ValidationError(_("This day is still to come; give today or one before."))
        return day


class HistoryDaysSerializer(serializers.Serializer[dict[str, Any]]):
    """How many days back."""

    days = serializers.IntegerField(min_value=1, max_value=1096, default=90)
