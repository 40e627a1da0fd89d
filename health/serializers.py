from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Segment
from health.models import Measure, NamedScore, Override, Profile, Version
from health.queries import ExplainedMeasure, HealthExplanation
from health.queries.backtest import Backtest, Ranked, Unknown
from health.queries.simulation import Change, Findings, LeftOut, Move, Progress, Spread


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


class ExplainedMeasureSerializer(serializers.Serializer[ExplainedMeasure]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own
    attribute = serializers.CharField()
    value = serializers.JSONField()
    points = serializers.FloatField(allow_null=True)
    weight = serializers.FloatField()
    contribution = serializers.FloatField(allow_null=True)
    heard_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    left_out = serializers.CharField(allow_null=True)


class HealthSerializer(serializers.Serializer[HealthExplanation]):
    """The score, and the measures whose contributions add up to it with that of an override."""

    named = serializers.CharField(source="named.key")
    version = serializers.IntegerField(source="profile.version.number")
    score = serializers.FloatField(allow_null=True)
    computed_score = serializers.FloatField(allow_null=True)
    override_contribution = serializers.FloatField(allow_null=True)
    band = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)
    measures = ExplainedMeasureSerializer(many=True)


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


class ProgressSerializer(serializers.Serializer[Progress]):
    """How many pieces of the work are done."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class LeftOutSerializer(serializers.Serializer[LeftOut]):
    """A measure or profile that could not be scored; ``is_draft`` when it is the draft's."""

    measure = serializers.CharField(source="problem.measure.key", default=None)
    profile = serializers.CharField(source="problem.profile.name", default=None)
    message = serializers.CharField(source="problem.message")
    is_draft = serializers.BooleanField()


class ChangeSerializer(serializers.Serializer[Change]):
    """How many scores change; ``median`` and ``p95`` are points up or down over those with a score before and after."""

    accounts = serializers.IntegerField()
    changed = serializers.IntegerField()
    rising = serializers.IntegerField()
    falling = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class MoveSerializer(serializers.Serializer[Move]):
    """Accounts by their band before and after, ``none`` without a score, and their MRR."""

    before = serializers.CharField()
    after = serializers.CharField()
    accounts = serializers.IntegerField()
    mrr = serializers.DecimalField(max_digits=18, decimal_places=2)


class SpreadSerializer(serializers.Serializer[Spread]):
    """How many accounts score from each of ``bounds`` up to the next."""

    bounds = serializers.ListField(child=serializers.IntegerField())
    before = serializers.ListField(child=serializers.IntegerField())
    after = serializers.ListField(child=serializers.IntegerField())


class RankedSerializer(serializers.Serializer[Ranked]):
    """How one formula ranked the lost; without figures when they are fewer than 20. See ``verdict``.

    ``verdict`` is ``not_enough``, ``none`` (no evidence that the score predicts churn), ``backwards`` or
    ``predicts``; ``is_weak`` when it rests on fewer than 80 losses.
    """

    losses = serializers.IntegerField()
    compared = serializers.IntegerField()
    auc = serializers.FloatField(allow_null=True)
    error = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    worst_fifth = serializers.FloatField(allow_null=True)
    worst_tenth = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField()
    is_weak = serializers.BooleanField()


class UnknownSerializer(serializers.Serializer[Unknown]):
    """A measure of the draft without recorded values for so many of the losses."""

    key = serializers.CharField()
    losses = serializers.IntegerField()


class BacktestSerializer(serializers.Serializer[Backtest]):
    """How the accounts lost in the last year would have been ranked 30 days before, by what was recorded then."""

    lost = serializers.IntegerField()
    recorded = serializers.IntegerField()
    before = RankedSerializer()
    after = RankedSerializer()
    unknown = UnknownSerializer(many=True)


class FindingsSerializer(serializers.Serializer[Findings]):
    """What a complete simulation found about one named score."""

    score = serializers.CharField(source="named.key")
    change = ChangeSerializer()
    matrix = MoveSerializer(many=True)
    spread = SpreadSerializer()
    backtest = BacktestSerializer()


class SimulationSerializer(serializers.Serializer[dict[str, Any]]):
    """A simulation: ``found`` is null until it ``is_complete``; ``problem`` says why it was given up."""

    version = serializers.IntegerField(source="simulation.version.number")
    against = serializers.IntegerField(source="simulation.against.number", default=None)
    started_at = serializers.DateTimeField(source="simulation.started_at")
    finished_at = serializers.DateTimeField(source="simulation.finished_at", allow_null=True)
    is_complete = serializers.BooleanField(source="simulation.is_complete")
    problem = serializers.CharField(source="simulation.get_problem_display")
    is_out_of_date = serializers.BooleanField()
    progress = ProgressSerializer()
    left_out = LeftOutSerializer(many=True)
    found = FindingsSerializer(allow_null=True)
