"""Features, made as the product first names them."""

from __future__ import annotations

from collections.abc import Mapping

from common.sql import SQL, execute
from usage.models import Feature

MOST_FEATURES = 1_000
"""Names made up by a program, an id in each, must not fill the list: calls past this are kept without a feature."""


def ensure_features(*, names: Mapping[str, str]) -> dict[str, int]:
    """Make those features that are missing, as far as there is room; returns the ids by key of those that exist."""
    found = dict(Feature.objects.filter(key__in=names).values_list("key", "pk"))
    missing = sorted(names.keys() - found.keys())
    if not missing:
        return found
    execute(
        SQL(
            """
            INSERT INTO usage_feature (key, name, is_essential, defines_value, created_at)
            SELECT key, name, false, false, now() FROM unnest(%s::text[], %s::text[]) AS n (key, name) ORDER BY key
            LIMIT greatest(0, %s - (SELECT count(*) FROM usage_feature)) ON CONFLICT DO NOTHING
            """,
            (missing, [names[key] for key in missing], MOST_FEATURES),
        )
    )
    # Also when none was made here: another batch may have made them since they were looked for.
    return dict(Feature.objects.filter(key__in=names).values_list("key", "pk"))
