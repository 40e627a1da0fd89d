"""The few numbers that a customer's whole history is drawn from: how large, how engaged, how happy, what befell it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from demo.catalogue import PLAN_ORDER, STAFF
from demo.company import years_later
from demo.words import COMPANY_FIRST, COUNTRIES, INDUSTRIES, Country


@dataclass(frozen=True, slots=True)
class Bend:
    """A stretch of days, counted back from today, in which use is multiplied by a factor that runs from one to another.

    ``features`` narrows it to some features; after the stretch the last factor stays unless ``passes``.
    """

    from_days_ago: int
    to_days_ago: int
    start: float
    end: float
    features: tuple[str, ...] = ()
    passes: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the contract so many days ago: the plan, the seats, the price as a factor of the list's."""

    days_ago: int
    plan: str
    seats: int
    price: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """One customer in brief. ``engagement`` is the share of the usual use, ``drift`` its growth over the year,
    ``breadth`` the share of the plan's features in use, ``mood`` from 0 (angry) to 1 (delighted), ``parent`` the name
    of the company it is a part of."""

    name: str
    industry: str
    country: Country
    touch_model: str
    owner: str
    plan: str
    seats: int
    joined_on: date
    term_months: int
    engagement: float
    drift: float
    breadth: float
    mood: float
    tickets_a_month: float
    touch_every_days: int
    changes: tuple[Change, ...] = ()
    bends: tuple[Bend, ...] = ()
    champion_left_days_ago: int | None = None
    ended_days_ago: int | None = None
    returned_days_ago: int | None = None
    stuck_in_onboarding: bool = False
    leaves_tasks_open: bool = False
    story: str = ""
    parent: str = ""
    tags: tuple[str, ...] = field(default=())


# (share of all, touch model, plans, seats from, to, contract in months, days between touches)
TIERS = (
    (0.12, "high_touch", ("enterprise",), 90, 360, (12,), (14, 28)),
    (0.26, "high_touch", ("business", "business", "team"), 34, 110, (12,), (21, 40)),
    (0.31, "low_touch", ("team", "team", "business"), 9, 26, (12, 1), (35, 70)),
    (0.31, "self_service", ("starter", "starter", "starter", "team"), 2, 11, (1,), (150, 400)),
)
AGES = (((40, 330), 0.3), ((331, 1300), 0.7))


def draw_shapes(rng: Random, today: date, count: int) -> list[Shape]:
    """Draw ``count`` customers in the proportions of ``TIERS``."""
    names = _names(rng, count)
    shapes = []
    for number, (name, industry) in enumerate(names):
        at = (number + 0.5) / count
        tier = next(i for i in range(len(TIERS)) if at <= sum(t[0] for t in TIERS[: i + 1]) + 1e-9)
        shapes.append(_shape(rng, today, name, industry, tier))
    return shapes


def _names(rng: Random, count: int) -> list[tuple[str, str]]:
    every = [
        (f"{first} {second}", industry)
        for first in COMPANY_FIRST
        for industry, seconds in INDUSTRIES.items()
        for second in seconds
    ]
    return rng.sample(every, count)


def _shape(rng: Random, today: date, name: str, industry: str, tier: int) -> Shape:
    _share, touch_model, plans, fewest, most, terms, (soonest, latest) = TIERS[tier]
    age_range = rng.choices([ages for ages, _weight in AGES], [weight for _ages, weight in AGES])[0]
    age = rng.randint(*age_range)
    plan = rng.choice(plans)
    seats = int(fewest * (most / fewest) ** rng.random())
    mood = min(1.0, max(0.0, rng.gauss(0.68, 0.17)))
    joined_on = today - timedelta(days=age)
    term = rng.choice(terms)
    ended = rng.randint(8, 320) if rng.random() < (0.05, 0.07, 0.1, 0.16)[tier] and age > 150 else None
    if ended is not None:
        ended = min(ended, age - 100)
    # The unhappy use less, and those about to leave less and less.
    bends = [Bend(ended + 80, ended, 1.0, 0.2)] if ended is not None else []
    bends += _ordinary_bends(rng)
    return Shape(
        name=name,
        industry=industry,
        country=rng.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0],
        touch_model=touch_model,
        owner=_owner(rng, touch_model),
        plan=plan,
        seats=seats,
        joined_on=joined_on,
        term_months=term,
        engagement=min(1.15, max(0.3, 0.45 + 0.5 * mood + rng.gauss(0, 0.12))),
        drift=rng.gauss(0.12, 0.2) - (0.25 if mood < 0.45 else 0),
        breadth=min(0.95, max(0.2, rng.gauss(0.55, 0.15))),
        mood=mood - (0.25 if ended is not None else 0),
        tickets_a_month=(1.1, 0.6, 0.3, 0.1)[tier] * (1.8 - mood) * rng.uniform(0.5, 1.5),
        touch_every_days=rng.randint(soonest, latest),
        changes=_changes(rng, plan, seats, age, ended, mood, joined_on, today, term),
        bends=tuple(bends),
        ended_days_ago=ended,
        tags=tuple(sorted(rng.sample(("reference", "beta", "multi-office", "partner-led", "price-sensitive"), 1)))
        if rng.random() < 0.35
        else (),
    )


def _owner(rng: Random, touch_model: str) -> str:
    able = [colleague for colleague in STAFF if touch_model in colleague.scale]
    return rng.choices(able, [colleague.scale[touch_model] for colleague in able])[0].email


def _ordinary_bends(rng: Random) -> list[Bend]:
    """Weeks of leave, and now and then a slump."""
    bends = []
    if rng.random() < 0.25:
        start = rng.randint(20, 300)
        bends.append(Bend(start, start - rng.randint(5, 12), 0.35, 0.35, passes=True))
    if rng.random() < 0.14:
        start = rng.randint(12, 280)
        bends.append(Bend(start, start - rng.randint(6, 25), 0.04, 0.04, ("messaging",), passes=True))
    if rng.random() < 0.07:
        start = rng.randint(5, 200)
        bends.append(Bend(start, start - rng.randint(9, 14), 0.0, 0.0, ("tasks",), passes=True))
    if rng.random() < 0.16:
        start = rng.randint(30, 200)
        bends.append(Bend(start, max(1, start - 90), 1.0, rng.uniform(0.35, 0.7)))
    return bends


def _changes(
    rng: Random,
    plan: str,
    seats: int,
    age: int,
    ended: int | None,
    mood: float,
    joined_on: date,
    today: date,
    term: int,
) -> tuple[Change, ...]:
    latest = ended + 60 if ended is not None else 10
    if term >= 12:
        # The yearly price rise comes with the renewal.
        for year in range(1, 4):
            days_ago = (today - years_later(joined_on, year)).days
            if latest < days_ago < 360 and rng.random() < 0.6:
                return (Change(days_ago, plan, seats + rng.choice((0, 0, seats // 8)), rng.uniform(1.03, 1.07)),)
    if age < 120 or rng.random() > 0.3 or latest > min(age - 60, 330):
        return ()
    days_ago = rng.randint(latest, min(age - 60, 330))
    if mood > 0.55:
        better = min(PLAN_ORDER.index(plan) + (rng.random() < 0.4), len(PLAN_ORDER) - 1)
        if better == len(PLAN_ORDER) - 1 and plan != "enterprise":
            better -= 1
        return (Change(days_ago, PLAN_ORDER[better], max(seats + 1, int(seats * rng.uniform(1.1, 1.4)))),)
    return (Change(days_ago, plan, max(1, int(seats * rng.uniform(0.6, 0.9)))),)
