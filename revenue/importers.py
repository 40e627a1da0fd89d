"""What files may tell of money: the recurring lines of contracts, and invoices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Event, Workspace
from accounts.services.ledger import record_many, touch
from common import clock
from common.cells import Day, Flag, Number, Refusal, Text
from common.importers import (
    Field,
    Importer,
    Known,
    Occasion,
    Outcome,
    Reference,
    Row,
    register,
    register_references,
)
from common.upserts import Values, upsert
from revenue.models import Invoice, Subscription
from revenue.services import tell


class SubscriptionImporter(Importer):
    """Recurring lines by the id that they have where they are billed; amounts in the workspace's currency."""

    name = "subscriptions"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("plan", reference="plan"),
        Field("seats", Number(0, 2**31 - 1)),
        Field("mrr", Number(0, 10**11, places=2), required=True),
        Field("currency", Text(3), required=True),
        Field("term_months", Number(1, 1200, empty=1)),
        Field("started_on", Day(), required=True),
        Field("renews_on", Day()),
        Field("ended_on", Day()),
        Field("is_trial", Flag(empty=False)),
        Field("auto_renews", Flag(empty=True)),
    )

    def check(self, values: Mapping[str, Any], occasion: Occasion) -> None:
        if values.get("ended_on") and values["ended_on"] < values["started_on"]:
            raise Refusal(
                "ends_before_start", _("This is before the subscription started; correct one."), field="ended_on"
            )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        outcome = Outcome(refused=_in_other_currencies(rows))
        good = (_columns(row.values) for row in rows if row.line not in outcome.refused)
        written = upsert(Subscription, key=self.identity, rows=good, also=("updated_at",))
        events = [
            *(event for line in written.created for event in _story(line, {}, occasion)),
            *(event for line, before in written.updated for event in _story(line, before, occasion)),
        ]
        record_many(events, news_since=occasion.news_since)
        changed = [*written.created, *(line for line, _before in written.updated)]
        touch({line.account_id for line in changed} - {event.account_id for event in events})
        outcome.created, outcome.updated = len(written.created), len(written.updated)
        outcome.unchanged = len(written.unchanged)
        return outcome


class InvoiceImporter(Importer):
    """Invoices by the billing system's name and its id for them; amounts in the workspace's currency."""

    name = "invoices"
    identity = ("source", "external_id")
    fields = (
        Field("source", Text(40), required=True),
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("number", Text(100)),
        Field("amount", Number(0, 10**11, places=2), required=True),
        Field("currency", Text(3), required=True),
        Field("issued_on", Day(), required=True),
        Field("due_on", Day(), required=True),
        Field("paid_on", Day()),
        Field("voided_on", Day()),
    )

    def check(self, values: Mapping[str, Any], occasion: Occasion) -> None:
        if values["due_on"] < values["issued_on"]:
            raise Refusal("due_before_issue", _("This is before the invoice was issued; correct one."), field="due_on")

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        outcome = Outcome(refused=_in_other_currencies(rows))
        good = (_columns(row.values) for row in rows if row.line not in outcome.refused)
        written = upsert(Invoice, key=self.identity, rows=good, also=("updated_at",))
        told: list[tuple[Invoice, Mapping[str, Any]]] = [*((made, {}) for made in written.created), *written.updated]
        tell(told, now=occasion.now)
        outcome.created, outcome.updated = len(written.created), len(written.updated)
        outcome.unchanged = len(written.unchanged)
        return outcome


def _in_other_currencies(rows: Sequence[Row]) -> dict[int, Refusal]:
    """The rows, by line, whose amount is not in the workspace's currency."""
    own = Workspace.current().currency
    message = _("The amount is in %(given)s and the workspace counts in %(currency)s; convert it in the file.")
    return {
        row.line: Refusal(
            "other_currency", message % {"given": row.values["currency"], "currency": own}, field="currency"
        )
        for row in rows
        if row.values["currency"] != own
    }


def _columns(values: Mapping[str, Any]) -> Values:
    return {f"{name}_id" if name in ("account", "plan") else name: value for name, value in values.items()}


def _story(line: Subscription, before: Values, occasion: Occasion) -> Iterator[Event]:
    """What happened to a line so far, given what its changed fields said before; a new one has no before."""
    today = clock.local_day(occasion.now, occasion.zone)
    data = {"subscription": line.pk, "mrr": str(line.mrr), "is_trial": line.is_trial}
    is_new = not before
    newly_ended = is_new or before.get("ended_on", line.ended_on) is None
    stories = (
        ("subscription.started", line.started_on if is_new else None),
        ("subscription.ended", line.ended_on if newly_ended else None),
    )
    for kind, day in stories:
        if day is not None and day <= today:
            happened_at = clock.start_of_day(day, occasion.zone)
            yield Event(account_id=line.account_id, kind=kind, happened_at=happened_at, data=data)


def _subscriptions(keys: set[str]) -> Mapping[str, Known]:
    found = Subscription.objects.filter(external_id__in=keys).order_by()
    rows = found.values("external_id", "id", "account", "started_on", "ended_on", "is_trial")
    return {str(row["external_id"]): row for row in rows}


register(SubscriptionImporter(), InvoiceImporter())
register_references(Reference("subscription", ("id", "account", "started_on", "ended_on", "is_trial"), _subscriptions))
