from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.serializers import StorableMixin
from revenue.models import Invoice


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
