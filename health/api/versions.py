"""Versions of the formula: the draft, those in force one after another, and going back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from common import clock
from common.api import AdminWrites
from health.models import Version
from health.serializers import PublishVersionSerializer, RollBackSerializer, VersionSerializer
from health.services import discard_draft, open_draft, publish, roll_back, withdraw


class VersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Endpoint):
    """Versions of the formula. POST opens the draft, DELETE discards it; what is published stays as it is."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Version.objects.all()
    serializer_class = VersionSerializer
    lookup_field = "number"
    http_method_names = ["get", "post", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[Version]:
        return Version.objects.all()

    @extend_schema(request=None, responses={201: VersionSerializer})
    def create(self, request: Request) -> Response:
        """Open the draft, a copy of what was published last, or give the one that is open."""
        return self._answer(open_draft(by=self.caller, now=clock.now()), status=201)

    def perform_destroy(self, instance: Version) -> None:
        discard_draft(draft=instance, now=clock.now())

    @extend_schema(request=PublishVersionSerializer, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, number: str) -> Response:
        """Put the draft in force, at once or from a time on."""
        given = self._read(PublishVersionSerializer, request)
        draft = publish(
            draft=self.get_object(),
            by=self.caller,
            note=given["note"],
            effective_at=given.get("effective_at"),
            now=clock.now(),
        )
        return self._answer(draft)

    @extend_schema(request=None, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        """Take back a version that has not taken effect: it is the draft again."""
        return self._answer(withdraw(version=self.get_object(), now=clock.now()))

    @extend_schema(request=RollBackSerializer, responses={201: VersionSerializer})
    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request, number: str) -> Response:
        """Publish a copy of this earlier version at once."""
        given = self._read(RollBackSerializer, request)
        version = roll_back(to=self.get_object(), by=self.caller, note=given["note"], now=clock.now())
        return self._answer(version, status=201)

    def _read(self, kind: type[PublishVersionSerializer | RollBackSerializer], request: Request) -> dict[str, Any]:
        serializer = kind(data=request.data)
        serializer.is_valid(raise_exception=True)
        given: dict[str, Any] = serializer.validated_data
        return given

    def _answer(self, version: Version, status: int = 200) -> Response:
        return Response(VersionSerializer(version).data, status=status)
