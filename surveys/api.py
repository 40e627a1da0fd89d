"""Surveys, invitations and answers over the REST API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response as Answer

from accounts.api import Endpoint
from accounts.models import Contact
from common import clock
from common.api import ACCOUNT, CONDITION, AdminWrites, CanEdit
from outbox.models import HeldBack
from surveys.models import Response, Survey
from surveys.serializers import (
    InvitationHeldBackSerializer,
    InvitationSerializer,
    InviteSerializer,
    ResponseSerializer,
    SurveySerializer,
)
from surveys.services import invite


class SurveyViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """What customers are asked."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Survey.objects.all()
    serializer_class = SurveySerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    @extend_schema(request=InviteSerializer, responses={201: InvitationSerializer, 202: InvitationHeldBackSerializer})
    @action(detail=True, methods=["post"], permission_classes=[CanEdit])
    def invite(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        """Ask one contact; a second call for the same occasion sends nothing.

        202 says that the contact's budget is used up: what waits, and until when.
        """
        given = InviteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        contact = given.validated_data["contact"]
        if not Contact.objects.visible_to(self.caller).filter(pk=contact.pk).exists():
            raise ValidationError({"contact": ["There is no such contact."]})
        asked = invite(
            survey=self.get_object(), contact=contact, occasion=given.validated_data["occasion"], now=clock.now()
        )
        if isinstance(asked, HeldBack):
            return Answer(InvitationHeldBackSerializer(asked).data, status=202)
        return Answer(InvitationSerializer(asked).data, status=201)


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class ResponseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """What customers answered."""

    queryset = Response.objects.none()
    serializer_class = ResponseSerializer

    def get_queryset(self) -> QuerySet[Response]:
        return self.narrowed(Response.objects.visible_to(self.caller))
