"""Leases: which worker takes the next turn of a run, and what becomes of a turn that fails."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from accounts.models import Event
from accounts.services.ledger import record_many
from common.errors import DomainError
from common.sql import SQL, rows
from playbooks.models import Run
from playbooks.models.run import RunQuerySet

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=1)
LEFT_TO_OTHERS = timedelta(days=1)

# A claim need not be on disk when it is answered. It is seen by all workers at once, and what its turn then commits
# flushes it too, since the log is written in order. A server that crashes before forgets a lease of which nothing has
# come: the run is due as if it had never been claimed. A worker that dies takes nothing of it away.
CLAIM = SQL("""
UPDATE playbooks_run SET leased_until = {until}, attempts = attempts + 1
FROM (SELECT set_config('synchronous_commit', 'off', true)) unflushed
WHERE id = ANY(ARRAY(
    SELECT id FROM playbooks_run
    WHERE state = 'waiting' AND NOT held AND due_at <= {now} AND {which}
      AND (leased_until IS NULL OR leased_until <= {now})
      AND (version_id <> ALL({unreadable}) OR due_at <= {overdue})
    ORDER BY due_at, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED
))
RETURNING id, account_id, version_id, step, due_at, waiting_since, is_held_out, attempts
""")
FRESH = SQL("attempts = 0")
TRIED = SQL("attempts > 0")


class Claim(NamedTuple):
    """A run that this worker has leased, as it was then. ``leased_until`` and ``attempts`` prove the lease."""

    run_id: int
    account_id: int
    version_id: int
    step: str
    due_at: datetime
    waiting_since: datetime | None
    is_held_out: bool
    attempts: int
    leased_until: datetime

    def is_proved_by(self, run: Run) -> bool:
        """Whether the run, read and locked since, is still this worker's."""
        lease = (self.leased_until, self.attempts)
        return run.state == Run.State.WAITING and not run.held and (run.leased_until, run.attempts) == lease

    def run(self) -> RunQuerySet:
        """The run, as long as it is this worker's; for conditional updates."""
        return Run.objects.filter(
            pk=self.run_id, state=Run.State.WAITING, leased_until=self.leased_until, attempts=self.attempts
        )


_unreadable: set[int] = set()
"""Versions that the code of this process does not understand, such as those that a newer release has published."""


def claim(*, now: datetime, limit: int, which: SQL) -> list[Claim]:
    """Lease up to ``limit`` runs that are due at ``now``, the longest due first, and count the attempt.

    What this process cannot read is left to those that can. A run that nobody has taken LEFT_TO_OTHERS after its time
    is claimed all the same, so that it comes to be parked with what is wrong.
    """
    until = now + LEASE
    claimed = rows(
        CLAIM.format(
            until=SQL("%s::timestamptz", (until,)),
            now=SQL("%s::timestamptz", (now,)),
            overdue=SQL("%s::timestamptz", (now - LEFT_TO_OTHERS,)),
            unreadable=SQL("%s::bigint[]", (list(_unreadable),)),
            which=which,
            limit=SQL("%s", (limit,)),
        )
    )
    return [Claim._make((*row, until)) for row in claimed]


def leave_to_others(claims: Iterable[Claim], error: DomainError, now: datetime) -> None:
    """Give back runs of a version that this process cannot read, as if they had not been claimed.

    While a release is rolled out, old workers meet definitions with steps that only the new ones know.
    """
    for claimed in claims:
        _unreadable.add(claimed.version_id)
        if claimed.due_at <= now - LEFT_TO_OTHERS:
            give_up(claimed, error, now)
        else:
            claimed.run().update(leased_until=None, attempts=F("attempts") - 1)


def give_up(claimed: Claim, error: Exception | str, now: datetime) -> None:
    """Keep the error and try again later, each time later; after the last attempt park the run."""
    parked = claimed.attempts >= MOST_ATTEMPTS
    sentence = _sentence(error) if isinstance(error, Exception) else error
    with transaction.atomic():
        changed = claimed.run().update(
            error=sentence,
            state=Run.State.PARKED if parked else Run.State.WAITING,
            leased_until=None if parked else now + FIRST_RETRY * 2 ** (claimed.attempts - 1),
        )
        if parked and changed:
            _tell_parked(claimed, sentence, now)


def _tell_parked(claimed: Claim, error: str, now: datetime) -> None:
    playbook = Run.objects.select_related("playbook").get(pk=claimed.run_id).playbook
    event = Event(
        account_id=claimed.account_id,
        kind="playbook.parked",
        happened_at=now,
        data={"playbook": playbook.key, "name": playbook.name, "run": claimed.run_id, "error": error},
    )
    record_many([event], touches=False)


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
