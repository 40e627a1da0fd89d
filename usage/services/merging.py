"""One person under two ids: what went by the previous one goes by the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from usage.models import UserAlias
from usage.services.attribution import KINDS_OF_ACTIVITY, Changed

_MERGE = (
    """
    UPDATE usage_trackedevent SET user_id = %(target)s
    WHERE user_id = %(previous)s AND user_id <> '' AND group_id = ''
    """,
    f"""
    INSERT INTO usage_useractivity (account_id, user_id, first_day, last_day)
    SELECT account_id, %(target)s, min(first_day), max(last_day) FROM (
        SELECT account_id, first_day, last_day FROM usage_useractivity WHERE user_id = %(previous)s
        UNION ALL
        SELECT account_id, (occurred_at AT TIME ZONE %(zone)s)::date, (occurred_at AT TIME ZONE %(zone)s)::date
        FROM usage_trackedevent WHERE anonymous_id = %(previous)s AND anonymous_id <> ''
            AND account_id IS NOT NULL AND kind IN ({KINDS_OF_ACTIVITY})
    ) days GROUP BY account_id ORDER BY account_id
    ON CONFLICT (account_id, user_id) DO UPDATE SET
        first_day = least(usage_useractivity.first_day, excluded.first_day),
        last_day = greatest(usage_useractivity.last_day, excluded.last_day)
    """,
    """
    UPDATE usage_trackedevent SET user_id = %(target)s, anonymous_id = ''
    WHERE anonymous_id = %(previous)s AND anonymous_id <> ''
    """,
    "DELETE FROM usage_useractivity WHERE user_id = %(previous)s",
    """
    INSERT INTO usage_groupjoin (user_id, joined_at, group_id, recorded_at)
    SELECT %(target)s, joined_at, group_id, recorded_at FROM usage_groupjoin WHERE user_id = %(previous)s
    ON CONFLICT DO NOTHING
    """,
    "DELETE FROM usage_groupjoin WHERE user_id = %(previous)s",
    """
    UPDATE accounts_contact SET external_id = %(target)s WHERE external_id = %(previous)s
        AND NOT EXISTS (SELECT 1 FROM accounts_contact WHERE external_id = %(target)s)
    """,
    """
    INSERT INTO usage_trackeduser (user_id, traits, identified_at)
    SELECT %(target)s, traits, identified_at FROM usage_trackeduser WHERE user_id = %(previous)s
    ON CONFLICT (user_id) DO UPDATE SET traits = excluded.traits || usage_trackeduser.traits
    """,
    "DELETE FROM usage_trackeduser WHERE user_id = %(previous)s",
)


def merge_users(*, previous_id: str, user_id: str, zone: str, now: datetime) -> list[Changed]:
    """Let everything that goes by ``previous_id`` go by ``user_id``, or by what that was merged into.

    The first merge of an id holds. Returns whose calls have to be placed again; call it in a transaction.
    """
    target = canonical_ids([user_id]).get(user_id, user_id)
    if target == previous_id:
        return []
    _alias, created = UserAlias.objects.get_or_create(
        previous_id=previous_id, defaults={"user_id": target, "recorded_at": now}
    )
    if not created:
        return []
    UserAlias.objects.filter(user_id=previous_id).update(user_id=target, recorded_at=now)
    with connection.cursor() as cursor:
        for statement in _MERGE:
            cursor.execute(statement, {"target": target, "previous": previous_id, "zone": zone})
    return [Changed(target, None)]


def canonical_ids(user_ids: Sequence[str]) -> dict[str, str]:
    """Those of ``user_ids`` that were merged, with the id that they go by now."""
    return dict(UserAlias.objects.filter(previous_id__in=user_ids).values_list("previous_id", "user_id"))
