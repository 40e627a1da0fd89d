"""What tests of simulations share: a company with a version in force, a draft that differs, and running to the end."""

from datetime import datetime
from typing import Any

from health.models import Simulation, Version
from health.services import (
    create_measure,
    create_profile,
    open_draft,
    publish,
    simulate_chunk,
    start_simulation,
    update_measure,
    update_profile,
)
from tests.factories import NOW, SegmentFactory

SEATS = [[0, 0], [100, 100]]
HALF = [[0, 0], [200, 100]]


def first_version(now: datetime = NOW, **weights: Any) -> Version:
    """A version in force for everybody: a seat is a point, and an open ticket costs 20."""
    draft = open_draft(by=None, now=now)
    create_measure(draft=draft, key="seats", label="Seats", attribute="seats", curve=SEATS, now=now)
    create_measure(
        draft=draft, key="tickets", label="Tickets", attribute="tickets.open", curve=[[0, 100], [5, 0]], now=now
    )
    create_profile(draft=draft, name="All", segment=SegmentFactory(key="all"), weights=weights or {"seats": 1}, now=now)
    return publish(draft=draft, by=None, note="First", now=now)


def draft_of_half(now: datetime = NOW) -> Version:
    """A draft where a seat is worth half a point."""
    draft = open_draft(by=None, now=now)
    update_measure(measure=draft.measures.get(key="seats"), curve=HALF, now=now)
    draft.refresh_from_db()
    return draft


def weigh(draft: Version, now: datetime = NOW, **weights: Any) -> Version:
    """The draft with other weights."""
    update_profile(profile=draft.profiles.get(), weights=weights, now=now)
    draft.refresh_from_db()
    return draft


def simulate(draft: Version, now: datetime = NOW) -> Simulation:
    """The simulation of the draft, run to its end."""
    simulation = start_simulation(draft=draft, by=None, now=now)
    while simulate_chunk(now=now):
        pass
    simulation.refresh_from_db()
    return simulation
