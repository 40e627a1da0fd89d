"""What a simulation found: who changes band, how scores are spread before and after, and by how much they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from common.sql import SQL, rows, value
from health.models import NamedScore, SimulatedScore, Simulation, SimulationChunk, Version
from health.queries.backtest import Backtest, backtest
from health.queries.definitions import Problem, load_definitions

BANDS = ("good", "watch", "poor", "none")
BUCKETS = 20
UNCHANGED = 1e-6
"""Two scores that differ by no more are the same: the order of a sum may show in its last digits."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pieces of a simulation are done, of how many."""

    done: int
    total: int

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Move:
    """Accounts that go from one band to another (``none``: no score), or stay: how many, and their MRR."""

    before: str
    after: str
    accounts: int
    mrr: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """How far scores move. ``changed`` accounts have another score, or one where they had none, or none any more.

    ``median`` and ``p95`` are absolute points over the accounts with both scores where they differ; None when there
    is none.
    """

    accounts: int
    changed: int
    rising: int
    falling: int
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How many accounts score from each bound up to the next: ``BUCKETS`` of equal width, 100 in the last one."""

    bounds: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A measure or profile that could not be scored, of which version, and whether that is the draft."""

    problem: Problem
    version: Version
    is_draft: bool


def latest_simulation(version: Version) -> Simulation | None:
    """The simulation of ``version`` that was started last."""
    return Simulation.objects.filter(version=version).select_related("version", "against", "requested_by").first()


def progress_of(simulation: Simulation) -> Progress:
    """How far the simulation is; one query."""
    counted = SimulationChunk.objects.filter(simulation=simulation).aggregate(total=Count("pk"), done=Count("done_at"))
    return Progress(done=counted["done"], total=counted["total"])


def scores_of(simulation: Simulation, named: NamedScore) -> QuerySet[SimulatedScore]:
    """The rows of one named score."""
    return SimulatedScore.objects.filter(simulation=simulation, named=named)


def migration_matrix(simulation: Simulation, named: NamedScore) -> list[Move]:
    """The moves between bands that happen, those that stay included; one query."""
    counted = (
        scores_of(simulation, named)
        .values_list("band_before", "band_after")
        .annotate(accounts=Count("*"), mrr=Sum("mrr"))
        .order_by("band_before", "band_after")
    )
    return [Move(before or "none", after or "none", accounts, mrr) for before, after, accounts, mrr in counted]


def changes(simulation: Simulation, named: NamedScore) -> Change:
    """How many scores change and by how much; one query."""
    [row] = rows(
        SQL(f"""
            SELECT count(*), count(*) FILTER (WHERE moved IS NULL AND is_scored OR abs(moved) > {UNCHANGED}),
                count(*) FILTER (WHERE moved > {UNCHANGED}), count(*) FILTER (WHERE moved < -{UNCHANGED}),
                percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(moved)) FILTER (WHERE abs(moved) > {UNCHANGED}),
                percentile_cont(0.95) WITHIN GROUP (ORDER BY abs(moved)) FILTER (WHERE abs(moved) > {UNCHANGED})
            FROM (
                SELECT score_after - score_before AS moved, coalesce(score_after, score_before) IS NOT NULL AS is_scored
                FROM health_simulatedscore WHERE simulation_id = {{simulation}} AND named_id = {{named}}
            ) scored
        """).format(simulation=value(simulation.pk), named=value(named.pk))
    )
    return Change(*row)


def spread(simulation: Simulation, named: NamedScore) -> Spread:
    """How many accounts score in each twentieth of the range, before and after; one query."""
    counted = rows(
        SQL(f"""
            SELECT side, least(greatest(width_bucket(score, 0, 100, {BUCKETS}), 1), {BUCKETS}), count(*)
            FROM health_simulatedscore
                CROSS JOIN LATERAL (VALUES (FALSE, score_before), (TRUE, score_after)) sides(side, score)
            WHERE simulation_id = {{simulation}} AND named_id = {{named}} AND score IS NOT NULL GROUP BY 1, 2
        """).format(simulation=value(simulation.pk), named=value(named.pk))
    )
    found = {(is_after, bucket): count for is_after, bucket, count in counted}

    def side(*, is_after: bool) -> tuple[int, ...]:
        return tuple(found.get((is_after, bucket), 0) for bucket in range(1, BUCKETS + 1))

    width = 100 // BUCKETS
    return Spread(tuple(range(0, 100, width)), side(is_after=False), side(is_after=True))


def left_out(simulation: Simulation) -> Sequence[LeftOut]:
    """What either formula was computed without, the draft's first."""
    return [
        LeftOut(problem, version, is_draft=version == simulation.version)
        for version in (simulation.version, simulation.against)
        if version is not None
        for problem in load_definitions(version, failing=simulation.failing).problems
    ]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a complete simulation found about one named score."""

    named: NamedScore
    change: Change
    matrix: tuple[Move, ...]
    spread: Spread
    backtest: Backtest

    @property
    def band_changes(self) -> int:
        """How many accounts are in another band."""
        return sum(move.accounts for move in self.matrix if move.before != move.after)

    def becoming(self, band: str) -> int:
        """How many accounts come into ``band`` from another one."""
        return sum(move.accounts for move in self.matrix if move.after == band != move.before)


def findings(simulation: Simulation, named: NamedScore) -> Findings:
    """Everything that a complete simulation found about one named score; five queries."""
    return Findings(
        named=named,
        change=changes(simulation, named),
        matrix=tuple(migration_matrix(simulation, named)),
        spread=spread(simulation, named),
        backtest=backtest(simulation, named),
    )
