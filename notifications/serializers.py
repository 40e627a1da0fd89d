from __future__ import annotations

from typing import Any

from rest_framework import serializers

from notifications.kinds import KINDS, Channel
from notifications.models import Notification


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """Something that the caller is told, in words of their language."""

    words = serializers.CharField(read_only=True)
    page = serializers.CharField(read_only=True)

    class Meta:
        model = Notification
        fields = ["id", "kind", "account", "words", "page", "created_at", "read_at"]


class ReadSerializer(serializers.Serializer[Any]):
    """Which notifications were read."""

    ids = serializers.ListField(child=serializers.IntegerField(), max_length=1000)


class CountSerializer(serializers.Serializer[Any]):
    """How many were changed."""

    count = serializers.IntegerField()


class PreferencesSerializer(serializers.Serializer[Any]):
    """How the caller is told, by the kinds' keys."""

    channels = serializers.DictField(child=serializers.ChoiceField(choices=Channel.choices))

    def validate_channels(self, channels: dict[str, str]) -> dict[str, str]:
        """Refuse kinds that do not exist."""
        unknown = sorted(channels.keys() - KINDS.keys())
        if unknown:
            known = ", ".join(KINDS)
            raise serializers.ValidationError(f"There is no kind “{unknown[0]}”; use some of: {known}.")
        return channels
