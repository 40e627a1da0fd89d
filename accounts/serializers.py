from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import Account, Contact, Event, Leave, Plan, Rating, Segment, Stage, Ticket, Touchpoint, User
from common.text import normal_email, storable


class StorableMixin:
    """Texts without what PostgreSQL cannot store."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            for name, given in data.items():
                if isinstance(given, str) and not storable(given):
                    raise serializers.ValidationError({name: ["Remove the NUL character or lone surrogate."]})
        return super().to_internal_value(data)  # type: ignore[misc]  # mixed into a serializer


class AccountSerializer(StorableMixin, serializers.ModelSerializer[Account]):
    owner = serializers.SlugRelatedField(
        slug_field="email", queryset=User.objects.all(), allow_null=True, required=False
    )
    plan = serializers.SlugRelatedField(slug_field="key", queryset=Plan.objects.all(), allow_null=True, required=False)
    stage = serializers.SlugRelatedField(
        slug_field="key", queryset=Stage.objects.all(), allow_null=False, required=False
    )
    custom = serializers.DictField(required=False)

    class Meta:
        model = Account
        fields = [
            "id",
            "name",
            "external_id",
            "domains",
            "parent",
            "owner",
            "touch_model",
            "plan",
            "seats",
            "industry",
            "country",
            "language",
            "time_zone",
            "tags",
            "custom",
            "stage",
            "stage_entered_at",
            "customer_since",
            "ended_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["stage_entered_at", "ended_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"external_id": {"validators": []}}


class ContactSerializer(StorableMixin, serializers.ModelSerializer[Contact]):
    class Meta:
        model = Contact
        fields = [
            "id",
            "account",
            "external_id",
            "name",
            "email",
            "phone",
            "title",
            "role",
            "language",
            "time_zone",
            "last_seen_at",
            "bounced_at",
            "unsubscribed_at",
            "left_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["last_seen_at", "bounced_at", "unsubscribed_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"external_id": {"validators": []}}
        validators: list[Any] = []

    def validate_email(self, email: str) -> str:
        return normal_email(email)


class SegmentSerializer(StorableMixin, serializers.ModelSerializer[Segment]):
    class Meta:
        model = Segment
        fields = ["id", "key", "name", "description", "condition", "priority", "created_at", "updated_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"key": {"validators": []}, "priority": {"validators": []}}


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ["id", "account", "kind", "happened_at", "recorded_at", "user", "contact", "data"]


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    class Meta:
        model = Ticket
        fields = [
            "id",
            "account",
            "contact",
            "source",
            "external_id",
            "subject",
            "priority",
            "opened_at",
            "first_answered_at",
            "solved_at",
            "reopened_count",
            "is_escalated",
            "satisfaction",
        ]


class TouchpointSerializer(StorableMixin, serializers.ModelSerializer[Touchpoint]):
    class Meta:
        model = Touchpoint
        fields = [
            "id",
            "account",
            "contact",
            "user",
            "kind",
            "direction",
            "sentiment",
            "minutes",
            "summary",
            "body",
            "next_step",
            "next_step_on",
            "happened_at",
            "created_at",
        ]
        read_only_fields = ["user"]


class RatingSerializer(StorableMixin, serializers.ModelSerializer[Rating]):
    class Meta:
        model = Rating
        fields = ["id", "account", "user", "value", "comment", "rated_at", "created_at"]
        read_only_fields = ["user"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"rated_at": {"required": False}}


class LeaveSerializer(serializers.ModelSerializer[Leave]):
    user = serializers.SlugRelatedField(slug_field="email", queryset=User.objects.all(), required=False)
    cover = serializers.SlugRelatedField(
        slug_field="email", queryset=User.objects.all(), allow_null=True, required=False
    )

    class Meta:
        model = Leave
        fields = ["id", "user", "starts_on", "ends_on", "cover"]
        validators: ClassVar[list[Any]] = []
