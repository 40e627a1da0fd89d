"""Who works for somebody who is away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accounts.models import Leave, User, Workspace
from accounts.models.leave import follow_covers
from common import clock
from playbooks import handing


@dataclass(frozen=True, slots=True)
class StandIn:
    """The one who works for ``instead_of``, whose last day away is ``until``."""

    user: User
    instead_of: User
    until: date

    @property
    def words(self) -> dict[str, Any]:
        """As a task keeps it."""
        return handing.covering(self.instead_of.name, self.until)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who should have it, and for whom they stand in when the one who was meant is on leave."""

    user: User
    cover: StandIn | None = None


def stand_ins(people: Iterable[User], now: datetime) -> dict[int, StandIn]:
    """Who stands in for those of ``people`` who are on leave at ``now``; who has nobody to stand in is left out."""
    day = Workspace.current().day(now)
    by_id = {person.pk: person for person in people}
    until = dict(Leave.objects.on(day).filter(user__in=by_id).values_list("user", "ends_on"))
    if not until:
        return {}
    covers = Leave.objects.covers_on(day)
    ends = {person: follow_covers(person, covers) for person in until}
    able = User.objects.working().in_bulk([cover for cover in ends.values() if cover is not None])
    return {
        person: StandIn(able[cover], by_id[person], until[person])
        for person, cover in ends.items()
        if cover is not None and cover in able
    }


def cover_for(person: User, *, due_at: datetime, now: datetime) -> StandIn | None:
    """Who stands in for ``person`` with what is due at ``due_at``: None when they are here, or back by then."""
    stands_in = stand_ins([person], now).get(person.pk)
    if stands_in is None:
        return None
    workspace = Workspace.current()
    return stands_in if clock.local_day(due_at, workspace.zone) <= stands_in.until else None
