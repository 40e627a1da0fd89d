from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Event, Touchpoint
from accounts.services.ledger import record_many, touch
from common.cells import Choice, Day, Instant, Number, Text
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import upsert


class TouchpointImporter(Importer):
    """Exchanges with customers by the id that they have where they come from."""

    name = "touchpoints"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("contact", reference="contact"),
        Field("user", reference="user"),
        Field("kind", Choice(Touchpoint.Kind.values), required=True),
        Field("direction", Choice(Touchpoint.Direction.values, empty=Touchpoint.Direction.OUTBOUND)),
        Field("sentiment", Choice(Touchpoint.Sentiment.values)),
        Field("minutes", Number(0, 30_000)),
        Field("summary", Text(300), required=True),
        Field("body", Text(100_000, lines=True)),
        Field("next_step", Text(300)),
        Field("next_step_on", Day()),
        Field("happened_at", Instant(), required=True),
    )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        columns = (
            {f"{name}_id" if name in ("account", "contact", "user") else name: v for name, v in row.values.items()}
            for row in rows
        )
        written = upsert(Touchpoint, key=self.identity, rows=columns)
        events = [
            Event(
                account_id=touchpoint.account_id,
                kind="touchpoint.logged",
                happened_at=touchpoint.happened_at,
                user_id=touchpoint.user_id,
                contact_id=touchpoint.contact_id,
                data={
                    "touchpoint": touchpoint.pk,
                    "kind": touchpoint.kind,
                    "summary": touchpoint.summary,
                    "sentiment": touchpoint.sentiment,
                },
            )
            for touchpoint in written.created
        ]
        record_many(events, news_since=occasion.news_since)
        touch({touchpoint.account_id for touchpoint, _before in written.updated})
        return Outcome(len(written.created), len(written.updated), len(written.unchanged))
