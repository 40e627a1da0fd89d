"""Invoices and opportunities over the REST API."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.serializers import BaseSerializer

from accounts.api import Endpoint
from common import clock
from common.api import ACCOUNT, CONDITION
from revenue.models import Invoice, Opportunity
from revenue.serializers import InvoiceSerializer, OpportunitySerializer
from revenue.services import save_invoice, save_opportunity


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class InvoiceViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """Invoices to customers, as a billing system tells them."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Invoice]:
        return self.narrowed(Invoice.objects.visible_to(self.caller))

    def perform_create(self, serializer: BaseSerializer[Invoice]) -> None:
        self.own_account(serializer)
        serializer.instance = save_invoice(invoice=Invoice(**serializer.validated_data), now=clock.now())

    def perform_update(self, serializer: BaseSerializer[Invoice]) -> None:
        self.own_account(serializer)
        invoice = serializer.instance
        assert invoice is not None
        for name, given in serializer.validated_data.items():
            setattr(invoice, name, given)
        save_invoice(invoice=invoice, now=clock.now())


@extend_schema_view(list=extend_schema(parameters=[CONDITION, ACCOUNT]))
class OpportunityViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """What accounts may buy: found by people and playbooks, won or lost. Won or lost is a `stage`."""

    queryset = Opportunity.objects.none()
    serializer_class = OpportunitySerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Opportunity]:
        return self.narrowed(Opportunity.objects.visible_to(self.caller))

    def perform_create(self, serializer: BaseSerializer[Opportunity]) -> None:
        self.own_account(serializer)
        now = clock.now()
        opportunity = Opportunity(opened_by=self.caller, opened_at=now, **serializer.validated_data)
        serializer.instance = save_opportunity(opportunity=opportunity, by=self.caller, now=now)

    def perform_update(self, serializer: BaseSerializer[Opportunity]) -> None:
        self.own_account(serializer)
        opportunity = serializer.instance
        assert opportunity is not None
        for name, given in serializer.validated_data.items():
            setattr(opportunity, name, given)
        save_opportunity(opportunity=opportunity, by=self.caller, now=clock.now())
