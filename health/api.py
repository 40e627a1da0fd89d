"""Measures, profiles and the explained health of accounts over the REST API."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.api import Endpoint
from accounts.models import Account
from common import clock
from common.api import AdminWrites
from common.errors import DomainError, NotFound
from health.models import Measure, Profile
from health.queries import explain_health
from health.serializers import HealthSerializer, MeasureSerializer, ProfileSerializer
from health.services.definitions import (
    create_measure,
    create_profile,
    delete_measure,
    delete_profile,
    update_measure,
    update_profile,
)

METHODS = ["get", "post", "patch", "delete", "head", "options"]


class MeasureViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    Endpoint,
):
    """Facts about accounts that are scored 0-100."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Measure.objects.all()
    serializer_class = MeasureSerializer
    http_method_names = METHODS

    def perform_create(self, serializer: BaseSerializer[Measure]) -> None:
        serializer.instance = create_measure(now=clock.now(), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Measure]) -> None:
        assert serializer.instance is not None
        changes = serializer.validated_data
        if changes.pop("key", serializer.instance.key) != serializer.instance.key:
            message = _("The key of a measure stays, since history and conditions name it.")
            raise DomainError(message, code="key_fixed", fields={"key": message})
        update_measure(measure=serializer.instance, now=clock.now(), **changes)

    def perform_destroy(self, instance: Measure) -> None:
        delete_measure(measure=instance)


class ProfileViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    Endpoint,
):
    """The health score of each segment."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Profile.objects.none()
    serializer_class = ProfileSerializer
    http_method_names = METHODS

    def get_queryset(self) -> QuerySet[Profile]:
        return Profile.objects.select_related("segment").prefetch_related("profile_measures__measure")

    def perform_create(self, serializer: BaseSerializer[Profile]) -> None:
        serializer.instance = create_profile(now=clock.now(), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Profile]) -> None:
        assert serializer.instance is not None
        changed = update_profile(profile=serializer.instance, now=clock.now(), **serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=changed.pk)

    def perform_destroy(self, instance: Profile) -> None:
        delete_profile(profile=instance, now=clock.now())


class AccountHealthView(Endpoint):
    """Why the health of one account is what it is, now or on a day before."""

    parameters = frozenset({"on"})
    queryset = Account.objects.none()
    serializer_class = HealthSerializer

    @extend_schema(parameters=[OpenApiParameter("on", date, description="A day before, as YYYY-MM-DD.")])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        account = get_object_or_404(Account.objects.visible_to(self.caller), pk=kwargs["pk"])
        raw = request.query_params.get("on")
        try:
            day = date.fromisoformat(raw) if raw is not None else None
        except ValueError:
            message = _("Give a day as YYYY-MM-DD.")
            raise DomainError(message, fields={"on": message}) from None
        explanation = explain_health(account=account, on=day, now=clock.now())
        if explanation is None:
            raise NotFound(_("This account had no health then: no profile decides it, or no measure had data."))
        return Response(HealthSerializer(explanation).data)
