"""What is thrown away in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.sql import SQL, execute

REMEMBERED = timedelta(days=30)
"""How long a message id is known: a delivery repeated later counts again."""


def purge(*, now: datetime) -> int:
    """Forget old message ids, and joins that only repeat the group joined before; returns how many rows went."""
    before = now - REMEMBERED
    forgotten = execute(SQL("DELETE FROM usage_seenmessage WHERE received_at < %s", (before,)))
    return forgotten + execute(
        SQL(
            """
            DELETE FROM usage_groupjoin j USING (
                SELECT user_id, joined_at, group_id,
                    lag(group_id) OVER (PARTITION BY user_id ORDER BY joined_at, group_id) AS before
                FROM usage_groupjoin
            ) n
            WHERE j.user_id = n.user_id AND j.joined_at = n.joined_at AND j.group_id = n.group_id
                AND n.before = n.group_id AND j.recorded_at < %s
            """,
            (before,),
        )
    )
