"""Invoices over the REST API."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.serializers import BaseSerializer

from accounts.api import Endpoint
from common import clock
from common.api import ACCOUNT, CONDITION
from revenue.models import Invoice
from revenue.serializers import InvoiceSerializer
from revenue.services import save_invoice


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
