"""Whose a call is: by its group, else the group its user was in at the time, else the account of the contact.

What a call is counted for depends on what was sent and not on the order of arrival. A call that nobody can place
waits, and moves when the link arrives; one that was placed by an older join moves when a nearer one arrives late.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from accounts.models import Workspace
from accounts.services.ledger import touch
from common.sql import SQL, execute, rows
from usage.services.parse import ACTIVITY
from usage.services.rollup import CALENDAR, ROLL_UP, ensure_calendar, rebuild_windows

KINDS_OF_ACTIVITY = ", ".join(f"'{kind}'" for kind in ACTIVITY)
LATE_COMMITS = timedelta(minutes=15)
BATCH = 10_000

PLACE_OF_USER = """
SELECT found.rank, found.account_id FROM (
    (SELECT 1 AS rank, a.id AS account_id
        FROM usage_groupjoin j LEFT JOIN accounts_account a ON a.external_id = j.group_id
        WHERE j.user_id = e.user_id AND j.joined_at <= e.occurred_at
        ORDER BY j.joined_at DESC, j.group_id LIMIT 1)
    UNION ALL
    (SELECT 2, c.account_id FROM accounts_contact c WHERE c.external_id = e.user_id)
    UNION ALL
    (SELECT 3, a.id FROM usage_groupjoin j LEFT JOIN accounts_account a ON a.external_id = j.group_id
        WHERE j.user_id = e.user_id ORDER BY j.joined_at, j.group_id LIMIT 1)
) found ORDER BY found.rank LIMIT 1
"""
"""A query over ``e (user_id, occurred_at)`` of a call without a group: by what it was placed, and the account if known.

1: the group last joined by then; 2: the contact; 3: the first group joined after.
"""

ACTIVE = """
heard AS (
    INSERT INTO usage_accountactivity (account_id, first_event_at, last_event_at)
    SELECT account_id, min(occurred_at), max(occurred_at) FROM active GROUP BY account_id ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE SET
        first_event_at = least(usage_accountactivity.first_event_at, excluded.first_event_at),
        last_event_at = greatest(usage_accountactivity.last_event_at, excluded.last_event_at)
),
active_users AS (
    INSERT INTO usage_useractivity (account_id, user_id, first_day, last_day)
    SELECT account_id, user_id, first_day, last_day FROM (
        SELECT account_id, user_id, min(day) AS first_day, max(day) AS last_day
        FROM active WHERE user_id <> '' GROUP BY account_id, user_id
    ) n
    WHERE NOT EXISTS (
        SELECT 1 FROM usage_useractivity known WHERE known.account_id = n.account_id AND known.user_id = n.user_id
            AND known.first_day <= n.first_day AND known.last_day >= n.last_day
    )
    ORDER BY account_id, user_id
    ON CONFLICT (account_id, user_id) DO UPDATE SET
        first_day = least(usage_useractivity.first_day, excluded.first_day),
        last_day = greatest(usage_useractivity.last_day, excluded.last_day)
),
present AS (
    SELECT c.id, n.at FROM (SELECT user_id, max(occurred_at) AS at FROM active WHERE user_id <> '' GROUP BY user_id) n
    JOIN accounts_contact c ON c.external_id = n.user_id
    WHERE c.last_seen_at IS NULL OR c.last_seen_at < n.at ORDER BY c.id FOR NO KEY UPDATE OF c
),
seen AS (
    UPDATE accounts_contact SET last_seen_at = greatest(last_seen_at, present.at)
    FROM present WHERE accounts_contact.id = present.id
),
noticed AS (
    INSERT INTO accounts_touched (account_id) SELECT account_id FROM active GROUP BY account_id
)"""
"""CTEs that note by ``active (account_id, user_id, occurred_at, day)`` when accounts and people were last there."""

_MOVE = f"""
WITH {CALENDAR},
candidates AS MATERIALIZED ({{candidates}}),
moved AS (
    UPDATE usage_trackedevent e SET account_id = candidates.after FROM candidates
    WHERE e.received_at = candidates.received_at AND e.message_id = candidates.message_id
        AND e.account_id IS NOT DISTINCT FROM candidates.before
    RETURNING candidates.before, candidates.after, e.feature_id, e.kind, e.user_id, e.occurred_at,
        (e.occurred_at AT TIME ZONE {{zone}})::date AS day
),
counted AS MATERIALIZED (
    SELECT account_id, feature_id, day, sum(change)::integer AS count FROM (
        SELECT after AS account_id, feature_id, day, 1 AS change FROM moved
        UNION ALL SELECT before, feature_id, day, -1 FROM moved
    ) changes
    WHERE account_id IS NOT NULL AND feature_id IS NOT NULL
    GROUP BY account_id, feature_id, day HAVING sum(change) <> 0
),
active AS MATERIALIZED (
    SELECT after AS account_id, user_id, occurred_at, day FROM moved
    WHERE after IS NOT NULL AND kind IN ({KINDS_OF_ACTIVITY})
),
{ROLL_UP},
{ACTIVE}
SELECT before, feature_id, user_id, count(*) FROM moved GROUP BY before, feature_id, user_id
"""


class Changed(NamedTuple):
    """A user whose calls since a moment, or all of them, may be somebody else's now."""

    user_id: str
    since: datetime | None


def changed_by_joins(where: SQL) -> list[Changed]:
    """The users of the joins ``j`` that match; the first join of a user also places the calls before it."""
    found = rows(
        SQL(
            """
            SELECT j.user_id, CASE WHEN EXISTS (
                SELECT 1 FROM usage_groupjoin other
                WHERE other.user_id = j.user_id AND other.joined_at < min(j.joined_at)
            ) THEN min(j.joined_at) END
            FROM usage_groupjoin j WHERE {} GROUP BY j.user_id
            """
        ).format(where)
    )
    return [Changed(user_id, since) for user_id, since in found]


def settle(*, changed: Iterable[Changed]) -> int:
    """Place the calls of these users again; returns how many moved. Call it in a transaction."""
    wanted: dict[str, datetime | None] = {}
    for user_id, since in changed:
        known = wanted.setdefault(user_id, since)
        wanted[user_id] = min(known, since) if known and since else None
    if not wanted:
        return 0
    users = SQL("unnest(%s::text[], %s::timestamptz[])", (list(wanted), list(wanted.values())))
    return _move(
        SQL(
            f"""
            SELECT e.received_at, e.message_id, e.account_id AS before, place.account_id AS after
            FROM {{}} AS wanted (user_id, since)
            JOIN usage_trackedevent e ON e.user_id = wanted.user_id AND e.group_id = '' AND e.user_id <> ''
                AND e.occurred_at >= coalesce(wanted.since, '-infinity')
            CROSS JOIN LATERAL ({PLACE_OF_USER}) place
            WHERE place.account_id IS DISTINCT FROM e.account_id AND (e.account_id IS NULL OR place.rank <> 2)
            """
        ).format(users)
    )


def assign_waiting(*, now: datetime) -> int:
    """Count the calls that waited for an account, a contact or a join that is there now; returns how many.

    Joins and merges of the last minutes are looked at once more: a call that was being written at the same moment
    could not be seen by them.
    """
    moved = 0
    ensure_calendar(now=now)
    for candidates in (_WAITING_FOR_GROUP, _WAITING_FOR_USER):
        while True:
            with transaction.atomic():
                batch = _move(SQL(candidates))
            moved += batch
            if batch < BATCH:
                break
    since = now - LATE_COMMITS
    merged = rows(SQL("SELECT DISTINCT user_id FROM usage_useralias WHERE recorded_at > %s", (since,)))
    changed = changed_by_joins(SQL("j.recorded_at > %s", (since,))) + [Changed(user_id, None) for (user_id,) in merged]
    with transaction.atomic():
        moved += settle(changed=changed)
    return moved


_WAITING_FOR_GROUP = f"""
SELECT e.received_at, e.message_id, NULL::bigint AS before, a.id AS after
FROM usage_trackedevent e JOIN accounts_account a ON a.external_id = e.group_id
WHERE e.account_id IS NULL AND e.group_id <> '' LIMIT {BATCH}
"""
_WAITING_FOR_USER = f"""
SELECT e.received_at, e.message_id, NULL::bigint AS before, place.account_id AS after
FROM usage_trackedevent e CROSS JOIN LATERAL ({PLACE_OF_USER}) place
WHERE e.account_id IS NULL AND e.group_id = '' AND e.user_id <> '' AND place.account_id IS NOT NULL LIMIT {BATCH}
"""


def _move(candidates: SQL) -> int:
    zone = Workspace.current().time_zone
    moved = rows(SQL(_MOVE).format(candidates=candidates, zone=SQL("%s", (zone,))))
    left = [(before, feature, user) for before, feature, user, _count in moved if before is not None]
    if left:
        rebuild_windows((before, feature) for before, feature, _user in left if feature is not None)
        _forget_activity(
            sorted({before for before, _feature, _user in left}), sorted({user for *_, user in left}), zone
        )
    return sum(count for *_, count in moved)


def _forget_activity(accounts: list[int], users: list[str], zone: str) -> None:
    """Work out anew when accounts and users that lost calls were active; days from elsewhere than tracking stay."""
    execute(
        SQL(
            f"""
            DELETE FROM usage_useractivity u WHERE u.account_id = ANY(%s) AND u.user_id = ANY(%s) AND NOT EXISTS (
                SELECT 1 FROM usage_trackedevent e LEFT JOIN usage_useralias m ON m.previous_id = e.user_id
                WHERE e.account_id = u.account_id AND coalesce(m.user_id, e.user_id) = u.user_id
                    AND e.kind IN ({KINDS_OF_ACTIVITY})
            )
            """,
            (accounts, users),
        )
    )
    execute(
        SQL(
            f"""
            UPDATE usage_useractivity u SET first_day = n.first_day, last_day = n.last_day FROM (
                SELECT e.account_id, coalesce(m.user_id, e.user_id) AS user_id,
                    (min(e.occurred_at) AT TIME ZONE %s)::date AS first_day,
                    (max(e.occurred_at) AT TIME ZONE %s)::date AS last_day
                FROM usage_trackedevent e LEFT JOIN usage_useralias m ON m.previous_id = e.user_id
                WHERE e.account_id = ANY(%s) AND coalesce(m.user_id, e.user_id) = ANY(%s)
                    AND e.kind IN ({KINDS_OF_ACTIVITY})
                GROUP BY 1, 2
            ) n WHERE u.account_id = n.account_id AND u.user_id = n.user_id
            """,
            (zone, zone, accounts, users),
        )
    )
    execute(
        SQL(
            f"""
            WITH heard AS (
                SELECT a.id AS account_id, t.first_at, t.last_at,
                    r.first_day::timestamp AT TIME ZONE %s AS first_start,
                    r.last_day::timestamp AT TIME ZONE %s AS last_start,
                    (t.first_at AT TIME ZONE %s)::date <= r.first_day AS tracked_first
                FROM unnest(%s::bigint[]) AS a (id)
                CROSS JOIN LATERAL (
                    SELECT min(occurred_at) AS first_at, max(occurred_at) AS last_at
                    FROM usage_trackedevent WHERE account_id = a.id AND kind IN ({KINDS_OF_ACTIVITY})
                ) t
                CROSS JOIN LATERAL (
                    SELECT min(first_day) AS first_day, max(last_day) AS last_day
                    FROM usage_rollingusage WHERE account_id = a.id
                ) r
            ),
            gone AS (
                DELETE FROM usage_accountactivity WHERE account_id IN (
                    SELECT account_id FROM heard WHERE first_at IS NULL AND first_start IS NULL
                )
            )
            UPDATE usage_accountactivity a SET
                first_event_at = CASE WHEN tracked_first THEN first_at ELSE coalesce(first_start, first_at) END,
                last_event_at = greatest(last_at, last_start)
            FROM heard WHERE a.account_id = heard.account_id AND (first_at IS NOT NULL OR first_start IS NOT NULL)
            """,
            (zone, zone, zone, accounts),
        )
    )
    touch(accounts)
