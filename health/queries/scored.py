"""The query that scores a scope by one named score's profiles. It writes nothing, so a draft can be tried with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.attributes import Attribute, Catalogue, Column, Context, Scope, facts_relation
from accounts.attributes.relation import Relation
from accounts.conditions.compile import where
from accounts.conditions.parse import leaves
from common.sql import SQL, join
from health.curves import Table, number
from health.models import Measure
from health.queries.definitions import Part, ReadyMeasure, ReadyProfile, ScoreDefinition

MISSING = {
    Measure.Missing.LEAVE_OUT: "NULL::float8",
    Measure.Missing.NEUTRAL: number(50),
    Measure.Missing.WORST: number(0),
}

NOTHING = SQL(
    "SELECT NULL::bigint AS account_id, NULL::bigint AS profile_id, NULL::float8 AS computed, NULL::float8[] AS values,"
    " NULL::float8[] AS points, NULL::int[] AS heard, 0 AS stale, 0 AS good_from, 0 AS watch_from WHERE FALSE"
)

BAND = (
    "CASE WHEN {score} >= {good} THEN 'good' WHEN {score} >= {watch} THEN 'watch'"
    " WHEN {score} IS NULL THEN '' ELSE 'poor' END"
)
"""The band of a score, as an expression; format it with the names of its columns."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The column names of one measure on its way through the query: value, points, last heard, and where it applies."""

    value: str
    points: str
    heard: str
    applies: str


def scored(definition: ScoreDefinition, *, scope: Scope, context: Context) -> SQL:
    """The query of one row for each live account in ``scope`` that a profile decides.

    Columns: account_id, profile_id, computed (the score, null when no measure had data), values, points and heard
    (see ``ScoredParts``), stale (how many parts in force are older than they should be), good_from, watch_from.
    Each account is scored by the first profile whose segment contains it:
    ``computed = sum(weight * points) / sum(weight)`` over its measures that apply and have points.

    ``OFFSET 0`` keeps PostgreSQL from merging the levels, which would compute each expression at every use.
    """
    if not definition.profiles:
        return NOTHING
    builder = _Builder(definition, scope, context)
    by_profile = builder.by_profile
    return SQL(
        "SELECT account_id, profile_id, {computed} AS computed, {values} AS values, {points} AS points,"
        " {heard} AS heard, {stale} AS stale, {good} AS good_from, {watch} AS watch_from"
        " FROM ({pointed} OFFSET 0) pointed"
    ).format(
        computed=by_profile(builder.score),
        values=by_profile(builder.values),
        points=by_profile(builder.points),
        heard=by_profile(builder.heard),
        stale=by_profile(builder.stale),
        good=by_profile(lambda ready: str(ready.profile.good_from)),
        watch=by_profile(lambda ready: str(ready.profile.watch_from)),
        pointed=builder.pointed(),
    )


class _Builder:
    def __init__(self, definition: ScoreDefinition, scope: Scope, context: Context) -> None:
        self.profiles = definition.profiles
        self.measures = definition.measures
        self.context = context
        self.live = Catalogue()["is_live"]
        self.relation: Relation = facts_relation(
            [
                self.live,
                *(leaf.attribute for ready in self.profiles for leaf in leaves(ready.segment)),
                *(measure.attribute for measure in self.measures.values()),
                *(
                    leaf.attribute
                    for measure in self.measures.values()
                    if measure.applies_when
                    for leaf in leaves(measure.applies_when)
                ),
            ],
            scope=scope,
            context=context,
        )
        self.minute = int(context.now.timestamp() // 60)
        self.names: dict[int, _Names] = {}
        self.selected = self._name_columns()

    def by_profile(self, build: Callable[[ReadyProfile], str]) -> SQL:
        """What ``build`` makes of the account's profile."""
        if len(self.profiles) == 1:
            return SQL(build(self.profiles[0]))
        branches = [f"WHEN {ready.profile.pk} THEN {build(ready)}" for ready in self.profiles]
        return SQL(f"CASE profile_id {' '.join(branches)} END")

    def pointed(self) -> SQL:
        """Each decided account with the value, age and points of every measure."""
        decided = self._decided()
        selected = [SQL("decided.*"), *(self._points(measure) for measure in self.measures.values())]
        return SQL("SELECT {} FROM ({} OFFSET 0) decided WHERE profile_id IS NOT NULL").format(
            join(", ", selected), decided
        )

    def _decided(self) -> SQL:
        """The profile of each live account, and the values that its measures need."""
        branches = [
            SQL(f"WHEN {{}} THEN {ready.profile.pk}").format(where(ready.segment, self.relation, self.context))
            for ready in self.profiles
        ]
        return SQL("SELECT account_id, CASE {} END::bigint AS profile_id{} FROM ({}) facts WHERE {}").format(
            join(" ", branches),
            join("", [SQL(", {}").format(column) for column in self.selected]),
            self.relation.sql,
            SQL(self.relation.value(self.live)),
        )

    def _name_columns(self) -> list[SQL]:
        """Name the columns of every measure; returns those to select, what several measures share just once."""
        relation = self.relation
        selected = []
        values: dict[tuple[Attribute, Table | None], str] = {}
        heard: dict[Column, str] = {}
        for pk, measure in self.measures.items():
            attribute = measure.attribute
            table = measure.curve if isinstance(measure.curve, Table) else None
            if (attribute, table) not in values:
                values[attribute, table] = name = f"x{len(values)}"
                found = relation.value(attribute)
                taken = table.place(f"{found}::text") if table else SQL(f"nullif({found}::float8, 'NaN')")
                selected.append(SQL(f"{{}} AS {name}").format(taken))
            if attribute.freshness and attribute.freshness not in heard:
                heard[attribute.freshness] = name = f"h{len(heard)}"
                selected.append(SQL(f"floor(date_part('epoch', {relation.heard(attribute)}) / 60)::int AS {name}"))
            applies = self._applies(measure)
            if applies:
                selected.append(SQL(f"{{}} AS a{pk}").format(applies))
            self.names[pk] = _Names(
                value=values[attribute, table],
                points=f"s{pk}",
                heard=heard[attribute.freshness] if attribute.freshness else "NULL::int",
                applies=f"a{pk}" if applies else "",
            )
        return selected

    def _applies(self, measure: ReadyMeasure) -> SQL:
        """Whether the measure makes sense for the account; empty when it always does."""
        pieces = []
        if measure.attribute.applies:
            pieces.append(SQL(self.relation.applies(measure.attribute)))
        if measure.applies_when:
            pieces.append(where(measure.applies_when, self.relation, self.context, strict=True))
        return join(" AND ", pieces)

    def _points(self, measure: ReadyMeasure) -> SQL:
        """The points of one measure, null where it is left out."""
        pk = measure.measure.pk
        names = self.names[pk]
        missing = MISSING[Measure.Missing(measure.measure.missing)]
        points = measure.curve.sql(names.value)
        if isinstance(measure.curve, Table):
            points = SQL(f"coalesce({{}}, {missing})").format(points)
        return SQL(
            f"CASE {self._guard(pk)} WHEN {names.value} IS NULL THEN {missing} ELSE {{}} END AS {names.points}"
        ).format(points)

    def _guard(self, pk: int) -> str:
        """The first branch of a measure's CASE: where its profile does not use it, or it makes no sense."""
        off = []
        using = [r.profile.pk for r in self.profiles if any(part.measure.pk == pk for part in r.parts)]
        if len(using) < len(self.profiles):
            off.append(f"profile_id NOT IN ({', '.join(map(str, using))})")
        if self.names[pk].applies:
            off.append(f"NOT {self.names[pk].applies}")
        return f"WHEN {' OR '.join(off)} THEN NULL" if off else ""

    def _in_force(self, ready: ReadyProfile) -> list[tuple[Part, _Names]]:
        return [(part, self.names[part.measure.pk]) for part in ready.parts if part.ready]

    def score(self, ready: ReadyProfile) -> str:
        parts = self._in_force(ready)
        if not parts:
            return "NULL::float8"
        terms = [f"coalesce({names.points} * {number(part.weight)}, 0)" for part, names in parts]
        weights = [f"CASE WHEN {names.points} IS NULL THEN 0 ELSE {number(part.weight)} END" for part, names in parts]
        return f"({' + '.join(terms)}) / nullif({' + '.join(weights)}, 0)"

    def values(self, ready: ReadyProfile) -> str:
        return self._array(ready, "float8", self._value)

    def points(self, ready: ReadyProfile) -> str:
        return self._array(ready, "float8", lambda names: names.points)

    def heard(self, ready: ReadyProfile) -> str:
        return self._array(ready, "int", lambda names: names.heard)

    def stale(self, ready: ReadyProfile) -> str:
        counted = [
            f"({names.points} IS NOT NULL AND {names.heard} IS NOT NULL"
            f" AND {names.heard} < {self.minute - part.measure.stale_after_days * 1440})::int"
            for part, names in self._in_force(ready)
            if part.measure.stale_after_days
        ]
        return " + ".join(counted) or "0"

    @staticmethod
    def _value(names: _Names) -> str:
        return f"CASE WHEN {names.applies} THEN {names.value} ELSE 'NaN' END" if names.applies else names.value

    def _array(self, ready: ReadyProfile, kind: str, element: Callable[[_Names], str]) -> str:
        """One element a part of the profile, null for those that cannot be scored."""
        elements = [element(self.names[part.measure.pk]) if part.ready else "NULL" for part in ready.parts]
        return f"ARRAY[{', '.join(elements)}]::{kind}[]"
