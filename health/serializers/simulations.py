from __future__ import annotations

from typing import Any

from rest_framework import serializers

from health.queries.backtest import Backtest, Ranked, Unknown
from health.queries.simulation import Change, Findings, LeftOut, Move, Progress, Spread


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
    """A measure of the draft without recorded values for so many of the losses with a record."""

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
