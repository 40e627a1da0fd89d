"""Segments as people look at them: whom each holds, what they pay, and which segment decides where several do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.attributes import Catalogue, Context, facts_relation
from accounts.conditions import ConditionError, Describer, Node, Phrase, parse
from accounts.conditions.compile import where
from accounts.conditions.describe import segments_named
from accounts.conditions.parse import leaves
from accounts.models import Account, Segment, User
from accounts.queries import AccountRow, page_of_accounts, scope_of
from common.sql import SQL, join, rows
from health.models import Profile, Version
from playbooks.models import Playbook

SAMPLE = 10
SAMPLED = ("mrr", "health", "health.band", "health.stale", "health.inputs", "renewal_on")


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment: its condition in words and whom it holds.

    ``accounts`` and ``mrr`` are of the live accounts that match; ``decides`` is how many of those no segment before it
    matches. All are None when the condition cannot be used, which the phrase says.
    """

    segment: Segment
    phrase: Phrase
    accounts: int | None
    mrr: Decimal | None
    decides: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Every segment in the order in which they decide, and how many live accounts there are, and are in none."""

    rows: tuple[SegmentRow, ...]
    accounts: int
    in_none: int


def overview(user: User, *, now: datetime) -> Overview:
    """The segments over the live accounts that ``user`` may see: all of them in one statement."""
    segments = list(Segment.objects.order_by("priority"))
    catalogue = Catalogue()
    describer = Describer(catalogue)
    nodes: dict[int, Node] = {}
    for segment in segments:
        try:
            nodes[segment.pk] = parse(segment.condition, catalogue=catalogue)
        except ConditionError:
            continue
    figures, accounts, in_none = _count(list(nodes.values()), user, catalogue, now)
    found = dict(zip(nodes, figures, strict=True))
    nothing = (None, None, None)
    return Overview(
        tuple(
            SegmentRow(segment, describer.describe(segment.condition), *found.get(segment.pk, nothing))
            for segment in segments
        ),
        accounts,
        in_none,
    )


def _count(
    nodes: Sequence[Node], user: User, catalogue: Catalogue, now: datetime
) -> tuple[list[tuple[int, Decimal, int]], int, int]:
    context = Context.at(now)
    mrr = catalogue["mrr"]
    wanted = [mrr, *(leaf.attribute for node in nodes for leaf in leaves(node))]
    scope = scope_of(Account.objects.visible_to(user).live())
    relation = facts_relation(wanted, scope=scope, context=context, with_heard=False)
    within = [
        SQL(f"{{}} AS s{place}").format(where(node, relation, context, strict=True)) for place, node in enumerate(nodes)
    ]
    held = SQL("SELECT {} FROM ({}) facts").format(
        join(", ", [SQL(f"{relation.value(mrr)} AS mrr"), *within]), relation.sql
    )
    counted = [SQL("count(*)"), SQL(f"count(*) FILTER (WHERE NOT ({_any(len(nodes))}))")]
    for place in range(len(nodes)):
        counted += [
            SQL(f"count(*) FILTER (WHERE s{place})"),
            SQL(f"coalesce(sum(mrr) FILTER (WHERE s{place}), 0)"),
            SQL(f"count(*) FILTER (WHERE s{place} AND NOT ({_any(place)}))"),
        ]
    [(accounts, in_none, *each)] = rows(SQL("SELECT {} FROM ({}) held").format(join(", ", counted), held))
    return [(each[n], each[n + 1], each[n + 2]) for n in range(0, len(each), 3)], accounts, in_none


def _any(count: int) -> str:
    return " OR ".join(f"s{place}" for place in range(count)) or "FALSE"


@dataclass(frozen=True, slots=True)
class Uses:
    """What depends on a segment: its health profile in force, playbooks whose live version names it, other segments."""

    profile: Profile | None
    playbooks: tuple[Playbook, ...]
    segments: tuple[Segment, ...]


def uses_of(segment: Segment, *, now: datetime) -> Uses:
    """Who uses the segment; three queries."""
    live = Playbook.objects.select_related("live_version").exclude(live_version=None)
    others = Segment.objects.exclude(pk=segment.pk).order_by("priority")
    return Uses(
        profile=Profile.objects.filter(segment=segment, version=Version.objects.in_force(now)).first(),
        playbooks=tuple(
            playbook
            for playbook in live
            if playbook.live_version and segment.key in segments_named(playbook.live_version.definition)
        ),
        segments=tuple(other for other in others if segment.key in segments_named(other.condition)),
    )


def condition_of(segment: Segment) -> dict[str, Any]:
    """The condition that an account is in the segment."""
    return {"attribute": "segment", "operator": "in", "value": [segment.key]}


def sample(segment: Segment, user: User, *, now: datetime) -> list[AccountRow]:
    """Accounts of the segment that ``user`` may see, those that pay most first; empty when it cannot be decided."""
    catalogue = Catalogue()
    try:
        page = page_of_accounts(
            Account.objects.visible_to(user).live(),
            condition=condition_of(segment),
            columns=[catalogue[key] for key in SAMPLED],
            order_by=catalogue["mrr"],
            descending=True,
            now=now,
            offset=0,
            limit=SAMPLE,
        )
    except ConditionError:
        return []
    return page.rows
