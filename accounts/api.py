"""Accounts, contacts, segments, touchpoints, ratings, tickets and events over the REST API."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from accounts.conditions import matching
from accounts.models import Account, Contact, Event, Leave, Rating, Segment, Ticket, Touchpoint, User
from accounts.serializers import (
    AccountSerializer,
    ContactSerializer,
    EventSerializer,
    LeaveSerializer,
    RatingSerializer,
    SegmentSerializer,
    TicketSerializer,
    TouchpointSerializer,
)
from accounts.services.accounts import save_account, save_contact
from accounts.services.ratings import rate_account
from accounts.services.segments import save_segment
from accounts.services.staff import delete_leave, save_leave
from accounts.services.touchpoints import log_touchpoint
from common import clock
from common.api import ACCOUNT, CONDITION, AdminWrites, CanEdit, KnownParameters, Page, condition_of, of_account


class Endpoint(KnownParameters, viewsets.GenericViewSet[Any]):
    """A list by cursor of rows that belong to accounts: only those visible to the caller, narrowed by a condition."""

    parameters = frozenset({"condition", "account"})
    permission_classes = [CanEdit]
    pagination_class = Page
    account_field = "account_id"

    @property
    def caller(self) -> User:
        """The user signed in or the one that the key acts as."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def narrowed(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """Those rows whose account the parameters ``account`` and ``condition`` ask for."""
        condition = condition_of(self.request)
        if condition is not None:
            accounts = matching(Account.objects.all(), condition, now=clock.now())
            found = found.filter(**{f"{self.account_field}__in": accounts.values("pk")})
        return of_account(found, self.request, self.account_field)

    def own_account(self, serializer: BaseSerializer[Any]) -> Account:
        """The account that the request's body names, when the caller may see it."""
        account = serializer.validated_data.get("account")
        if account is None and serializer.instance is not None:
            account = serializer.instance.account
        visible = Account.objects.visible_to(self.caller)
        if account is None or not visible.filter(pk=account.pk).exists():
            raise ValidationError({"account": ["There is no such account."]})
        return cast("Account", account)


@extend_schema_view(list=extend_schema(parameters=[CONDITION]))
class AccountViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """Customers of the company."""

    parameters = frozenset({"condition"})
    queryset = Account.objects.none()
    serializer_class = AccountSerializer
    account_field = "id"
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Account]:
        visible = Account.objects.visible_to(self.caller).select_related("owner", "plan", "stage")
        return self.narrowed(visible)

    def perform_create(self, serializer: BaseSerializer[Account]) -> None:
        self._refuse_unseen_parent(serializer)
        stage = serializer.validated_data.pop("stage", None)
        account = Account(**serializer.validated_data)
        serializer.instance = save_account(account=account, by=self.caller, now=clock.now(), stage=stage)

    def perform_update(self, serializer: BaseSerializer[Account]) -> None:
        self._refuse_unseen_parent(serializer)
        account = serializer.instance
        assert account is not None
        stage = serializer.validated_data.pop("stage", None)
        custom = serializer.validated_data.pop("custom", {})
        account.custom = {**account.custom, **custom}
        for name, given in serializer.validated_data.items():
            setattr(account, name, given)
        save_account(account=account, by=self.caller, now=clock.now(), stage=stage)

    def _refuse_unseen_parent(self, serializer: BaseSerializer[Account]) -> None:
        parent = serializer.validated_data.get("parent")
        if parent is not None and not Account.objects.visible_to(self.caller).filter(pk=parent.pk).exists():
            raise ValidationError({"parent": ["There is no such account."]})


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class ContactViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """People at customers."""

    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Contact]:
        return self.narrowed(Contact.objects.visible_to(self.caller))

    def perform_create(self, serializer: BaseSerializer[Contact]) -> None:
        self.own_account(serializer)
        serializer.instance = save_contact(contact=Contact(**serializer.validated_data))

    def perform_update(self, serializer: BaseSerializer[Contact]) -> None:
        self.own_account(serializer)
        contact = serializer.instance
        assert contact is not None
        for name, given in serializer.validated_data.items():
            setattr(contact, name, given)
        save_contact(contact=contact)


class SegmentViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """Named conditions over accounts."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_create(self, serializer: BaseSerializer[Segment]) -> None:
        serializer.instance = save_segment(segment=Segment(**serializer.validated_data))

    def perform_update(self, serializer: BaseSerializer[Segment]) -> None:
        segment = serializer.instance
        assert segment is not None
        for name, given in serializer.validated_data.items():
            setattr(segment, name, given)
        save_segment(segment=segment)


@extend_schema_view(
    list=extend_schema(
        parameters=[CONDITION, ACCOUNT, OpenApiParameter("kind", str, description="Only events of this kind.")]
    )
)
class EventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """What happened to accounts, in the order it was recorded."""

    parameters = frozenset({"condition", "account", "kind"})
    queryset = Event.objects.none()
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Event]:
        found = self.narrowed(Event.objects.visible_to(self.caller))
        kind = self.request.query_params.get("kind")
        return found.filter(kind=kind) if kind else found


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class TicketViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """Requests for support, as the help desk tells them."""

    queryset = Ticket.objects.none()
    serializer_class = TicketSerializer

    def get_queryset(self) -> QuerySet[Ticket]:
        return self.narrowed(Ticket.objects.visible_to(self.caller))


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class TouchpointViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, Endpoint):
    """Exchanges between the company and its customers."""

    queryset = Touchpoint.objects.none()
    serializer_class = TouchpointSerializer

    def get_queryset(self) -> QuerySet[Touchpoint]:
        return self.narrowed(Touchpoint.objects.visible_to(self.caller))

    def perform_create(self, serializer: BaseSerializer[Touchpoint]) -> None:
        account = self.own_account(serializer)
        given = {**serializer.validated_data, "account": account}
        if (contact := given.get("contact")) and contact.account_id != account.pk:
            raise ValidationError({"contact": ["This contact belongs to another account."]})
        serializer.instance = log_touchpoint(user=self.caller, **given)


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class RatingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, Endpoint):
    """How the staff feel that accounts are doing."""

    queryset = Rating.objects.none()
    serializer_class = RatingSerializer

    def get_queryset(self) -> QuerySet[Rating]:
        return self.narrowed(Rating.objects.visible_to(self.caller))

    def perform_create(self, serializer: BaseSerializer[Rating]) -> None:
        given = {**serializer.validated_data, "account": self.own_account(serializer)}
        serializer.instance = rate_account(user=self.caller, now=clock.now(), **given)


class LeaveViewSet(viewsets.ModelViewSet[Leave], Endpoint):
    """The days on which people are away, and who covers for them; one's own to write, everybody's for who leads."""

    parameters = frozenset()
    queryset = Leave.objects.select_related("user", "cover")
    serializer_class = LeaveSerializer
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: BaseSerializer[Leave]) -> None:
        leave = Leave(**{"user": self.caller, **serializer.validated_data})
        serializer.instance = save_leave(leave=leave, by=self.caller)

    def perform_update(self, serializer: BaseSerializer[Leave]) -> None:
        leave = serializer.instance
        assert leave is not None
        for name, given in serializer.validated_data.items():
            setattr(leave, name, given)
        save_leave(leave=leave, by=self.caller)

    def perform_destroy(self, instance: Leave) -> None:
        delete_leave(leave=instance, by=self.caller)
