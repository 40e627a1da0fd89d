"""The generator: the same seed and day give the same company, to the last character."""

import re
from datetime import date, timedelta
from random import Random

from demo import activity, billing, history, opinions, voice
from demo.company import Company, Customer
from demo.families import gather
from demo.shapes import Shape, draw_shapes
from demo.stories import tell
from demo.words import GOALS

SEED = 20
ACCOUNTS = 300


def make_company(*, today: date, seed: int = SEED, accounts: int = ACCOUNTS) -> Company:
    """Make a company of so many customers with a year of history and all of ``today``."""
    shapes = draw_shapes(Random(f"{seed} shapes"), today, accounts)
    days = activity.rhythm(today)
    customers = [
        _customer(seed, number, shape, today, days) for number, shape in enumerate(gather(tell(shapes, today)), start=1)
    ]
    return Company(seed=seed, today=today, customers=customers)


def _customer(seed: int, number: int, shape: Shape, today: date, days: list[float]) -> Customer:
    rng, key = Random(f"{seed} {number}"), f"hb-{number:04}"
    domain = f"{re.sub(r'[^a-z0-9]+', '-', shape.name.lower()).strip('-')}.example"
    people = history.people(rng, shape, key, domain, today)
    lines = history.lines(shape, key, today)
    requests = voice.requests(rng, shape, key, people, today)
    counts, users = activity.usage(rng, shape, lines, today, days)
    late = max(0, round(rng.gauss(6 + 26 * (0.6 - shape.mood), 6)))
    looked_after = shape.touch_model != "self_service"
    return Customer(
        key=key,
        name=shape.name,
        domain=domain,
        industry=shape.industry,
        country=shape.country.code,
        language=shape.country.language,
        time_zone=shape.country.time_zone,
        touch_model=shape.touch_model,
        owner=shape.owner,
        joined_on=shape.joined_on,
        tags=list(shape.tags),
        custom=_custom(rng, shape, late),
        people=people,
        lines=lines,
        bills=billing.bills(Random(f"{seed} {number} bills"), shape, key, lines, late, today),
        stages=history.stages(rng, shape, today),
        requests=requests,
        exchanges=voice.exchanges(rng, shape, people, today) if looked_after else [],
        opinions=opinions.opinions(Random(f"{seed} {number} opinions"), shape, today),
        asked=voice.asked(rng, shape, people, requests, today),
        usage=counts,
        users=users,
        end=history.end(rng, shape, today),
        returned_on=None if shape.returned_days_ago is None else today - timedelta(days=shape.returned_days_ago),
        parent=shape.parent,
        leaves_tasks_open=shape.leaves_tasks_open,
    )


def _custom(rng: Random, shape: Shape, late: int) -> dict[str, object]:
    region = {"CN": "Asia", "TW": "Asia", "US": "US"}.get(shape.country.code, "EU")
    values: dict[str, object] = {"invoice_days_late": late, "data_region": region}
    if shape.touch_model != "self_service":
        values["goal"] = rng.choice(GOALS)
        values["has_admin_trained"] = rng.random() < shape.breadth + 0.2
        if not shape.stuck_in_onboarding:
            values["went_live_on"] = (shape.joined_on + timedelta(days=rng.randint(12, 40))).isoformat()
    return values
