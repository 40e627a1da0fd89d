"""Leases: which worker takes the next turn of a run, and what becomes of a turn that fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from accounts.models import Event
from accounts.services.ledger import record_many
from common.errors import DomainError
from common.locks import wait_for
from common.sql import SQL, execute, rows
from playbooks.models import Lease, Run
from playbooks.models.run import RunQuerySet

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=1)
LEFT_TO_OTHERS = timedelta(days=1)

TAKE_OVER = SQL("""
WITH expired AS (
    DELETE FROM playbooks_lease WHERE until <= {now} RETURNING runs
), left_behind AS (
    SELECT id FROM playbooks_run
    WHERE id IN (SELECT unnest(runs) FROM expired) AND state = 'waiting' AND due_at <= {now}
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE playbooks_run SET attempts = attempts + 1 WHERE id IN (SELECT id FROM left_behind)
""")
LEASE_DUE = SQL("""
WITH due AS MATERIALIZED (
    SELECT id, account_id, version_id, step, due_at, waiting_since, is_held_out, attempts + 1 AS attempt
    FROM playbooks_run
    WHERE state = 'waiting' AND NOT held AND due_at <= {now} AND {which} AND (retry_at IS NULL OR retry_at <= {now})
      AND (version_id <> ALL({unreadable}) OR due_at <= {overdue})
      AND id NOT IN (SELECT unnest(runs) FROM playbooks_lease)
    ORDER BY due_at, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED
), lease AS (
    INSERT INTO playbooks_lease (runs, until) SELECT array_agg(id), {until} FROM due HAVING count(*) > 0 RETURNING id
)
SELECT due.*, lease.id FROM due CROSS JOIN lease
""")
FRESH = SQL("attempts = 0")
TRIED = SQL("attempts > 0")


class Claim(NamedTuple):
    """A run that this worker has leased, where it stood then, and the number of the attempt that this turn is.

    The lease keeps other workers from the same work. That a turn is written once is owed to the place: it is written
    only if the run still stands where it was claimed, and it moves it away from there.
    """

    run_id: int
    account_id: int
    version_id: int
    step: str
    due_at: datetime
    waiting_since: datetime | None
    is_held_out: bool
    attempt: int
    lease_id: int

    def is_true_of(self, run: Run) -> bool:
        """Whether the run, read and locked since, stands where it was claimed."""
        place = (self.version_id, self.step, self.due_at)
        return run.state == Run.State.WAITING and not run.held and (run.version_id, run.step, run.due_at) == place

    def run(self) -> RunQuerySet:
        """The run, as long as it stands where it was claimed; for conditional updates."""
        return Run.objects.filter(
            pk=self.run_id, state=Run.State.WAITING, version=self.version_id, step=self.step, due_at=self.due_at
        )


_unreadable: set[int] = set()
"""Versions that the code of this process does not understand, such as those that a newer release has published."""


def claim(*, now: datetime, limit: int, which: SQL) -> list[Claim]:
    """Lease up to ``limit`` runs that are due at ``now``, the longest due first; one row is written for them all.

    What a worker has left behind that died is claimed again when its lease has ended, and counts as an attempt. What
    this process cannot read is left to those that can. A run that nobody has taken LEFT_TO_OTHERS after its time is
    claimed all the same, so that it comes to be parked with what is wrong.
    """
    at = SQL("%s::timestamptz", (now,))
    with transaction.atomic():
        # Others claim when they can see this lease. It need not be on disk by then: what its turn commits flushes it
        # too, and a server that crashes before forgets a lease of which nothing has come.
        wait_for("playbooks.claim")
        execute(SQL("SET LOCAL synchronous_commit TO off"))
        execute(TAKE_OVER.format(now=at))
        due = rows(
            LEASE_DUE.format(
                now=at,
                until=SQL("%s::timestamptz", (now + LEASE,)),
                overdue=SQL("%s::timestamptz", (now - LEFT_TO_OTHERS,)),
                unreadable=SQL("%s::bigint[]", (list(_unreadable),)),
                which=which,
                limit=SQL("%s", (limit,)),
            )
        )
    return [Claim._make(row) for row in due]


def give_back(claims: Sequence[Claim]) -> None:
    """End the lease of ``claims``, which were claimed together: their turns are over, however they went."""
    Lease.objects.filter(pk=claims[0].lease_id).delete()


def leave_to_others(claims: Iterable[Claim], error: DomainError, now: datetime) -> None:
    """Leave runs of a version that this process cannot read to others; what is long overdue gives up.

    While a release is rolled out, old workers meet definitions with steps that only the new ones know.
    """
    for claimed in claims:
        _unreadable.add(claimed.version_id)
        if claimed.due_at <= now - LEFT_TO_OTHERS:
            give_up(claimed, error, now)


def give_up(claimed: Claim, error: Exception | str, now: datetime) -> None:
    """Keep the error and try again later, each time later; after the last attempt park the run."""
    parked = claimed.attempt >= MOST_ATTEMPTS
    sentence = _sentence(error) if isinstance(error, Exception) else error
    with transaction.atomic():
        changed = claimed.run().update(
            error=sentence,
            state=Run.State.PARKED if parked else Run.State.WAITING,
            attempts=claimed.attempt,
            retry_at=None if parked else now + FIRST_RETRY * 2 ** (claimed.attempt - 1),
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
