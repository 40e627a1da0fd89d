from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from rest_framework import serializers

from accounts.models import Contact
from accounts.serializers import StorableMixin
from accounts.services.settings import keep_change
from common import clock
from common.text import storable
from outbox.models import HeldBack
from surveys.models import Invitation, Response, Survey
from surveys.services.reminders import check_reminder, setting_of

LONGEST_TEXT = 2000


class SurveySerializer(StorableMixin, serializers.ModelSerializer[Survey]):
    class Meta:
        model = Survey
        fields = [
            "id",
            "key",
            "name",
            "kind",
            "texts",
            "sender_name",
            "expires_after_days",
            "remind_after_days",
            "is_live",
            "created_at",
            "updated_at",
        ]

    def update(self, survey: Survey, attrs: Any) -> Survey:
        """Change a survey; a change of its reminder is kept with who made it."""
        with transaction.atomic():
            before = Survey.objects.select_for_update().get(pk=survey.pk).remind_after_days
            survey = super().update(survey, attrs)
            keep_change(
                setting=setting_of(survey),
                before=before,
                after=survey.remind_after_days,
                by=self.context["request"].user,
                now=clock.now(),
            )
        return survey

    def validate(self, attrs: Any) -> Any:
        """A reminder comes while the invitation may still be answered."""
        survey = self.instance or Survey()
        check_reminder(
            after_days=attrs.get("remind_after_days", survey.remind_after_days),
            expires_after_days=attrs.get("expires_after_days", survey.expires_after_days),
        )
        return attrs

    def validate_texts(self, texts: Any) -> Any:
        """Wording by language, then by name of the text."""
        languages = dict(settings.LANGUAGES)
        if not isinstance(texts, dict) or not set(texts) <= set(languages):
            raise serializers.ValidationError(f"Give an object by language; use: {', '.join(languages)}.")
        for wording in texts.values():
            if not isinstance(wording, dict) or not all(
                isinstance(text, str) and storable(text) and len(text) <= LONGEST_TEXT for text in wording.values()
            ):
                raise serializers.ValidationError(f"Give texts of at most {LONGEST_TEXT} characters by their name.")
        return texts


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    class Meta:
        model = Invitation
        fields = ["id", "survey", "account", "contact", "occasion", "language", "invited_at", "expires_at"]


class InvitationHeldBackSerializer(serializers.ModelSerializer[HeldBack]):
    """An invitation that the contact's budget has no place for: it goes out at ``until``, if that is soon enough."""

    class Meta:
        model = HeldBack
        fields = ["contact", "outcome", "most", "days", "held_at", "until", "useful_until"]


class InviteSerializer(serializers.Serializer[Any]):
    """Whom to ask, and what it is about: a contact is asked once an occasion."""

    contact = serializers.PrimaryKeyRelatedField(queryset=Contact.objects.all())
    occasion = serializers.CharField(max_length=150)


class ResponseSerializer(serializers.ModelSerializer[Response]):
    class Meta:
        model = Response
        fields = ["id", "survey", "account", "contact", "score", "comment", "answered_at", "changed_at"]
