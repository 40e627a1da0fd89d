"""What a playbook changes: its treated accounts against those that were only watched, by intention to treat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import acos, copysign, cos, pi, sqrt

from django.db.models import Count, Q

from accounts.models import Workspace
from playbooks.models import Holdout, HoldoutMember, Playbook, Run

CONFIDENCE = 1.959964
"""The standard normal quantile of .975: an interval of 95 %."""
POWER = 0.841621
"""The standard normal quantile of .8: an effect of the size named is found four times in five."""
FEWEST = 5
"""A band with fewer accounts than this in either arm is counted together with the other such bands."""
PACE_DAYS = 90
HALVINGS = 40

Arm = HoldoutMember.Arm


@dataclass(frozen=True, slots=True)
class Stratum:
    """The accounts of one band: how many in each arm, and how many of those met the outcome."""

    treated: int
    treated_met: int
    held_out: int
    held_out_met: int

    @property
    def difference(self) -> float:
        return self.treated_met / self.treated - self.held_out_met / self.held_out

    def __add__(self, other: Stratum) -> Stratum:
        return Stratum(
            self.treated + other.treated,
            self.treated_met + other.treated_met,
            self.held_out + other.held_out,
            self.held_out_met + other.held_out_met,
        )


NOBODY = Stratum(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Effect:
    """The difference of two shares, treated less held out, with its 95 % interval; from -1 to 1."""

    difference: float
    low: float
    high: float

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out no effect at all."""
        return self.low > 0 or self.high < 0


def effect(strata: Sequence[Stratum]) -> Effect | None:
    """The difference of the shares that met the outcome, within strata weighted by their size; None without both arms.

    The interval holds every difference that a score test with these weights would not refuse at 5 % (Miettinen and
    Nurminen, 1985): unlike one made of the shares as they were found, it keeps its 95 % when an arm is small.
    """
    usable = _usable(strata)
    total = sum(one.treated + one.held_out for one in usable)
    if not total:
        return None
    weighed = [((one.treated + one.held_out) / total, one) for one in usable]
    difference = sum(weight * one.difference for weight, one in weighed)

    def is_refused(supposed: float) -> bool:
        variance = sum(weight**2 * _variance(one, supposed) for weight, one in weighed)
        return abs(difference - supposed) > CONFIDENCE * sqrt(variance)

    return Effect(difference, _end(is_refused, difference, -1.0), _end(is_refused, difference, 1.0))


def _end(is_refused: Callable[[float], bool], inside: float, outside: float) -> float:
    """The end of the interval between a difference that is not refused and the farthest there is, by halving."""
    for _halving in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if is_refused(middle) else (middle, outside)
    return outside


def _variance(one: Stratum, supposed: float) -> float:
    """The variance of a stratum's difference if ``supposed`` were the true one: at the likeliest shares that differ so.

    The held-out share p is the root of N p^3 + b p^2 + c p + d, the likelihood's slope, that lies between 0 and 1.
    """
    both, met = one.treated + one.held_out, one.treated_met + one.held_out_met
    b = ((one.treated + 2 * one.held_out) * supposed - both - met) / (3 * both)
    c = ((one.held_out * supposed - both - 2 * one.held_out_met) * supposed + met) / both
    d = one.held_out_met * supposed * (1 - supposed) / both
    q = b**3 - b * c / 2 + d / 2
    radius = copysign(sqrt(max(b**2 - c / 3, 0.0)), q)
    angle = (pi + acos(min(max(q / radius**3, -1.0), 1.0))) / 3 if radius else 0.0
    held_out = min(max(2 * radius * cos(angle) - b, 0.0), 1.0)
    treated = min(max(held_out + supposed, 0.0), 1.0)
    spread = treated * (1 - treated) / one.treated + held_out * (1 - held_out) / one.held_out
    return spread * both / (both - 1)


def _usable(strata: Sequence[Stratum]) -> list[Stratum]:
    """The strata, the small ones put together; all as one when even that leaves an arm of one empty."""
    large = [one for one in strata if min(one.treated, one.held_out) >= FEWEST]
    small = sum((one for one in strata if min(one.treated, one.held_out) < FEWEST), NOBODY)
    if min(small.treated, small.held_out) >= FEWEST:
        return [*large, small]
    every = sum(strata, NOBODY)
    if small == NOBODY:
        return large
    return [every] if min(every.treated, every.held_out) else []


def needed_in_each(base: float, changed: float) -> float:
    """How many accounts each arm needs for a change of a share from ``base`` to ``changed`` (0 to 1) to be found.

    n = (1.96 + .84)^2 (p1 q1 + p2 q2) / d^2, for 5 % false alarms and 80 % power.
    """
    spread = base * (1 - base) + changed * (1 - changed)
    return (CONFIDENCE + POWER) ** 2 * spread / (changed - base) ** 2


def smallest_effect(base: float, *, treated: float, held_out: float) -> float | None:
    """The smallest rise of a share from ``base`` (0 to 1) that arms of these sizes would find; None when none would.

    The same formula solved for d, with p2 q2 / n2 for the arm of its own size.
    """
    if treated <= 0 or held_out <= 0:
        return None
    low, high = 0.0, 1 - base
    if _findable(base, high, treated, held_out) > high:
        return None
    for _halving in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _findable(base, middle, treated, held_out) <= middle else (middle, high)
    return high


def _findable(base: float, rise: float, treated: float, held_out: float) -> float:
    """The effect that would be found if the treated share were ``base + rise``."""
    changed = base + rise
    return (CONFIDENCE + POWER) * sqrt(changed * (1 - changed) / treated + base * (1 - base) / held_out)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a holdout could find: entrants expected until the last day of enrolment, by arm, and the smallest effect."""

    entrants: float
    treated: float
    held_out: float
    smallest: float | None
    enrols_until: date
    base: float

    @property
    def whole_entrants(self) -> int:
        """The entrants expected, as a whole number."""
        return round(self.entrants)

    @property
    def base_rate(self) -> float:
        """How many of a hundred are expected to reach the outcome anyway."""
        return self.base * 100

    @property
    def changed_rate(self) -> float:
        """How many of a hundred would have to reach it with the playbook for the effect to be found."""
        return (self.base + (self.smallest or 0)) * 100


def plan_of(
    playbook: Playbook, *, share: int, after_days: int, base_rate: float, verdict_on: date, now: datetime
) -> Plan:
    """The plan of a holdout that would begin now, at the pace at which accounts entered in the last PACE_DAYS days."""
    last = verdict_on - timedelta(days=after_days)
    since = now - timedelta(days=PACE_DAYS)
    entered = Run.objects.filter(playbook=playbook, entered_at__gt=since, entered_at__lte=now).aggregate(
        accounts=Count("account", distinct=True)
    )["accounts"]
    days = max((last - Workspace.current().day(now)).days, 0)
    entrants = entered * days / PACE_DAYS
    held_out = entrants * share / 100
    treated = entrants - held_out
    base = base_rate / 100
    smallest = smallest_effect(base, treated=treated, held_out=held_out)
    return Plan(entrants, treated, held_out, smallest, last, base)


@dataclass(frozen=True, slots=True)
class ArmCount:
    """One arm: accounts in it, those whose outcome is known, and those of them that met it."""

    arm: HoldoutMember.Arm
    entered: int
    measured: int
    met: int

    @property
    def share(self) -> float | None:
        """The share that met the outcome, 0 to 1; None when no outcome is known."""
        return self.met / self.measured if self.measured else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        if not self.measured:
            return 0.0, 1.0
        share, square = self.met / self.measured, CONFIDENCE**2
        centre = share + square / (2 * self.measured)
        margin = CONFIDENCE * sqrt(share * (1 - share) / self.measured + square / (4 * self.measured**2))
        below = 1 + square / self.measured
        return max((centre - margin) / below, 0.0), min((centre + margin) / below, 1.0)


@dataclass(frozen=True, slots=True)
class Results:
    """Where a holdout stands. ``effect`` is None before its verdict's day, however many outcomes are known by then."""

    holdout: Holdout
    treated: ArmCount
    held_out: ArmCount
    is_early: bool
    was_stopped: bool
    effect: Effect | None
    smallest: float | None

    @property
    def known(self) -> int:
        """How many outcomes are known."""
        return self.treated.measured + self.held_out.measured

    @property
    def smallest_points(self) -> float:
        """The smallest rise that would have been found, in accounts of a hundred."""
        return (self.smallest or 0) * 100


def results_of(holdout: Holdout, *, now: datetime) -> Results:
    """The holdout's arms, and from its verdict's day on the effect; two queries."""
    workspace = Workspace.current()
    counts = {arm: [0, 0, 0] for arm in Arm}
    rows = (
        holdout.members.order_by("band")
        .values_list("band", "arm")
        .annotate(entered=Count("pk"), measured=Count("measured_at"), met=Count("pk", filter=Q(is_met=True)))
    )
    by_band: dict[str, dict[str, tuple[int, int]]] = {}
    for band, arm, entered, measured, met in rows:
        total = counts[Arm(arm)]
        total[0], total[1], total[2] = total[0] + entered, total[1] + measured, total[2] + met
        by_band.setdefault(band, {})[arm] = measured, met
    strata = [Stratum(*arms.get(Arm.TREATED, (0, 0)), *arms.get(Arm.HELD_OUT, (0, 0))) for arms in by_band.values()]
    treated, held_out = (ArmCount(arm, *counts[arm]) for arm in (Arm.TREATED, Arm.HELD_OUT))
    is_early = workspace.day(now) < holdout.verdict_on or holdout.stopped_at is None
    was_stopped = holdout.stopped_at is not None and workspace.day(holdout.stopped_at) < holdout.verdict_on
    return Results(
        holdout=holdout,
        treated=treated,
        held_out=held_out,
        is_early=is_early,
        was_stopped=was_stopped,
        effect=None if is_early or was_stopped else effect(strata),
        smallest=smallest_effect(holdout.base_rate / 100, treated=treated.measured, held_out=held_out.measured),
    )
