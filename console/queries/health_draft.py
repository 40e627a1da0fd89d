"""The draft of the formula as the admins see it: which profile decides for whom, and what cannot be published yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.attributes import Attribute, Catalogue, Context, Scope, facts_relation
from accounts.conditions import ConditionError, Describer, Node, Phrase
from accounts.conditions.compile import where
from accounts.conditions.parse import leaves
from common.sql import SQL, join, rows
from health.models import NamedScore, Profile, ProfileMeasure, Version
from health.queries.definitions import check_segment


@dataclass(frozen=True, slots=True)
class DecidingProfile:
    """A profile in its place among those of one score.

    ``matches`` is how many live accounts its segment has, ``decides`` how many of those no earlier profile takes.
    Both are None when nobody can tell, which the phrase says.
    """

    profile: Profile
    phrase: Phrase
    parts: Sequence[ProfileMeasure]
    matches: int | None
    decides: int | None

    @property
    def taken(self) -> int | None:
        """How many of its accounts an earlier profile decides."""
        return None if self.matches is None or self.decides is None else self.matches - self.decides

    @property
    def weights_are_equal(self) -> bool:
        return len({part.weight for part in self.parts}) == 1


@dataclass(frozen=True, slots=True)
class Precedence:
    """The profiles of one score in the order in which they decide, and how many accounts none of them decides."""

    named: NamedScore
    profiles: tuple[DecidingProfile, ...]
    undecided: int


def precedence(version: Version, *, catalogue: Catalogue, now: datetime) -> tuple[list[Precedence], int]:
    """Which profile decides for whom, for every named score, and how many live accounts there are.

    The accounts of all scores are counted in one statement.
    """
    describer = Describer(catalogue)
    profiles = version.profiles.select_related("named", "segment").order_by("segment__priority")
    found = list(profiles.prefetch_related("profile_measures__measure"))
    nodes: dict[int, Node] = {}
    for profile in found:
        try:
            nodes.setdefault(profile.segment_id, check_segment(profile.segment.condition, catalogue=catalogue))
        except ConditionError:
            continue
    by_score = {named: [one for one in found if one.named_id == named.pk] for named in NamedScore.every()}
    decidable = {
        named.pk: [one.segment_id for one in group if one.segment_id in nodes] for named, group in by_score.items()
    }
    counts, accounts = _count(nodes, decidable, catalogue, now)
    shown = [
        Precedence(
            named,
            tuple(
                DecidingProfile(
                    profile,
                    describer.describe(profile.segment.condition),
                    tuple(profile.profile_measures.all()),
                    *counts.get((named.pk, profile.segment_id), (None, None)),
                )
                for profile in group
            ),
            accounts - sum(counts[named.pk, segment][1] for segment in decidable[named.pk]),
        )
        for named, group in by_score.items()
    ]
    return shown, accounts


def _count(
    nodes: Mapping[int, Node], order: Mapping[int, Sequence[int]], catalogue: Catalogue, now: datetime
) -> tuple[dict[tuple[int, int], tuple[int, int]], int]:
    """By score and segment, how many accounts match and how many it decides; and how many accounts there are."""
    context = Context.at(now)
    wanted: list[Attribute] = [
        catalogue["is_live"],
        *(leaf.attribute for node in nodes.values() for leaf in leaves(node)),
    ]
    relation = facts_relation(wanted, scope=Scope.everything(), context=context, with_heard=False)
    matches = [
        SQL(f"{{}} AS s{segment}").format(where(node, relation, context, strict=True))
        for segment, node in nodes.items()
    ]
    held = SQL(f"SELECT {{}} FROM ({{}}) facts WHERE {relation.value(catalogue['is_live'])}").format(
        join(", ", matches or [SQL("TRUE AS every")]), relation.sql
    )
    counted = ["count(*)"]
    places = []
    for named, segments in order.items():
        for place, segment in enumerate(segments):
            earlier = " OR ".join(f"s{one}" for one in segments[:place]) or "FALSE"
            counted += [
                f"count(*) FILTER (WHERE s{segment})",
                f"count(*) FILTER (WHERE s{segment} AND NOT ({earlier}))",
            ]
            places.append((named, segment))
    [(accounts, *each)] = rows(SQL(f"SELECT {', '.join(counted)} FROM ({{}}) held").format(held))
    return {place: (each[2 * n], each[2 * n + 1]) for n, place in enumerate(places)}, accounts
