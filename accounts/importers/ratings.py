from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Event, Rating
from accounts.services.ledger import record_many, touch
from common.cells import Instant, Number, Text
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import upsert


class RatingImporter(Importer):
    """What the staff felt of accounts, by the id that each rating has where it comes from."""

    name = "ratings"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("user", reference="user"),
        Field("value", Number(1, 5), required=True),
        Field("comment", Text(10_000, lines=True)),
        Field("rated_at", Instant(), required=True),
    )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        columns = (
            {f"{name}_id" if name in ("account", "user") else name: value for name, value in row.values.items()}
            for row in rows
        )
        written = upsert(Rating, key=self.identity, rows=columns)
        record_many(
            [
                Event(
                    account_id=rating.account_id,
                    kind="account.rated",
                    happened_at=rating.rated_at,
                    user_id=rating.user_id,
                    data={"rating": rating.pk, "value": rating.value},
                )
                for rating in written.created
            ],
            news_since=occasion.news_since,
        )
        touch({rating.account_id for rating, _before in written.updated})
        return Outcome(len(written.created), len(written.updated), len(written.unchanged))
