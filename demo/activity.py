"""Daily use of the product: weekly rhythm, holidays, growth, and what befell the customer."""

import math
from datetime import date, timedelta
from random import Random

from demo.catalogue import ESSENTIAL, FEATURES, PLAN_ORDER
from demo.company import DAYS, WITH_TODAY, Line
from demo.shapes import Bend, Shape

WEEKDAYS = (1.0, 1.1, 1.08, 1.03, 0.82, 0.02, 0.01)
NOTICED = 0.5
"""Less than this expected on a day counts as none."""
OCCASIONAL = 0.2
"""Features used less than this a seat and day are for certain days of the week, such as reports on Mondays."""


def rhythm(today: date) -> list[float]:
    """The share of an ordinary day's use on each of the days and today: weekends, August, the turn of the year."""
    found = []
    for index in range(WITH_TODAY):
        day = today - timedelta(days=DAYS - index)
        season = 0.8 if day.month == 8 else 1.0
        if (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2):
            season = 0.4
        elif (day.month, day.day) in {(5, 1), (11, 1), (1, 6)}:
            season = 0.5
        found.append(WEEKDAYS[day.weekday()] * season)
    return found


def bent(bends: tuple[Bend, ...], feature: str | None) -> list[float]:
    """The factor of the customer's bends on each of the days, for one feature or for those about all use (None)."""
    factors = [1.0] * WITH_TODAY
    for bend in bends:
        if (feature not in bend.features) if bend.features else (feature is not None):
            continue
        first, last = DAYS - bend.from_days_ago, DAYS - bend.to_days_ago
        for index in range(max(0, first), WITH_TODAY):
            if index <= last:
                share = (index - first) / max(1, last - first)
                factors[index] *= bend.start + (bend.end - bend.start) * share
            elif not bend.passes:
                factors[index] *= bend.end
    return factors


def included(plan: str) -> list[tuple[str, float]]:
    """The features of a plan with their ordinary use a seat and working day."""
    upto = PLAN_ORDER.index(plan)
    return [(key, rate) for key, _name, least, rate in FEATURES if PLAN_ORDER.index(least) <= upto]


def usage(
    rng: Random, shape: Shape, contract: list[Line], today: date, days: list[float]
) -> tuple[dict[str, list[int]], list[int]]:
    """The counts of each used feature for each of the days and today, and the number of active users in each week."""
    first_day = today - timedelta(days=DAYS)
    share = [0.0] * WITH_TODAY
    starts: dict[str, int] = {}
    for line in contract:
        begins = max(0, (line.started_on - first_day).days)
        ends = WITH_TODAY if line.ended_on is None else max(0, (line.ended_on - first_day).days)
        ramp = _ramp(shape, line, contract, first_day)
        for index in range(begins, ends):
            share[index] = line.seats * ramp[index]
        for feature, _rate in included(line.plan):
            if begins < ends:
                starts.setdefault(feature, begins)
    bend = bent(shape.bends, None)
    level = [
        share[index] * bend[index] * shape.engagement * (1 + shape.drift * (index / DAYS - 0.5))
        for index in range(WITH_TODAY)
    ]
    found = {}
    for feature, rate in included(contract[-1].plan):
        known = feature in ESSENTIAL or feature == "messaging"
        liking = math.exp(rng.gauss(0, 0.25 if known else 0.5))
        adopts = rng.random() < shape.breadth or (known and not shape.stuck_in_onboarding) or feature == "tasks"
        start = starts[feature] + (0 if known else int(rng.expovariate(1 / 25)) if starts[feature] else 0)
        if adopts:
            own = bent(shape.bends, feature) if any(bend.features for bend in shape.bends) else None
            found[feature] = _counts(rng, level, _own_days(rng, days, rate, today), own, rate * liking, start)
    seats = [share[index] * bend[index] for index in range(DAYS)]
    users = [_users(shape, seats[max(0, end - 7) : end]) for end in range(7, DAYS + 1, 7)]
    return found, users


def _own_days(rng: Random, days: list[float], rate: float, today: date) -> list[float]:
    """The rhythm of one feature: that of all, or two days of the week for what is used now and then."""
    if rate >= OCCASIONAL:
        return days
    first = rng.randrange(5)
    kept = {first, (first + rng.choice((2, 3))) % 5}
    start = (today - timedelta(days=DAYS)).weekday()
    return [share * 2.5 if (start + index) % 7 in kept else 0.0 for index, share in enumerate(days)]


def _ramp(shape: Shape, line: Line, contract: list[Line], first_day: date) -> list[float]:
    """A new customer reaches its ordinary use over six weeks."""
    if line is not contract[0]:
        return [1.0] * WITH_TODAY
    joined = (line.started_on - first_day).days
    return [min(1.0, 0.25 + 0.75 * max(0, index - joined) / 42) for index in range(WITH_TODAY)]


def _counts(
    rng: Random, level: list[float], days: list[float], own: list[float] | None, rate: float, start: int
) -> list[int]:
    counts = [0] * WITH_TODAY
    draw = rng.random
    for index in range(start, WITH_TODAY):
        expected = level[index] * days[index] * rate
        if own is not None:
            expected *= own[index]
        if expected > NOTICED:
            expected *= 0.7 + 0.6 * draw()
            whole = int(expected)
            counts[index] = whole + (draw() < expected - whole)
    return counts


def _users(shape: Shape, seats: list[float]) -> int:
    mean = sum(seats) / max(1, len(seats))
    return round(mean * min(1.0, 0.2 + 0.75 * shape.engagement)) if mean >= 1 else round(mean)
