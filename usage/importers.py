"""What files may tell of usage: how often a feature was used on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.text import slugify

from common.cells import Day, Number, Text
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
from common.upserts import upsert
from usage.models import Feature, ImportedUsage
from usage.services.rollup import add_daily_usage


class UsageImporter(Importer):
    """Counts of an account, a feature and a day. Each row has an id, so that reading it again adds only the difference.

    Rows of the same account, feature and day add up, also with what tracking counts.
    """

    name = "usage"
    identity = ("source", "external_id")
    fields = (
        Field("source", Text(40), required=True),
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("feature", reference="feature", required=True),
        Field("day", Day(), required=True),
        Field("count", Number(0, 10**6), required=True),
    )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        columns = (
            {f"{name}_id" if name in ("account", "feature") else name: v for name, v in row.values.items()}
            for row in rows
        )
        written = upsert(ImportedUsage, key=self.identity, rows=columns)
        changes = [(told.account_id, told.feature_id, told.day, told.count) for told in written.created]
        for told, before in written.updated:
            account, feature = before.get("account_id", told.account_id), before.get("feature_id", told.feature_id)
            changes.append((account, feature, before.get("day", told.day), -before.get("count", told.count)))
            changes.append((told.account_id, told.feature_id, told.day, told.count))
        add_daily_usage([change for change in changes if change[3]], now=occasion.now)
        return Outcome(len(written.created), len(written.updated), len(written.unchanged))


def _slug(text: str) -> str:
    return slugify(text)[:64]


def _features(keys: set[str]) -> Mapping[str, Known]:
    return {row["key"]: row for row in Feature.objects.filter(key__in=keys).order_by().values("key", "id")}


def _create_features(names: Mapping[str, str]) -> None:
    Feature.objects.bulk_create(
        (Feature(key=key, name=name[:200]) for key, name in sorted(names.items())), ignore_conflicts=True
    )


register(UsageImporter())
register_references(Reference("feature", ("id",), _features, create=_create_features, key=_slug))
