"""Computing the whole base in chunks: progress is rows, so an interrupted sweep goes on where it stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.attributes import Scope
from common.locks import only_one
from common.sql import SQL, execute, value
from health.models import Sweep, SweepChunk, Version
from health.services.compute import block_of, compute_health

CHUNK = 10_000
"""About how many accounts are computed in one transaction: never twice as many."""

EVERY = timedelta(hours=1)
KEPT = timedelta(days=7)


def sweep_if_due(*, now: datetime) -> int:
    """Start a sweep when the last began an hour ago or more, or with another version than is in force.

    Returns how many chunks of the current one wait. A sweep that was interrupted is the current one until it is
    finished.
    """
    with only_one("health.sweep") as alone:
        latest = Sweep.objects.order_by("-started_at").first() if alone else None
        version = Version.objects.in_force(now)
        if alone and latest and latest.version != version:
            sweep_anew(now=now)
        elif alone and (latest is None or latest.started_at <= now - EVERY):
            _start(version, now)
    finish_sweeps(now=now)
    return SweepChunk.objects.filter(done_at=None).count()


@transaction.atomic
def sweep_anew(*, now: datetime) -> Sweep:
    """Have the whole base computed with the version in force, from the start if a sweep is under way."""
    # Its chunks would miss the accounts that came after it began.
    Sweep.objects.filter(finished_at=None).delete()
    return _start(Version.objects.in_force(now), now)


def compute_chunk(*, now: datetime) -> bool:
    """Compute the next chunk that nobody else is computing; whether there was one.

    What dies halfway leaves its chunk to the next caller.
    """
    with transaction.atomic():
        chunk = SweepChunk.objects.select_for_update(skip_locked=True).filter(done_at=None).order_by("id").first()
        if chunk is None:
            return False
        chunk.scored = compute_health(scope=Scope.between(chunk.first_id, chunk.last_id), now=now)
        chunk.done_at = now
        chunk.save(update_fields=["scored", "done_at"])
    finish_sweeps(now=now)
    return True


def finish_sweeps(*, now: datetime) -> int:
    """Mark the sweep that has no waiting chunk as finished; returns how many were.

    Call it outside the transaction of a chunk: of two chunks that end together, only then does one see the other.
    """
    waiting = SweepChunk.objects.filter(sweep=OuterRef("pk"), done_at=None)
    finished = Sweep.objects.filter(~Exists(waiting), finished_at=None).update(finished_at=now)
    if finished:
        # While the planner takes the scores of a chunk for a handful, it compares each account with each of them.
        execute(SQL("ANALYZE health_healthscore (account_id, named_id)"))
    return finished


def _start(version: Version | None, now: datetime) -> Sweep:
    """The unfinished sweep, or a new one over every account there is.

    A chunk is whole blocks, so that no two chunks wait for each other. They go from the last accounts to the first:
    who computes touched accounts takes their blocks lowest first, and so meets a sweep once and does not chase it.
    """
    sweep, is_new = Sweep.objects.get_or_create(finished_at=None, defaults={"started_at": now, "version": version})
    if is_new:
        Sweep.objects.filter(finished_at__lt=now - KEPT).delete()
        execute(
            SQL(
                "INSERT INTO health_sweepchunk (sweep_id, first_id, last_id, scored)"
                " SELECT {sweep}, min(first_id), max(last_id), 0 FROM ("
                " SELECT min(id) AS first_id, max(id) AS last_id,"
                f" (sum(count(*)) OVER (ORDER BY {block_of('id')}) - 1)::bigint / {{chunk}} AS chunk"
                f" FROM accounts_account GROUP BY {block_of('id')}"
                ") blocks GROUP BY chunk ORDER BY chunk DESC"
            ).format(sweep=value(sweep.pk), chunk=value(CHUNK))
        )
    return sweep
