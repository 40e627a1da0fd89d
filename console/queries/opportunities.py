"""Opportunities as people look at them: a page of them, and what those that are not decided come to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import User
from console.queries.paging import linked
from revenue.models import Opportunity

SIZE = 50
OPEN, WON, LOST = "open", "won", "lost"
CLOSED = {WON: Opportunity.Stage.WON, LOST: Opportunity.Stage.LOST}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of opportunities, what it may be narrowed to, and what the list comes to."""

    rows: list[Opportunity]
    state: str
    tabs: list[dict[str, Any]]
    selects: list[dict[str, Any]]
    total: int
    amount: Decimal
    first: int
    newer: str
    older: str

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def opportunities_for(user: User, query: QueryDict) -> Found:
    """The page that ``query`` asks for, the soonest expected first, closed ones the latest first; four queries."""
    state = query.get("state", "") if query.get("state") in CLOSED else OPEN
    chosen = Opportunity.objects.visible_to(user)
    people = list(User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER).order_by("name"))
    owner, kind = query.get("owner", ""), query.get("kind", "")
    if owner in {str(person.pk) for person in people}:
        chosen = chosen.filter(owner=int(owner))
    if kind in Opportunity.Kind.values:
        chosen = chosen.filter(kind=kind)
    totals = chosen.aggregate(
        **{f"{name}_count": Count("pk", filter=which) for name, which in _states().items()},
        **{f"{name}_amount": Sum("amount", filter=which) for name, which in _states().items()},
    )
    offset = _number(query.get("from", ""))
    ordered = (
        chosen.filter(closed_at=None).order_by(F("expected_on").asc(nulls_last=True), "pk")
        if state == OPEN
        else chosen.filter(stage=state).order_by("-closed_at", "-pk")
    )
    found = list(ordered.select_related("account", "owner")[offset : offset + SIZE + 1])
    labels = {OPEN: _("Open"), WON: _("Won"), LOST: _("Lost")}
    return Found(
        rows=found[:SIZE],
        state=state,
        tabs=[
            {
                "url": linked(query, {"state": None if name == OPEN else name, "from": None}),
                "label": label,
                "count": totals[f"{name}_count"],
                "is_current": name == state,
            }
            for name, label in labels.items()
        ],
        selects=[
            {
                "name": "owner",
                "label": _("Everybody"),
                "value": owner,
                "options": [(str(person.pk), person.name) for person in people],
            },
            {
                "name": "kind",
                "label": _("Every kind"),
                "value": kind,
                "options": list(Opportunity.Kind.choices),
            },
        ],
        total=totals[f"{state}_count"],
        amount=totals[f"{state}_amount"] or Decimal(0),
        first=offset + 1,
        newer=linked(query, {"from": max(offset - SIZE, 0) or None}) if offset else "",
        older=linked(query, {"from": offset + SIZE}) if len(found) > SIZE else "",
    )


def _states() -> dict[str, Q]:
    return {OPEN: Q(closed_at=None), **{name: Q(stage=stage) for name, stage in CLOSED.items()}}


def _number(sent: str) -> int:
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else 0
