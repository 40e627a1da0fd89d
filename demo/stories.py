"""The customers with a story, so that every page has something true to show. ``docs/demo.md`` tells them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from demo.company import years_later
from demo.shapes import Bend, Change, Shape

CSM = "csm@demo.example"
MESSAGING = ("messaging", "reactions")

# The name of the account each story happened to, by its key.
STORIES = {
    "champion-leaves": "Brightwater Freight",
    "slow-fade": "Kestrelmoor Publishing",
    "bad-onboarding": "Solvane Energy",
    "happy-expander": "Otterbourne Foods",
    "seasonal-leave": "Maplerowe Clinics",
    "on-leave-now": "Junivale Academy",
    "low-messaging": "Fjordmere Journeys",
    "urgent-tickets": "Ardentine Diagnostics",
    "detractor": "Quillonby Insurance",
    "renewal-at-risk": "Northgale Components",
    "churned": "Verdanta Textiles",
    "win-back": "Lumerieux Hotels",
    "no-owner": "Pellwick Studios",
}


def tell(shapes: list[Shape], today: date) -> list[Shape]:
    """The shapes with the first of them turned into the accounts of ``STORIES``."""
    told = [_turn(key, name, shape, today) for (key, name), shape in zip(STORIES.items(), shapes, strict=False)]
    return [*told, *shapes[len(told) :]]


def _turn(key: str, name: str, shape: Shape, today: date) -> Shape:
    plain = replace(
        shape,
        name=name,
        story=key,
        owner=CSM,
        touch_model="high_touch",
        plan="business",
        seats=64,
        term_months=12,
        joined_on=today - timedelta(days=620),
        engagement=0.85,
        drift=0.1,
        breadth=0.6,
        mood=0.7,
        tickets_a_month=0.6,
        touch_every_days=28,
        changes=(),
        bends=(),
        ended_days_ago=None,
        tags=(),
    )
    return replace(plain, **_TURNS[key](today))


def _renewing(today: date, in_days: int, years: int) -> date:
    return years_later(today + timedelta(days=in_days), -years)


_TURNS: dict[str, Callable[[date], dict[str, Any]]] = {
    "champion-leaves": lambda today: {
        "industry": "Logistics",
        "plan": "enterprise",
        "seats": 180,
        "champion_left_days_ago": 68,
        "bends": (Bend(44, 8, 1.0, 0.3),),
        "touch_every_days": 45,
    },
    "slow-fade": lambda today: {
        "industry": "Media",
        "seats": 90,
        "engagement": 0.95,
        "drift": 0.0,
        "bends": (Bend(170, 2, 1.0, 0.22),),
        "touch_every_days": 150,
        "mood": 0.5,
    },
    "bad-onboarding": lambda today: {
        "industry": "Energy",
        "seats": 70,
        "joined_on": today - timedelta(days=54),
        "engagement": 0.22,
        "breadth": 0.12,
        "mood": 0.35,
        "tickets_a_month": 3.5,
        "touch_every_days": 12,
        "stuck_in_onboarding": True,
        "leaves_tasks_open": True,
    },
    "happy-expander": lambda today: {
        "industry": "Retail",
        "seats": 120,
        "engagement": 1.0,
        "drift": 0.35,
        "breadth": 0.9,
        "mood": 0.97,
        "tickets_a_month": 0.2,
        "touch_every_days": 18,
        "changes": (Change(38, "enterprise", 190),),
        "tags": ("reference",),
    },
    "seasonal-leave": lambda today: {
        "industry": "Healthcare",
        "seats": 46,
        "bends": (Bend(33, 24, 0.02, 0.02, MESSAGING, passes=True),),
    },
    "on-leave-now": lambda today: {
        "industry": "Education",
        "seats": 40,
        "bends": (Bend(10, 0, 0.02, 0.02, MESSAGING, passes=True),),
    },
    "low-messaging": lambda today: {
        "industry": "Travel",
        "seats": 52,
        "bends": (Bend(24, 1, 0.02, 0.02, MESSAGING),),
        "leaves_tasks_open": True,
    },
    "urgent-tickets": lambda today: {
        "industry": "Healthcare",
        "plan": "enterprise",
        "seats": 140,
        "mood": 0.4,
        "tickets_a_month": 1.6,
    },
    "detractor": lambda today: {"industry": "Finance", "seats": 75, "mood": 0.62, "leaves_tasks_open": True},
    "renewal-at-risk": lambda today: {
        "industry": "Manufacturing",
        "seats": 110,
        "joined_on": _renewing(today, 21, 2),
        "engagement": 0.4,
        "drift": -0.3,
        "breadth": 0.3,
        "mood": 0.25,
        "champion_left_days_ago": 130,
        "tickets_a_month": 1.5,
        "touch_every_days": 80,
        "bends": (Bend(90, 2, 1.0, 0.5),),
        "leaves_tasks_open": True,
    },
    "churned": lambda today: {
        "industry": "Manufacturing",
        "seats": 58,
        "mood": 0.2,
        "engagement": 0.6,
        "ended_days_ago": 38,
        "joined_on": today - timedelta(days=403),
        "bends": (Bend(130, 49, 1.0, 0.6), Bend(48, 38, 0.0, 0.0, MESSAGING)),
        "tickets_a_month": 1.4,
    },
    "win-back": lambda today: {
        "industry": "Travel",
        "seats": 50,
        "ended_days_ago": 205,
        "returned_days_ago": 84,
        "mood": 0.75,
        "bends": (Bend(290, 206, 1.0, 0.3), Bend(204, 85, 0.0, 0.0, passes=True), Bend(84, 30, 2.5, 3.2)),
    },
    "no-owner": lambda today: {
        "industry": "Media",
        "seats": 30,
        "plan": "team",
        "owner": "",
        "bends": (Bend(21, 1, 0.02, 0.02, MESSAGING),),
    },
}
