"""How the CSM of one customer felt about it over the year: most are rated now and then, some never."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from demo.company import DAYS, Opinion, moment
from demo.shapes import Shape

RATED = 0.6
"""The share of the customers with a CSM that are ever rated."""
WHY = {
    1: ("They have stopped answering; we hear about problems from support.", "The sponsor doubts the whole project."),
    2: ("Fewer people each month, and nobody says why.", "Two promises of ours are late, and they remember."),
    3: ("Works for one team, the others wait.", "", ""),
    4: ("Calls are short because all is well.", "Their new lead asks good questions.", ""),
    5: ("They teach other departments without us.", "Would take a reference call tomorrow.", ""),
}

# story -> (days ago, rating, why)
STORIES: dict[str, tuple[tuple[int, int, str], ...]] = {
    "champion-leaves": (
        (110, 5, "The champion carries it through every office."),
        (58, 2, "Without the champion nobody decides."),
    ),
    "slow-fade": ((160, 4, "Quiet, and that is good."),),
    "bad-onboarding": ((30, 2, "The import eats the goodwill."), (12, 1, "The sponsor asks whether to go on.")),
    "happy-expander": ((95, 4, ""), (20, 5, "Every office wants in; ask for the reference.")),
    "urgent-tickets": ((70, 4, ""), (4, 2, "One more return of this fault and we lose the CIO.")),
    "renewal-at-risk": ((75, 2, "Half the seats are idle."), (15, 1, "No champion, open invoices, three weeks left.")),
    "churned": ((66, 1, "They have signed elsewhere."),),
    "win-back": ((80, 3, "Careful, but back."), (25, 4, "The restart holds.")),
}


def opinions(rng: Random, shape: Shape, today: date) -> list[Opinion]:
    """The ratings of the year, oldest first; customers who look after themselves or have no CSM get none."""
    if shape.story in STORIES:
        return [_opinion(today, *told) for told in STORIES[shape.story]]
    if shape.touch_model == "self_service" or not shape.owner or rng.random() > RATED:
        return []
    found = []
    days_ago = DAYS - rng.randint(0, 90)
    gone = shape.ended_days_ago or 0
    while days_ago > gone:
        if today - timedelta(days=days_ago) > shape.joined_on + timedelta(days=20):
            value = min(5, max(1, round(1 + 4 * shape.mood + rng.gauss(0, 0.6))))
            found.append(_opinion(today, days_ago, value, rng.choice(WHY[value])))
        days_ago -= rng.randint(40, 110)
    return found


def _opinion(today: date, days_ago: int, value: int, why: str) -> Opinion:
    return Opinion(moment(today - timedelta(days=days_ago), 16 * 60 + 10), value, why)
