"""Attributes as a simulation found them: conditions that look at health, asked as if the draft were in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from accounts.attributes import Attribute, Catalogue, Column, Source
from health.attributes import group_of
from health.models import NamedScore, Simulation
from health.queries.definitions import depends_on_health

BY_HAND = "h.override_id IS NOT NULL"


@dataclass
class SimulatedCatalogue(Catalogue):
    """Every attribute, those of health read from a simulation: by the draft, or by the version it was compared with.

    An account whose score was set by hand keeps that score. How a score moved over days (``change_30d``, ``velocity``)
    is what it is: a new formula is taken out of it when it takes effect.
    """

    simulation: Simulation = field(kw_only=True)
    is_after: bool = field(kw_only=True)
    _columns: dict[str, Column] | None = field(default=None, init=False)

    def __getitem__(self, key: str) -> Attribute:
        attribute = super().__getitem__(key)
        if not depends_on_health(key):
            return attribute
        if self._columns is None:
            self._columns = dict(self._simulated())
        column = self._columns.get(key)
        return replace(attribute, column=column, freshness=None) if column else attribute

    @property
    def _side(self) -> str:
        return "after" if self.is_after else "before"

    def _simulated(self) -> Iterable[tuple[str, Column]]:
        """The column of each attribute that another formula gives another value."""
        scores = sorted(NamedScore.every(), key=lambda named: not named.is_overall)
        sources = {named.key: self._source(named) for named in scores}
        undecided = f"(s.profile_{self._side} IS NULL)"
        for named in scores:
            source, prefix = sources[named.key], "health" if named.is_overall else f"health.score.{named.key}"
            band = f"CASE WHEN {BY_HAND} THEN h.band ELSE s.band_{self._side} END"
            yield prefix, Column(source, f"CASE WHEN {BY_HAND} THEN h.score ELSE s.score_{self._side} END")
            yield f"{prefix}.band", Column(source, f"nullif({band}, '')")
            yield (
                f"{prefix}.band_days",
                Column(
                    source,
                    f"CASE WHEN {undecided} THEN NULL"
                    f" WHEN h.band = {band} THEN floor(extract(epoch FROM {{now}} - h.since) / 86400)::int ELSE 0 END",
                ),
            )
            yield f"{prefix}.stale", Column(source, f"CASE WHEN NOT {undecided} THEN s.stale_{self._side} END")
            yield f"{prefix}.is_overridden", Column(source, f"CASE WHEN NOT {undecided} THEN {BY_HAND} END")
            counted = f"cardinality(array_remove(s.points_{self._side}, NULL))"
            yield f"{prefix}.inputs", Column(source, f"CASE WHEN NOT {undecided} THEN {counted} END")
            group = self._group(source)
            yield f"{prefix}.rollup", Column(group, "g.mean")
            yield f"{prefix}.rollup_worst", Column(group, "g.worst")
        for key, by_score in self._places().items():
            first = min(by_score, key=list(sources).index)
            yield (
                f"health.{key}",
                Column(sources[first], f"CASE s.profile_{self._side} {' '.join(by_score[first])} END"),
            )

    def _places(self) -> dict[str, dict[str, list[str]]]:
        """Where the points of each measure stand, by measure and score: a branch for each profile."""
        places: dict[str, dict[str, list[str]]] = {}
        for pk, profile in self.simulation.profiles.items():
            if profile["is_draft"] != self.is_after:
                continue
            for place, (key, _label, _weight) in enumerate(profile["parts"], start=1):
                branch = f"WHEN {int(pk)} THEN s.points_{self._side}[{place}]"
                places.setdefault(key, {}).setdefault(profile["named"], []).append(branch)
        return places

    def _group(self, source: Source) -> Source:
        """The scores of an account and of all below it, as the simulation has them."""
        score = f"CASE WHEN {BY_HAND} THEN h.score ELSE s.score_{self._side} END AS score"
        scores = f"(SELECT s.account_id, {score} FROM {source.relation} WHERE {source.where}) h"
        return group_of(f"{source.name}_group", scores, "TRUE")

    def _source(self, named: NamedScore) -> Source:
        return Source(
            name=f"simulated_{named.pk}",
            relation=(
                "health_simulatedscore s LEFT JOIN health_healthscore h"
                " ON h.account_id = s.account_id AND h.named_id = s.named_id"
            ),
            account="s.account_id",
            where=f"s.simulation_id = {self.simulation.pk} AND s.named_id = {named.pk}",
        )
