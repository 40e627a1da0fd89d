"""The backtest: how formulas would have ranked the accounts that were lost, from what was recorded in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from django.db.models import Avg, Count, F, FloatField, Func, Q

from accounts.attributes import Context
from common.sql import SQL, rows, value
from health.models import NamedScore, ProfileMeasure, SimulatedLoss, Simulation, Version
from health.queries.definitions import ScoreDefinition
from health.queries.recorded import applied_to

LOST_WITHIN = timedelta(days=365)
LEAD_DAYS = 30
OLDEST_DAYS = 7
SAFE_DAYS = 90
"""An account that was not lost within so many days after the observation stands for those that stayed."""
MOST_RECORDS = 400_000
LEAST_COMPARED = 500
ENOUGH = 20
STRONG = 80
Z = 1.96

LOST = """
    ends AS MATERIALIZED (
        SELECT account_id, ended_on FROM accounts_offboarding
        UNION SELECT id, (ended_at AT TIME ZONE {zone})::date FROM accounts_account WHERE ended_at IS NOT NULL
    ), lost AS MATERIALIZED (
        SELECT account_id, max(ended_on) AS ended_on FROM ends
        WHERE ended_on > {today} - 365 AND ended_on <= {today} GROUP BY account_id
    )
"""
"""The accounts lost in the last year, each by its last end; and every end there is."""


def days_of_losses(context: Context) -> list[tuple[date, date, int]]:
    """The months with a lost account within the last year: first and last day of a loss, and on how many days."""
    return [
        (first, last, days)
        for first, last, days in rows(
            SQL(
                f"WITH {LOST} SELECT min(ended_on), max(ended_on), count(DISTINCT ended_on) FROM lost"
                " GROUP BY date_trunc('month', ended_on) ORDER BY 1"
            ).format(zone=value(context.zone.key), today=SQL("%s::date", (context.today,)))
        )
    ]


def keep_losses(
    simulation: Simulation,
    *,
    before: ScoreDefinition,
    after: ScoreDefinition,
    first: date,
    last: date,
    one_in: int,
    context: Context,
) -> SQL:
    """Rank the accounts lost from ``first`` to ``last`` among those that stayed, by both formulas, and keep it.

    Each is observed ``LEAD_DAYS`` before its end: by the last row of ``HealthDay`` up to that day, at most
    ``OLDEST_DAYS`` older. Nothing that was recorded later is read. It is compared with the accounts that have a row
    of the same day and did not end within ``SAFE_DAYS`` after it; of a large base with one in ``one_in`` of them,
    always the same ones. Its rank is the share of those that scored lower, ties half.

    The steps are materialized: nothing tells the planner how few accounts are lost, and how many stay.
    """
    seen_from = first - timedelta(days=LEAD_DAYS + OLDEST_DAYS)
    seen_to = last - timedelta(days=LEAD_DAYS)
    return SQL(f"""
        WITH {LOST}, observed AS MATERIALIZED (
            SELECT l.account_id, l.ended_on, d.day, d.profile_id, d.values FROM lost l LEFT JOIN LATERAL (
                SELECT d.day, d.profile_id, d.values FROM health_healthday d
                WHERE d.account_id = l.account_id AND d.named_id = {{named}}
                    AND d.day BETWEEN {{seen_from}} AND {{seen_to}}
                    AND d.day BETWEEN l.ended_on - {LEAD_DAYS + OLDEST_DAYS} AND l.ended_on - {LEAD_DAYS}
                ORDER BY d.day DESC LIMIT 1
            ) d ON TRUE WHERE l.ended_on BETWEEN {{first}} AND {{last}}
        ), records AS MATERIALIZED (
            SELECT account_id, day, TRUE AS is_lost, profile_id, o.values FROM observed o WHERE day IS NOT NULL
            UNION ALL
            SELECT s.id, d.day, FALSE, d.profile_id, d.values
            FROM accounts_account s CROSS JOIN LATERAL (
                SELECT d.day, d.profile_id, d.values FROM health_healthday d
                WHERE d.account_id = s.id AND d.named_id = {{named}} AND d.day BETWEEN {{seen_from}} AND {{seen_to}}
                OFFSET 0
            ) d
            WHERE {{sampled}} AND d.day = ANY(ARRAY(SELECT DISTINCT day FROM observed)) AND NOT EXISTS (
                SELECT FROM ends e
                WHERE e.account_id = s.id AND e.ended_on > d.day AND e.ended_on <= d.day + {SAFE_DAYS}
            )
        ), applied AS MATERIALIZED ({{applied}}), ranked AS MATERIALIZED (
            SELECT * FROM (
                SELECT *, {_rank("before")} AS rank_before, {_compared("before")} AS compared_before,
                    {_rank("after")} AS rank_after, {_compared("after")} AS compared_after
                FROM applied
            ) every WHERE is_lost
        )
        INSERT INTO health_simulatedloss (simulation_id, named_id, account_id, ended_on, day,
            score_before, rank_before, compared_before, unknown_before,
            score_after, rank_after, compared_after, unknown_after)
        SELECT {{simulation}}, {{named}}, o.account_id, o.ended_on, o.day,
            r.before, CASE WHEN r.before IS NOT NULL THEN r.rank_before END, coalesce(r.compared_before, 0),
            coalesce(r.unknown_before, '{{{{}}}}'),
            r.after, CASE WHEN r.after IS NOT NULL THEN r.rank_after END, coalesce(r.compared_after, 0),
            coalesce(r.unknown_after, '{{{{}}}}')
        FROM observed o LEFT JOIN ranked r ON r.account_id = o.account_id
    """).format(
        simulation=value(simulation.pk),
        named=SQL(str(after.named.pk)),
        zone=value(context.zone.key),
        today=SQL("%s::date", (context.today,)),
        first=SQL("%s::date", (first,)),
        last=SQL("%s::date", (last,)),
        seen_from=SQL("%s::date", (seen_from,)),
        seen_to=SQL("%s::date", (seen_to,)),
        sampled=SQL(f"mod(hashint8(s.id)::bigint, {one_in}) = 0") if one_in > 1 else SQL("TRUE"),
        applied=applied_to("records", before=before, after=after, recorded=_recorded(after.named, seen_from, seen_to)),
    )


def _rank(score: str) -> str:
    """SQL: the share of the compared accounts of the day that scored lower, ties half."""
    stayed = f"count(*) FILTER (WHERE NOT is_lost AND {score} IS NOT NULL) OVER"
    return (
        f"({stayed} (PARTITION BY day ORDER BY {score} RANGE UNBOUNDED PRECEDING)"
        f" - 0.5 * {stayed} (PARTITION BY day, {score})) / nullif({stayed} (PARTITION BY day), 0)"
    )


def _compared(score: str) -> str:
    return f"count(*) FILTER (WHERE NOT is_lost AND {score} IS NOT NULL) OVER (PARTITION BY day)"


def _recorded(named: NamedScore, first: date, last: date) -> dict[int, tuple[int, list[ProfileMeasure]]]:
    """Segment and parts of each profile that scores of the days from ``first`` to ``last`` may be of."""
    versions = list(Version.objects.published().filter(effective_at__date__lte=last + timedelta(days=1)))
    # Scores follow a version within minutes; a day lets any time zone and a slow sweep be.
    margin = first - timedelta(days=2)
    wanted = [
        version
        for version, later in zip(versions, [None, *versions], strict=False)
        if later is None or (later.effective_at and later.effective_at.date() >= margin)
    ]
    parts = ProfileMeasure.objects.filter(profile__version__in=wanted, profile__named=named)
    found: dict[int, tuple[int, list[ProfileMeasure]]] = {}
    for part in parts.select_related("measure", "profile").order_by("id"):
        found.setdefault(part.profile_id, (part.profile.segment_id, []))[1].append(part)
    return found


@dataclass(frozen=True, slots=True)
class Ranked:
    """How one formula ranked the lost.

    ``auc`` is the chance that a lost account scored lower than one that stayed, ties half; ``error`` its standard
    error, ``low`` and ``high`` its 95 % interval. ``worst_fifth`` and ``worst_tenth`` are the shares of the lost among
    the lowest scores. All are None when ``losses``, on which they rest, are fewer than ``ENOUGH``.
    """

    losses: int
    compared: int
    auc: float | None
    error: float | None
    low: float | None
    high: float | None
    worst_fifth: float | None
    worst_tenth: float | None

    @property
    def is_enough(self) -> bool:
        return self.auc is not None

    @property
    def is_weak(self) -> bool:
        """Whether it rests on so few losses that it is weak evidence."""
        return self.is_enough and self.losses < STRONG

    @property
    def verdict(self) -> str:
        """``not_enough``, ``none`` (no evidence that it predicts), ``backwards`` or ``predicts``."""
        if self.low is None or self.high is None:
            return "not_enough"
        if self.low > 0.5:
            return "predicts"
        return "none" if self.high >= 0.5 else "backwards"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A measure of the draft without recorded values for ``losses`` of the accounts with a record."""

    key: str
    losses: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the version in force and the draft would have ranked the accounts lost in the last year.

    ``lost`` were lost, ``recorded`` of them had a score recorded in time. ``unknown`` has the draft's measures
    without history.
    """

    lost: int
    recorded: int
    before: Ranked
    after: Ranked
    unknown: tuple[Unknown, ...]


def backtest(simulation: Simulation, named: NamedScore) -> Backtest:
    """The backtest of one named score; two queries."""
    losses = SimulatedLoss.objects.filter(simulation=simulation, named=named)
    figures = losses.aggregate(lost=Count("*"), recorded=Count("day"), **_figures("before"), **_figures("after"))
    unknown = (
        losses.filter(day__isnull=False)
        .annotate(key=Func(F("unknown_after"), function="unnest"))
        .values("key")
        .annotate(losses=Count("*"))
        .order_by("-losses", "key")
        .values_list("key", "losses")
    )
    return Backtest(
        lost=figures["lost"],
        recorded=figures["recorded"],
        before=_ranked(figures, "before"),
        after=_ranked(figures, "after"),
        unknown=tuple(Unknown(key, count) for key, count in unknown),
    )


def _figures(side: str) -> dict[str, Count | Avg]:
    rank = f"rank_{side}"
    return {
        f"losses_{side}": Count(rank),
        f"mean_{side}": Avg(rank),
        f"compared_mean_{side}": Avg(
            f"compared_{side}", filter=Q(**{f"{rank}__isnull": False}), output_field=FloatField()
        ),
        f"fifth_{side}": Count(rank, filter=Q(**{f"{rank}__lt": 0.2})),
        f"tenth_{side}": Count(rank, filter=Q(**{f"{rank}__lt": 0.1})),
    }


def _ranked(figures: dict[str, float | None], side: str) -> Ranked:
    losses = int(figures[f"losses_{side}"] or 0)
    compared = int(figures[f"compared_mean_{side}"] or 0)
    mean = figures[f"mean_{side}"]
    if losses < ENOUGH or mean is None:
        return Ranked(losses, compared, None, None, None, None, None, None)
    auc = 1 - mean
    error = hanley_mcneil(auc, losses=losses, others=max(compared, 1))
    return Ranked(
        losses=losses,
        compared=compared,
        auc=auc,
        error=error,
        low=max(0.0, auc - Z * error),
        high=min(1.0, auc + Z * error),
        worst_fifth=(figures[f"fifth_{side}"] or 0) / losses,
        worst_tenth=(figures[f"tenth_{side}"] or 0) / losses,
    )


def hanley_mcneil(auc: float, *, losses: int, others: int) -> float:
    """The standard error of an area under the ROC curve over so many losses and others.

    ``SE^2 = (A(1 - A) + (n1 - 1)(Q1 - A^2) + (n2 - 1)(Q2 - A^2)) / (n1 n2)`` with ``Q1 = A / (2 - A)`` and
    ``Q2 = 2 A^2 / (1 + A)``: Hanley and McNeil, The meaning and use of the area under a receiver operating
    characteristic (ROC) curve, Radiology 143 (1982), 29-36. ``others`` is the mean number that a loss was compared
    with: counting the same accounts again on other days would feign a certainty that is not there.
    """
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (losses - 1) * (first - auc**2) + (others - 1) * (second - auc**2)
    return sqrt(max(variance, 0.0) / (losses * others))
