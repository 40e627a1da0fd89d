from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.serializers import StorableMixin
from revenue.models import Invoice, Opportunity


class InvoiceSerializer(StorableMixin, serializers.ModelSerializer[Invoice]):
    class Meta:
        model = Invoice
        fields = [
            "id",
            "account",
            "source",
            "external_id",
            "number",
            "amount",
            "currency",
            "issued_on",
            "due_on",
            "paid_on",
            "voided_on",
            "updated_at",
        ]
        extra_kwargs: ClassVar[dict[str, Any]] = {"amount": {"min_value": 0}}
        # What is taken already is told by the service, as a conflict.
        validators: list[Any] = []


class OpportunitySerializer(StorableMixin, serializers.ModelSerializer[Opportunity]):
    class Meta:
        model = Opportunity
        fields = [
            "id",
            "account",
            "name",
            "kind",
            "amount",
            "currency",
            "stage",
            "owner",
            "expected_on",
            "opened_by",
            "opened_at",
            "origin",
            "closed_at",
            "outcome",
            "updated_at",
        ]
        read_only_fields = ["opened_by", "opened_at", "origin", "closed_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"amount": {"min_value": 0}, "outcome": {"max_length": 10_000}}
