"""People, contracts and the journey of one customer, drawn from its shape."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from demo.catalogue import PLAN_ORDER, PLANS
from demo.company import End, Line, Person, StageMove, moment, years_later
from demo.shapes import Change, Shape
from demo.words import COUNTRIES, LEAVING, TITLES

PRICES = {key: price for key, _name, price in PLANS}


NOTICE = {"churned": 2}
"""How many days before its end a customer says so, where a story wants another number than the usual one."""


def people(rng: Random, shape: Shape, key: str, domain: str, today: date) -> list[Person]:
    """The contacts: a champion, a decision maker, users, and whoever pays."""
    roles = ["champion", "decision_maker"]
    if shape.touch_model == "self_service":
        roles = ["champion"] if rng.random() < 0.8 else ["user"]
    else:
        roles += ["user"] * rng.randint(1, 4) + ["billing"] * (rng.random() < 0.6)
        if shape.plan == "enterprise":
            roles += ["champion", "user"]
        elif rng.random() < 0.12:
            roles.remove("champion")
    if shape.story and "champion" not in roles:
        roles.insert(0, "champion")
    found: dict[str, Person] = {}
    left = shape.champion_left_days_ago
    for number, role in enumerate(roles):
        country = shape.country if rng.random() < 0.9 else rng.choice(COUNTRIES)
        (given, given_spelled), (family, family_spelled) = rng.choice(country.given), rng.choice(country.family)
        address = f"{given_spelled}.{family_spelled}@{domain}"
        if address in found:
            address = f"{given_spelled}.{family_spelled}{number}@{domain}"
        leaves = left is not None and role == "champion"
        found[address] = Person(
            key=f"{key}-p{number}",
            name=f"{family}{given}" if country.family_first else f"{given} {family}",
            email=address,
            title=rng.choice(TITLES[role]),
            role=role,
            language=country.language,
            time_zone=country.time_zone,
            left_at=moment(today - timedelta(days=left or 0), 17 * 60) if leaves else None,
        )
    return list(found.values())


def price(plan: str, seats: int, factor: float) -> Decimal:
    """The price a month for so many seats: a discount that grows with the seats, as a whole amount."""
    discount = 0.0 if seats < 25 else 0.08 if seats < 80 else 0.16
    return Decimal(round(PRICES[plan] * seats * (1 - discount) * factor)).quantize(Decimal("0.01"))


def lines(shape: Shape, key: str, today: date) -> list[Line]:
    """The contract's lines in order; every change of plan, seats or price ends one and starts the next."""
    starts = [(shape.joined_on, shape.plan, shape.seats, 1.0)]
    ends = [] if shape.ended_days_ago is None else [today - timedelta(days=shape.ended_days_ago)]
    starts += [_start(change, today) for change in sorted(shape.changes, key=lambda change: -change.days_ago)]
    if ends and shape.returned_days_ago is not None:
        back = today - timedelta(days=shape.returned_days_ago)
        starts.append((back, shape.plan, max(1, int(shape.seats * 0.7)), 0.9))
    made = []
    for number, (day, plan, seats, factor) in enumerate(starts):
        following = starts[number + 1][0] if number + 1 < len(starts) else None
        ended = next((end for end in ends if end > day and (following is None or end <= following)), following)
        made.append(
            Line(
                key=f"{key}-l{number}",
                plan=plan,
                seats=seats,
                mrr=price(plan, seats, factor),
                term_months=shape.term_months,
                started_on=day,
                ended_on=ended,
            )
        )
    return made


def _start(change: Change, today: date) -> tuple[date, str, int, float]:
    return today - timedelta(days=change.days_ago), change.plan, change.seats, change.price


def end(rng: Random, shape: Shape, today: date) -> End | None:
    """How and why it left, if it did."""
    if shape.ended_days_ago is None:
        return None
    kind, category, competitor, feedback = (
        LEAVING[1] if shape.story == "churned" else LEAVING[0] if shape.story else rng.choice(LEAVING)
    )
    return End(today - timedelta(days=shape.ended_days_ago), kind, category, competitor, feedback)


def stages(rng: Random, shape: Shape, today: date) -> list[StageMove]:
    """The way through the lifecycle, in order, up to today."""
    found = list(_first_life(rng, shape, today))
    if shape.ended_days_ago is not None:
        gone = today - timedelta(days=shape.ended_days_ago)
        notice = gone - timedelta(days=NOTICE.get(shape.story, 28))
        found = [move for move in found if move[0] < notice]
        if shape.touch_model != "self_service":
            found.append((notice, "offboarding", "Gave notice"))
        found.append((gone, "lost", "The contract has ended"))
        if shape.returned_days_ago is not None:
            back = today - timedelta(days=shape.returned_days_ago)
            found += [(back, "onboarding", "Came back"), (back + timedelta(days=24), "adoption", "All teams invited")]
    return [
        StageMove(moment(day, 9 * 60 + rng.randint(0, 480)), stage, reason)
        for day, stage, reason in found
        if day <= today
    ]


def _first_life(rng: Random, shape: Shape, today: date) -> Iterator[tuple[date, str, str]]:
    since = shape.joined_on
    yield since, "onboarding", "Contract signed"
    if shape.stuck_in_onboarding:
        return
    settled = since + timedelta(days=rng.randint(14, 42))
    yield settled, "adoption", "Core tasks done"
    valued = settled + timedelta(days=rng.randint(60, 130))
    yield valued, "value", "First goal reached"
    turns: list[tuple[date, str, str]] = []
    if shape.term_months >= 12:
        for year in range(1, 6):
            renewal = years_later(since, year)
            turns.append((renewal - timedelta(days=60), "renewal", "Sixty days before the contract ends"))
            turns.append((renewal, "value", "Renewed"))
    for change in shape.changes:
        if PLAN_ORDER.index(change.plan) > PLAN_ORDER.index(shape.plan):
            day = today - timedelta(days=change.days_ago)
            turns.append((day - timedelta(days=21), "expansion", "Asked for a larger plan"))
            happy = shape.mood > 0.85
            turns.append((day + timedelta(days=10), "advocacy" if happy else "value", "Upgraded"))
    last = "value"
    for day, stage, reason in sorted(turns):
        if day > valued and stage != last:
            yield day, stage, reason
            last = stage
