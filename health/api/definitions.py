"""Measures, named scores and profiles. Reading shows the version in force; writing changes the draft."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.api import Endpoint
from common import clock
from common.api import AdminWrites
from common.errors import DomainError, NotFound
from health.models import Measure, NamedScore, Profile, Version
from health.serializers import MeasureSerializer, NamedScoreSerializer, ProfileSerializer
from health.services import (
    create_measure,
    create_profile,
    delete_measure,
    delete_profile,
    open_draft,
    update_measure,
    update_profile,
)

METHODS = ["get", "post", "patch", "delete", "head", "options"]
VERSION = OpenApiParameter(
    "version", str, description="The number of a version, or “draft”; the version in force when not given."
)


class DefinitionEndpoint(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    Endpoint,
):
    """A part of a version: read from the one asked for, written to the draft, which is opened when there is none."""

    parameters = frozenset({"version"})
    permission_classes = [AdminWrites]
    http_method_names = METHODS

    def version(self) -> Version | None:
        """The version to read from; raises NotFound when there is none of that number."""
        if self.request.method in ("POST", "PATCH", "DELETE"):
            return self.draft()
        raw = self.request.query_params.get("version")
        if raw is None:
            return Version.objects.in_force(clock.now())
        versions = Version.objects.draft() if raw == "draft" else Version.objects.none()
        if raw.isascii() and raw.isdigit() and len(raw) < 10:
            versions = Version.objects.filter(number=int(raw))
        if version := versions.first():
            return version
        raise NotFound(_("There is no such version."), fields={"version": _("Give a version's number, or “draft”.")})

    # A draft that was opened for a change that is then refused goes with it.
    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @transaction.atomic
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def draft(self) -> Version:
        return open_draft(by=self.caller, now=clock.now())


@extend_schema_view(list=extend_schema(parameters=[VERSION]), retrieve=extend_schema(parameters=[VERSION]))
class MeasureViewSet(DefinitionEndpoint):
    """Facts about accounts that are scored 0-100."""

    queryset = Measure.objects.none()
    serializer_class = MeasureSerializer
    lookup_field = "key"

    def get_queryset(self) -> QuerySet[Measure]:
        return Measure.objects.filter(version=self.version()).select_related("version")

    def perform_create(self, serializer: BaseSerializer[Measure]) -> None:
        serializer.instance = create_measure(draft=self.draft(), now=clock.now(), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Measure]) -> None:
        assert serializer.instance is not None
        changes = serializer.validated_data
        if changes.pop("key", serializer.instance.key) != serializer.instance.key:
            message = _("The key of a measure stays, since history and conditions name it.")
            raise DomainError(message, code="key_fixed", fields={"key": message})
        update_measure(measure=serializer.instance, now=clock.now(), **changes)

    def perform_destroy(self, instance: Measure) -> None:
        delete_measure(measure=instance, now=clock.now())


@extend_schema_view(list=extend_schema(parameters=[VERSION]), retrieve=extend_schema(parameters=[VERSION]))
class ProfileViewSet(DefinitionEndpoint):
    """How each segment is scored. A profile of another version stands for the draft's of the same score and segment."""

    queryset = Profile.objects.none()
    serializer_class = ProfileSerializer

    def get_queryset(self) -> QuerySet[Profile]:
        rows = Profile.objects.select_related("segment", "named", "version")
        return rows.filter(version=self.version()).prefetch_related("profile_measures__measure")

    def get_object(self) -> Profile:
        rows = Profile.objects.select_related("segment", "named", "version")
        asked = get_object_or_404(rows.prefetch_related("profile_measures__measure"), pk=self.kwargs["pk"])
        if self.request.method in ("PATCH", "DELETE"):
            return get_object_or_404(self.get_queryset(), named=asked.named_id, segment=asked.segment_id)
        return asked

    def perform_create(self, serializer: BaseSerializer[Profile]) -> None:
        serializer.instance = create_profile(draft=self.draft(), now=clock.now(), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Profile]) -> None:
        assert serializer.instance is not None
        changed = update_profile(profile=serializer.instance, now=clock.now(), **serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=changed.pk)

    def perform_destroy(self, instance: Profile) -> None:
        delete_profile(profile=instance, now=clock.now())


class NamedScoreViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """The scores that accounts have, the overall one and others."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = NamedScore.objects.all()
    serializer_class = NamedScoreSerializer
    lookup_field = "key"
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_update(self, serializer: BaseSerializer[NamedScore]) -> None:
        assert serializer.instance is not None
        if serializer.validated_data.get("key", serializer.instance.key) != serializer.instance.key:
            message = _("The key of a score stays, since history and conditions name it.")
            raise DomainError(message, code="key_fixed", fields={"key": message})
        serializer.save()
