"""Scores set by hand over the REST API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.api import Endpoint
from accounts.models import Account
from common import clock
from common.api import ACCOUNT, CONDITION
from health.api.accounts import SCORE, named_score
from health.models import NamedScore, Override
from health.queries.overrides import overrides_seen_by
from health.serializers import OverrideSerializer
from health.services import end_override, override_score

ONLY_SCORE = OpenApiParameter("score", str, description="Only those of the named score with this key.")


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT, ONLY_SCORE]))
class OverrideViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """The scores that are set by hand now; of one account those before too."""

    parameters = frozenset({"condition", "account", "score"})
    queryset = Override.objects.none()
    serializer_class = OverrideSerializer

    def get_queryset(self) -> QuerySet[Override]:
        seen = overrides_seen_by(self.caller)
        found = self.narrowed(seen.live(clock.now())) if self.action == "list" else seen
        return found.filter(named__key=named_score(self.request)) if "score" in self.request.query_params else found


@extend_schema_view(list=extend_schema(parameters=[SCORE]))
class AccountOverrideViewSet(mixins.ListModelMixin, mixins.CreateModelMixin, Endpoint):
    """The scores of one account that were and are set by hand. POST sets one, in place of the one that holds."""

    parameters = frozenset({"score"})
    queryset = Override.objects.none()
    serializer_class = OverrideSerializer

    def account(self) -> Account:
        """The account in the address, when the caller may see it."""
        return get_object_or_404(Account.objects.visible_to(self.caller), pk=self.kwargs["account"])

    def get_queryset(self) -> QuerySet[Override]:
        found = overrides_seen_by(self.caller).filter(account=self.account())
        return found.filter(named__key=named_score(self.request)) if "score" in self.request.query_params else found

    def perform_create(self, serializer: BaseSerializer[Override]) -> None:
        given = {"named": NamedScore.overall(), **serializer.validated_data}
        made = override_score(account=self.account(), by=self.caller, now=clock.now(), **given)
        serializer.instance = self.get_queryset().get(pk=made.pk)

    @extend_schema(request=None, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **kwargs: Any) -> Response:
        """What was computed counts again, at once."""
        ended = end_override(override=self.get_object(), by=self.caller, now=clock.now())
        return Response(self.get_serializer(self.get_queryset().get(pk=ended.pk)).data)
