from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import Account, Event, Offboarding
from accounts.services.ledger import record_many, touch
from common import clock
from common.cells import Choice, Day, Flag, Number, Text
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import upsert


class OffboardingImporter(Importer):
    """Ends of accounts by their external id.

    With ``ends_account`` the account has ended since the latest of them; without, it is history of an account that
    goes on, such as one that came back.
    """

    name = "offboardings"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("ended_on", Day(), required=True),
        Field("ends_account", Flag(empty=True), required=True),
        Field("kind", Choice(Offboarding.Kind.values, empty=Offboarding.Kind.VOLUNTARY)),
        Field("category", Text(64)),
        Field("competitor", Text(200)),
        Field("feedback", Text(100_000, lines=True)),
        Field("refund", Number(0, 10**11, places=2, empty=0)),
    )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        columns = [
            {"account_id" if name == "account" else name: v for name, v in row.values.items() if name != "ends_account"}
            for row in rows
        ]
        written = upsert(Offboarding, key=self.identity, rows=columns)
        news = {
            *(told.external_id for told in written.created),
            *(told.external_id for told, before in written.updated if {"ended_on", "account_id"} & before.keys()),
        }
        _end_accounts(
            [r.values for r in rows if r.values["ends_account"] and r.values["external_id"] in news], occasion
        )
        events = [
            Event(
                account_id=told.account_id,
                kind="account.ended",
                happened_at=clock.start_of_day(told.ended_on, occasion.zone),
                data={"offboarding": told.pk, "kind": told.kind, "category": told.category},
            )
            for told in written.created
        ]
        record_many(events, news_since=occasion.news_since)
        touch({told.account_id for told, _before in written.updated})
        return Outcome(len(written.created), len(written.updated), len(written.unchanged))


def _end_accounts(ends: Sequence[dict[str, Any]], occasion: Occasion) -> None:
    """Let each account have ended since the latest end that is known of it."""
    latest: dict[int, datetime] = {}
    for values in ends:
        ended_at = clock.start_of_day(values["ended_on"], occasion.zone)
        latest[values["account"]] = max(ended_at, latest.get(values["account"], ended_at))
    accounts = list(Account.objects.filter(pk__in=latest).order_by("pk").select_for_update(of=("self",)))
    later = [account for account in accounts if account.ended_at is None or account.ended_at < latest[account.pk]]
    for account in later:
        account.ended_at, account.updated_at = latest[account.pk], occasion.now
    Account.objects.bulk_update(later, ["ended_at", "updated_at"])
