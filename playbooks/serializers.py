from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import StorableMixin
from common import clock
from playbooks import handing
from playbooks.models import Assignment, Holdout, Playbook, Rehearsal, Run, Task
from playbooks.queries.effect import results_of
from playbooks.queries.rehearsal import figures_of, tasks_by_week
from playbooks.queries.verdict import Answer
from playbooks.queries.why import tell_task, why_run, why_task
from playbooks.rules import LEAST_LOADED
from playbooks.services.by_hand import Held


class PlaybookSerializer(StorableMixin, serializers.ModelSerializer[Playbook]):
    version = serializers.IntegerField(source="live_version.number", read_only=True, allow_null=True, default=None)
    definition = serializers.JSONField(source="live_version.definition", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Playbook
        fields = ["id", "key", "name", "description", "status", "problem", "version", "definition", "created_at"]
        read_only_fields = ["status", "problem"]


class PublishSerializer(serializers.Serializer[Any]):
    """A definition, and a note on what changed."""

    definition = serializers.JSONField()
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class DraftSerializer(serializers.ModelSerializer[Playbook]):
    """What is being worked on; ``number`` counts its changes, and whoever saves says which one they saw."""

    definition = serializers.JSONField(source="draft", read_only=True)
    number = serializers.IntegerField(source="draft_number", read_only=True)
    saved_by = serializers.EmailField(source="draft_by.email", read_only=True, allow_null=True, default=None)
    saved_at = serializers.DateTimeField(source="draft_at", read_only=True)

    class Meta:
        model = Playbook
        fields = ["definition", "number", "saved_by", "saved_at"]


class SaveDraftSerializer(serializers.Serializer[Any]):
    """A definition, and the number of the draft as it was read."""

    definition = serializers.JSONField()
    number = serializers.IntegerField(min_value=0)


class DiscardDraftSerializer(serializers.Serializer[Any]):
    """The number of the draft as it was read."""

    number = serializers.IntegerField(min_value=0)


class EnterSerializer(serializers.Serializer[Any]):
    """Which accounts should enter: by id, or those for which a condition holds."""

    accounts = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, allow_empty=False)
    condition = serializers.JSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none and both."""
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give “accounts” or “condition”, and not both."))
        return attrs


class EnteredSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    run = serializers.IntegerField()


class HeldBackSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=Held.choices)
    message = serializers.CharField()


class ByHandSerializer(serializers.Serializer[Any]):
    """Which accounts entered, and what held the others back."""

    entered = EnteredSerializer(many=True)
    held_back = HeldBackSerializer(many=True)


class RunSerializer(serializers.ModelSerializer[Run]):
    class Meta:
        model = Run
        fields = [
            "id",
            "playbook",
            "version",
            "account",
            "event",
            "state",
            "step",
            "due_at",
            "entered_at",
            "ended_at",
            "error",
        ]


class LineSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    words = serializers.CharField()
    seen = serializers.ListField(child=serializers.CharField())


class RunWithStorySerializer(RunSerializer):
    """A run with its own record told in sentences."""

    story = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "story"]

    def get_story(self, run: Run) -> list[dict[str, Any]]:
        return [dict(line) for line in LineSerializer(why_run(run), many=True).data]


class HurdleSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    passed = serializers.BooleanField()
    words = serializers.ListField(child=serializers.CharField())


class VerdictSerializer(serializers.Serializer[Any]):
    """Why a playbook fired for an account, what it waits for, or what keeps the account out, with the values found."""

    answer = serializers.ChoiceField(choices=Answer.choices)
    run = serializers.IntegerField(source="run.pk", allow_null=True)
    fired_because = serializers.ListField(child=serializers.CharField(), source="because")
    outcome = serializers.CharField()
    waits_for = serializers.ListField(child=serializers.CharField())
    looks_at = serializers.ListField(child=serializers.CharField())
    did_not_because = serializers.ListField(child=serializers.CharField())
    hurdles = HurdleSerializer(many=True)


class TaskSerializer(StorableMixin, serializers.ModelSerializer[Task]):
    owner = serializers.SlugRelatedField(
        slug_field="email", queryset=User.objects.filter(is_active=True), allow_null=True, required=False
    )

    class Meta:
        model = Task
        fields = [
            "id",
            "account",
            "owner",
            "title",
            "guidance",
            "run",
            "severity",
            "minutes",
            "due_at",
            "status",
            "snoozed_until",
            "outcome",
            "note",
            "done_at",
            "priority",
            "priority_reasons",
            "created_at",
        ]
        extra_kwargs: ClassVar[dict[str, Any]] = {"minutes": {"required": False}}
        read_only_fields = [
            "run",
            "status",
            "snoozed_until",
            "outcome",
            "note",
            "done_at",
            "priority",
            "priority_reasons",
            "created_at",
        ]


class TaskWithWhySerializer(TaskSerializer):
    """A task with two sentences that say why it exists, all that was seen, and how it came to its owner."""

    because = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    handed = serializers.SerializerMethodField()

    class Meta(TaskSerializer.Meta):
        fields = [*TaskSerializer.Meta.fields, "because", "why", "handed"]

    def get_because(self, task: Task) -> list[str]:
        return list(tell_task(task))

    def get_why(self, task: Task) -> list[str]:
        return why_task(task)

    def get_handed(self, task: Task) -> list[str]:
        return handing.told(task.handed)


class CompleteSerializer(StorableMixin, serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=Task.Outcome.choices, required=False, allow_blank=True, default="")
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)


class SnoozeSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


class ReassignSerializer(StorableMixin, serializers.Serializer[Any]):
    to = serializers.SlugRelatedField(slug_field="email", queryset=User.objects.filter(is_active=True))
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class AssignSerializer(StorableMixin, serializers.Serializer[Any]):
    """Accounts, and the rule by which they are given to people; ``playbooks.rules`` has what may be said."""

    accounts = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=1000)
    to = serializers.CharField(max_length=254)
    among = serializers.ListField(child=serializers.EmailField(), required=False, default=list, max_length=100)
    difficult = serializers.JSONField(required=False, allow_null=True, default=None)
    otherwise = serializers.CharField(required=False, default=LEAST_LOADED, max_length=40)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    move_open_work = serializers.BooleanField(required=False, default=True)


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """Accounts and tasks that changed hands together, each with its owner before and after."""

    accounts = serializers.SerializerMethodField()
    tasks = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = ["id", "reason", "accounts", "tasks", "made_at", "undone_at"]

    def get_accounts(self, assignment: Assignment) -> list[dict[str, int | None]]:
        return _moves(assignment.accounts)

    def get_tasks(self, assignment: Assignment) -> list[dict[str, int | None]]:
        return _moves(assignment.tasks)


class HoldoutSerializer(serializers.ModelSerializer[Holdout]):
    """Accounts that are only watched, beside those that the playbook treats."""

    class Meta:
        model = Holdout
        fields = [
            "id",
            "playbook",
            "share",
            "outcome",
            "after_days",
            "base_rate",
            "verdict_on",
            "started_at",
            "stopped_at",
            "problem",
        ]
        read_only_fields = ["started_at", "stopped_at", "problem"]


class EffectSerializer(serializers.Serializer[Any]):
    """The difference of the shares that reached the outcome, from -1 to 1, with its 95 % interval."""

    difference = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class ResultsSerializer(serializers.Serializer[Any]):
    """How many accounts are in each part and how many outcomes are known; the effect only once it is told."""

    treated = serializers.IntegerField(source="treated.entered")
    held_out = serializers.IntegerField(source="held_out.entered")
    known = serializers.IntegerField()
    effect = EffectSerializer(allow_null=True)


class HoldoutWithResultsSerializer(HoldoutSerializer):
    """A holdout, and what it has found."""

    results = serializers.SerializerMethodField()

    class Meta(HoldoutSerializer.Meta):
        fields = [*HoldoutSerializer.Meta.fields, "results"]

    @extend_schema_field(ResultsSerializer)
    def get_results(self, holdout: Holdout) -> dict[str, Any]:
        return dict(ResultsSerializer(results_of(holdout, now=clock.now())).data)


class MovedSerializer(serializers.Serializer[Any]):
    """How many runs were moved."""

    moved = serializers.IntegerField()


class RehearseSerializer(serializers.Serializer[Any]):
    """Whether the draft is tried, or what is live."""

    is_draft = serializers.BooleanField(default=True)


class FiguresSerializer(serializers.Serializer[Any]):
    """What a rehearsal found."""

    entered = serializers.IntegerField()
    from_start = serializers.IntegerField()
    recovered = serializers.IntegerField()
    reached = serializers.IntegerField()
    fired = serializers.IntegerField()
    exited = serializers.IntegerField()
    waiting = serializers.IntegerField()
    tasks = serializers.IntegerField()
    mails = serializers.IntegerField()
    over_budget = serializers.IntegerField()


class WeekSerializer(serializers.Serializer[Any]):
    """What one CSM would have got in the week that begins on that Monday; ``minutes`` is what the tasks need."""

    week = serializers.DateField()
    tasks = serializers.IntegerField()
    minutes = serializers.IntegerField()


class OwnersWeeksSerializer(serializers.Serializer[Any]):
    """The weeks of one CSM by e-mail address; of nobody's tasks without one."""

    owner = serializers.EmailField(allow_null=True)
    weeks = WeekSerializer(many=True)


class RehearsalSerializer(serializers.ModelSerializer[Rehearsal]):
    """What a definition would have done in the last 90 days; ``figures`` and ``tasks_by_week`` once it is finished."""

    figures = serializers.SerializerMethodField()
    tasks_by_week = serializers.SerializerMethodField()

    class Meta:
        model = Rehearsal
        fields = [
            "id",
            "draft_number",
            "version_number",
            "first_day",
            "last_day",
            "asked_at",
            "days_done",
            "finished_at",
            "problem",
            "judged_by_today",
            "figures",
            "tasks_by_week",
        ]

    @extend_schema_field(FiguresSerializer(allow_null=True))
    def get_figures(self, rehearsal: Rehearsal) -> dict[str, Any] | None:
        return dict(FiguresSerializer(figures_of(rehearsal)).data) if rehearsal.is_complete else None

    @extend_schema_field(OwnersWeeksSerializer(many=True, allow_null=True))
    def get_tasks_by_week(self, rehearsal: Rehearsal) -> list[dict[str, Any]] | None:
        if not rehearsal.is_complete:
            return None
        found = tasks_by_week(rehearsal)
        return [
            {
                "owner": one.owner.email if one.owner else None,
                "weeks": [
                    {"week": week, "tasks": count, "minutes": minutes}
                    for week, count, minutes in zip(found.weeks, one.counts, one.minutes, strict=True)
                ],
            }
            for one in found.owners
        ]


class TodaySerializer(serializers.Serializer[Any]):
    """An account of which entry and audience hold now, and in sentences what was found, or what holds it back."""

    account = serializers.IntegerField(source="account.pk")
    name = serializers.CharField(source="account.name")
    is_held_out = serializers.BooleanField()
    words = serializers.ListField(child=serializers.CharField())


def _moves(moves: list[list[int | None]]) -> list[dict[str, int | None]]:
    return [{"id": pk, "from": before, "to": after} for pk, before, after in moves]
