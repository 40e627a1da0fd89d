"""The caller's notifications over the REST API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from common import clock
from notifications.kinds import KINDS
from notifications.models import Notification, Preference
from notifications.serializers import CountSerializer, NotificationSerializer, PreferencesSerializer, ReadSerializer
from notifications.services import mark_read, set_preferences


class NotificationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """What the caller is told."""

    parameters = frozenset({"condition", "account"})
    permission_classes = [IsAuthenticated]
    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer

    def get_queryset(self) -> QuerySet[Notification]:
        own = Notification.objects.filter(user=self.caller, kind__in=KINDS)
        return self.narrowed(own).select_related("account")

    @extend_schema(request=ReadSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def read(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mark some of them as read."""
        given = ReadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        count = mark_read(user=self.caller, ids=given.validated_data["ids"], now=clock.now())
        return Response({"count": count})

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer, methods=["PUT"])
    @extend_schema(responses=PreferencesSerializer, methods=["GET"])
    @action(detail=False, methods=["get", "put"])
    def preferences(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How the caller is told of each kind."""
        if request.method == "PUT":
            given = PreferencesSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            set_preferences(user=self.caller, channels=given.validated_data["channels"])
        chosen = dict(Preference.objects.filter(user=self.caller).values_list("kind", "channel"))
        return Response({"channels": {key: chosen.get(key, kind.channel) for key, kind in KINDS.items()}})
