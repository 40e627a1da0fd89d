"""Why the health of an account is what it is, what changed it, and how it was."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from accounts.models import Account, Workspace
from common import clock
from common.errors import DomainError, NotFound
from health.models import NamedScore
from health.queries import explain_health, health_history, what_changed
from health.serializers import (
    ChangeDaysSerializer,
    HealthChangeSerializer,
    HealthSerializer,
    HistoryDaysSerializer,
    HistorySerializer,
)

SCORE = OpenApiParameter("score", str, description="The key of a named score; the overall one when not given.")


class AccountHealthView(Endpoint):
    """Why one score of one account is what it is, now or on a day before."""

    parameters = frozenset({"on", "score"})
    queryset = Account.objects.none()
    serializer_class = HealthSerializer

    @extend_schema(parameters=[SCORE, OpenApiParameter("on", date, description="A day before, as YYYY-MM-DD.")])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        account = get_object_or_404(Account.objects.visible_to(self.caller), pk=kwargs["pk"])
        named = named_score(request)
        explanation = explain_health(account=account, named=named, on=day_of(request, "on"), now=clock.now())
        if explanation is None:
            raise NotFound(_("This account had no health then: no profile decides it, or no measure had data."))
        return Response(HealthSerializer(explanation).data)


class AccountHealthChangesView(Endpoint):
    """What moved one score of one account between two days: the account, its segment, the formula, an override."""

    parameters = frozenset({"since", "until", "score"})
    queryset = Account.objects.none()
    serializer_class = HealthChangeSerializer

    @extend_schema(parameters=[ChangeDaysSerializer, SCORE])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        account = get_object_or_404(Account.objects.visible_to(self.caller), pk=kwargs["pk"])
        now = clock.now()
        days = ChangeDaysSerializer(data=_given(request, "since", "until"), context={"today": _today(now)})
        days.is_valid(raise_exception=True)
        change = what_changed(account=account, named=named_score(request), now=now, **days.validated_data)
        if change is None:
            raise NotFound(_("This account has had no such score yet, so nothing of it could change."))
        return Response(HealthChangeSerializer(change).data)


class AccountHealthHistoryView(Endpoint):
    """One score of one account day by day."""

    parameters = frozenset({"days", "score"})
    queryset = Account.objects.none()
    serializer_class = HistorySerializer

    @extend_schema(parameters=[HistoryDaysSerializer, SCORE])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        account = get_object_or_404(Account.objects.visible_to(self.caller), pk=kwargs["pk"])
        asked = HistoryDaysSerializer(data=_given(request, "days"))
        asked.is_valid(raise_exception=True)
        days = asked.validated_data["days"]
        first = _today(clock.now()) - timedelta(days=days - 1)
        history = health_history(account=account, named=named_score(request), days=days)
        return Response(HistorySerializer({"days": [day for day in history if day.day >= first]}).data)


def _given(request: Request, *names: str) -> dict[str, str]:
    return {name: request.query_params[name] for name in names if name in request.query_params}


def _today(now: datetime) -> date:
    return Workspace.current().day(now)


def named_score(request: Request) -> str:
    """The key of the named score that the parameter ``score`` asks for; raises DomainError for one that is none."""
    key = request.query_params.get("score", NamedScore.OVERALL)
    known = [named.key for named in NamedScore.every()]
    if key not in known:
        message = _("There is no score “%(key)s”; use one of: %(known)s.")
        message %= {"key": key[:40], "known": ", ".join(known)}
        raise DomainError(message, fields={"score": message})
    return key


def day_of(request: Request, name: str) -> date | None:
    """The query parameter as a day, or None when it is not given; raises DomainError."""
    raw = request.query_params.get(name)
    try:
        return date.fromisoformat(raw) if raw is not None else None
    except ValueError:
        message = _("Give a day as YYYY-MM-DD.")
        raise DomainError(message, fields={name: message}) from None
