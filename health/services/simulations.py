"""Trying a draft on the whole base: in chunks like a sweep, so that it is quick, can be left, and goes on by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.attributes import Context, Scope
from accounts.models import Account, User
from common.doorbell import ring
from common.errors import Conflict
from common.sql import SQL, execute, value
from health.models import Simulation, SimulationChunk, Version
from health.queries.backtest import LEAST_COMPARED, MOST_RECORDS, days_of_losses, keep_losses
from health.queries.definitions import Definitions, ScoreDefinition, load_definitions
from health.queries.simulated import keep_simulated
from health.services.compute import failing_attributes

logger = logging.getLogger(__name__)

CHUNK = 5_000
KEPT = 3
QUIET = timedelta(seconds=10)


@transaction.atomic
def start_simulation(*, draft: Version, by: User | None, now: datetime) -> Simulation:
    """Try ``draft`` on the whole base beside the version in force; workers do it, chunk by chunk.

    Returns the simulation, or the unfinished one of the draft as it is. One of an earlier state of the draft is given
    up; of the others the last two are kept, so that there are never more than three. Raises Conflict when it is no
    draft.
    """
    current = Version.objects.draft().filter(pk=draft.pk).first()
    if current is None:
        message = _("This version is published or was discarded; only a draft can be simulated.")
        raise Conflict(message, code="not_a_draft")
    against = Version.objects.in_force(now)
    running = Simulation.objects.filter(finished_at=None).select_related("version").first()
    if running and running.version == current and not running.is_out_of_date(now):
        return running
    _delete(Simulation.objects.filter(finished_at=None))
    _delete(Simulation.objects.filter(pk__in=list(Simulation.objects.values_list("pk", flat=True)[KEPT - 1 :])))
    simulation, is_new = Simulation.objects.get_or_create(
        finished_at=None,
        defaults={
            "version": current,
            "draft_changed_at": current.changed_at,
            "against": against,
            "requested_by": by,
            "started_at": now,
        },
    )
    if is_new:
        _plan(simulation)
        finish_simulations(now=now)
        ring("health.simulate")
        simulation.refresh_from_db(fields=["finished_at"])
    return simulation


def drop_simulations(draft: Version) -> None:
    """Forget what was found about a draft that is thrown away."""
    _delete(Simulation.objects.filter(version=draft))


def simulate_chunk(*, now: datetime) -> bool:
    """Do the next chunk of the unfinished simulation that nobody else is doing; whether there was one.

    What dies halfway leaves its chunk to the next caller. When the draft has changed since, the simulation is given
    up and says so.
    """
    with transaction.atomic():
        chunk = (
            SimulationChunk.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("simulation__version", "simulation__against")
            .filter(done_at=None, simulation__finished_at=None)
            .order_by("id")
            .first()
        )
        if chunk is None:
            return False
        simulation = chunk.simulation
        try:
            with transaction.atomic():
                _do(chunk, now)
        except _Changed:
            is_same = False
        else:
            is_same = True
            chunk.done_at = now
            chunk.save(update_fields=["done_at"])
    if not is_same:
        Simulation.objects.filter(pk=simulation.pk, finished_at=None).update(
            finished_at=now, problem=Simulation.Problem.DRAFT_CHANGED
        )
    finish_simulations(now=now)
    return True


def chunks_to_do(*, now: datetime) -> int:
    """How many chunks wait of a simulation that stands still; 0 while workers go from one to the next by themselves."""
    waiting = SimulationChunk.objects.filter(simulation__finished_at=None)
    latest = waiting.aggregate(latest=Max("done_at"))["latest"]
    if latest is not None and latest > now - QUIET:
        return 0
    return waiting.filter(done_at=None).count()


def finish_simulations(*, now: datetime) -> int:
    """Mark the simulation that has no waiting chunk as finished; returns how many were.

    Call it outside the transaction of a chunk: of two chunks that end together, only then does one see the other.
    """
    waiting = SimulationChunk.objects.filter(simulation=OuterRef("pk"), done_at=None)
    return Simulation.objects.filter(~Exists(waiting), finished_at=None).update(finished_at=now)


class _Changed(Exception):
    """The draft is not what it was when the simulation began."""


def _plan(simulation: Simulation) -> None:
    """Write down what is to be done, and what the profiles are."""
    sides = _load(simulation)
    simulation.profiles = {key: profile for one in sides for key, profile in _profiles(one)}
    simulation.save(update_fields=["profiles"])
    execute(
        SQL("""
            INSERT INTO health_simulationchunk (simulation_id, first_id, last_id)
            SELECT {simulation}, min(id), max(id) FROM (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / {chunk} AS chunk
                FROM accounts_account WHERE ended_at IS NULL
            ) numbered GROUP BY chunk ORDER BY chunk
        """).format(simulation=value(simulation.pk), chunk=value(CHUNK))
    )
    SimulationChunk.objects.bulk_create(
        SimulationChunk(simulation=simulation, first_day=first, last_day=last)
        for first, last, _days in days_of_losses(Context.at(simulation.started_at))
    )


def _do(chunk: SimulationChunk, now: datetime) -> None:
    """Compute the chunk with every named score; raises _Changed when the draft is another one meanwhile."""
    simulation = chunk.simulation
    if chunk.first_day and chunk.last_day:
        context = Context.at(simulation.started_at)
        one_in = _one_in(context)
        first, last = chunk.first_day, chunk.last_day

        def statement(before: ScoreDefinition, after: ScoreDefinition) -> SQL:
            return keep_losses(
                simulation, before=before, after=after, first=first, last=last, one_in=one_in, context=context
            )

        _keep(simulation, statement, None)
    elif chunk.first_id is not None and chunk.last_id is not None:
        scope, context = Scope.between(chunk.first_id, chunk.last_id), Context.at(now)
        _keep(
            simulation,
            lambda before, after: keep_simulated(simulation, before=before, after=after, scope=scope, context=context),
            lambda definition: failing_attributes(definition, scope, context),
        )


def _keep(
    simulation: Simulation,
    statement: Callable[[ScoreDefinition, ScoreDefinition], SQL],
    failing_in: Callable[[ScoreDefinition], set[str]] | None,
) -> None:
    """Run the statement for each named score; where a value of some attribute cannot be read, without that one."""
    failing: set[str] = set()
    sides = _load(simulation)
    for place in range(len(sides[1].scores)):
        while True:
            before, after = sides[0].scores[place], sides[1].scores[place]
            try:
                with transaction.atomic():
                    execute(statement(before, after))
                break
            except DataError:
                found = (failing_in(before) | failing_in(after)) - failing if failing_in else set()
                if not found:
                    raise
                logger.warning("a draft is simulated without %s: some value cannot be read", ", ".join(sorted(found)))
                failing |= found
                sides = _load(simulation, failing)
                _note_failing(simulation, found)


def _load(simulation: Simulation, failing: Iterable[str] = ()) -> tuple[Definitions, Definitions]:
    """What the version in force and the draft compute; raises _Changed when the draft is not what it was."""
    sides = tuple(
        load_definitions(version, failing=tuple(failing)) for version in (simulation.against, simulation.version)
    )
    # Looked at after reading: a change that was committed in between shows.
    same = Version.objects.filter(pk=simulation.version_id, changed_at=simulation.draft_changed_at)
    if not same.exists():
        raise _Changed
    return sides[0], sides[1]


def _one_in(context: Context) -> int:
    """Of how many accounts one is compared with the lost, so that about ``MOST_RECORDS`` records are read in all."""
    days = sum(days for _first, _last, days in days_of_losses(context))
    accounts = Account.objects.count()
    wanted = max(MOST_RECORDS // max(days, 1), LEAST_COMPARED)
    return max(-(-accounts // wanted), 1)


def _profiles(definitions: Definitions) -> Iterable[tuple[str, dict[str, Any]]]:
    for definition in definitions.scores:
        for ready in definition.profiles:
            profile = ready.profile
            yield (
                str(profile.pk),
                {
                    "name": profile.name,
                    "segment": profile.segment.name,
                    "named": definition.named.key,
                    "is_draft": definitions.version is not None and definitions.version.is_draft,
                    "parts": [[part.measure.key, part.measure.label, part.weight] for part in ready.parts],
                },
            )


def _note_failing(simulation: Simulation, found: set[str]) -> None:
    kept = Simulation.objects.select_for_update(no_key=True).get(pk=simulation.pk)
    kept.failing = sorted({*kept.failing, *found})
    kept.save(update_fields=["failing"])


def _delete(simulations: QuerySet[Simulation]) -> None:
    """Delete simulations after their chunks, which waits for whoever is doing one and lets nobody begin another."""
    ids = list(simulations.values_list("pk", flat=True))
    SimulationChunk.objects.filter(simulation__in=ids).delete()
    Simulation.objects.filter(pk__in=ids).delete()
