"""Runs begin: the run, its first record and its event, for many accounts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Event, User
from accounts.services.ledger import record_many
from common.sql import SQL, from_json, rows
from playbooks.models import Playbook, Run

BEGIN = SQL("""
WITH given AS MATERIALIZED (
    SELECT (g->>0)::bigint AS account_id, (g->>1)::bigint AS event_id, (g->>2)::boolean AS is_held_out,
        (g->>3)::timestamptz AS due_at, g->4 AS facts
    FROM jsonb_array_elements({given}) g
), begun AS (
    INSERT INTO playbooks_run (playbook_id, version_id, account_id, event_id, state, step, due_at, is_alone,
        is_held_out, held, attempts, error, entered_at)
    SELECT {playbook}, {version}, account_id, event_id, 'waiting', {step}, due_at, {is_alone}, is_held_out, false, 0,
        '', {now} FROM given
    RETURNING id, account_id
), recorded AS (
    INSERT INTO playbooks_runstep (run_id, position, step, kind, decision, facts, taken_at)
    SELECT b.id, 0, '', 'entry', 'entered', g.facts, {now} FROM begun b JOIN given g USING (account_id)
)
SELECT account_id, id FROM begun
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """An account that enters: what made it, whether it is only watched, and when its first step is due."""

    account_id: int
    event: Event | None
    is_held_out: bool
    due_at: datetime
    facts: Mapping[str, Any]


def begin_runs(
    entrants: Sequence[Entrant], *, playbook: Playbook, step: str, is_alone: bool, by: User | None, now: datetime
) -> list[Run]:
    """Begin a run of the live version at ``step`` for each of these accounts, in the caller's transaction.

    Raises IntegrityError when one of them has a live run that stands in the way.
    """
    if not entrants:
        return []
    begin = BEGIN.format(
        given=from_json(
            [[one.account_id, one.event and one.event.pk, one.is_held_out, one.due_at, one.facts] for one in entrants]
        ),
        playbook=SQL("%s::bigint", (playbook.pk,)),
        version=SQL("%s::bigint", (playbook.live_version_id,)),
        step=SQL("%s", (step,)),
        is_alone=SQL("%s::boolean", (is_alone,)),
        now=SQL("%s::timestamptz", (now,)),
    )
    ids = dict(rows(begin))
    record_many(
        [
            Event(
                account_id=one.account_id,
                kind="playbook.entered",
                happened_at=now,
                user=by,
                data={"playbook": playbook.key, "name": playbook.name, "run": ids[one.account_id]},
            )
            for one in entrants
        ]
    )
    return [
        Run(
            id=ids[one.account_id],
            playbook=playbook,
            version=playbook.live_version,
            account_id=one.account_id,
            event=one.event,
            step=step,
            is_alone=is_alone,
            is_held_out=one.is_held_out,
            due_at=one.due_at,
            entered_at=now,
        )
        for one in entrants
    ]
