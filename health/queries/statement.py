"""The one SQL statement that computes and keeps the health of a scope, made from the definitions in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.attributes import Attribute, Catalogue, Column, Context, Scope, facts_relation
from accounts.attributes.relation import Relation
from accounts.conditions.compile import where
from accounts.conditions.parse import leaves
from common.sql import SQL, join, value
from health.curves import Line, number
from health.models import Measure
from health.queries.definitions import Definitions, ReadyProfile, WeightedMeasure

MISSING = {
    Measure.Missing.LEAVE_OUT: "NULL::float8",
    Measure.Missing.NEUTRAL: number(50),
    Measure.Missing.WORST: number(0),
}


@dataclass
class _Columns:
    """The names under which what the score is made of goes from one level of the query to the next."""

    relation: Relation
    values: dict[Attribute, str]
    heard: dict[Column, str]
    applies: dict[str, str]
    points: dict[int, str]


def keep_health(definitions: Definitions, *, scope: Scope, context: Context) -> SQL:
    """Score every live account in ``scope``, keep what changed, and remember the day.

    Each account is scored by the first profile whose segment contains it:
    ``score = sum(weight * points) / sum(weight)`` over its measures with data that apply to the account.
    Accounts that no profile decides lose their score; those of a profile that was set aside keep it.
    Answers with one row: how many accounts were scored, and a JSON list of
    ``[account id, band before, band, score]`` for those that had a score before and are in another band now.
    """
    scored = _scored(definitions, scope, context)
    frozen = value(definitions.set_aside)
    return SQL("""
        WITH compared AS MATERIALIZED (
            SELECT s.account_id, s.profile_id, s.score, s.band, s.components,
                h.band AS band_before,
                CASE WHEN h.band = s.band THEN h.since ELSE {now} END AS since,
                h.account_id IS NULL OR h.profile_id <> s.profile_id OR h.score IS DISTINCT FROM s.score
                    OR h.band <> s.band OR h.components <> s.components AS changed
            FROM ({scored}) s LEFT JOIN health_healthscore h ON h.account_id = s.account_id
        ), kept AS (
            INSERT INTO health_healthscore (account_id, profile_id, score, band, since, components, computed_at)
            SELECT account_id, profile_id, score, band, since, components, {now} FROM compared WHERE changed
            ON CONFLICT (account_id) DO UPDATE SET profile_id = excluded.profile_id, score = excluded.score,
                band = excluded.band, since = excluded.since, components = excluded.components,
                computed_at = excluded.computed_at
        ), remembered AS (
            INSERT INTO health_healthday AS d (account_id, day, profile_id, score, band, components)
            SELECT account_id, {today}, profile_id, score, band, components FROM compared
            ON CONFLICT (account_id, day) DO UPDATE SET profile_id = excluded.profile_id, score = excluded.score,
                band = excluded.band, components = excluded.components
            WHERE d.profile_id <> excluded.profile_id OR d.score IS DISTINCT FROM excluded.score
                OR d.band <> excluded.band OR d.components <> excluded.components
        ), gone AS (
            DELETE FROM health_healthscore WHERE account_id IN (
                SELECT account_id FROM health_healthscore WHERE {within} AND profile_id <> ALL({frozen})
                EXCEPT SELECT account_id FROM compared
            )
        )
        SELECT count(*), coalesce(
            jsonb_agg(jsonb_build_array(account_id, band_before, band, score)) FILTER (WHERE band_before <> band),
            '[]'::jsonb
        ) FROM compared
    """).format(
        now=value(context.now),
        today=SQL("%s::date", (context.today,)),
        scored=scored,
        within=scope.on("account_id"),
        frozen=SQL("{}::bigint[]").format(frozen),
    )


def _scored(definitions: Definitions, scope: Scope, context: Context) -> SQL:
    """The query of account, profile, score, band and components, in four levels.

    ``OFFSET 0`` keeps PostgreSQL from merging the levels, which would compute each expression at every use.
    """
    profiles = definitions.profiles
    if not profiles:
        return SQL(
            "SELECT NULL::bigint AS account_id, NULL::bigint AS profile_id, NULL::float8 AS score,"
            " '' AS band, '[]'::jsonb AS components WHERE FALSE"
        )
    used = {measure.measure.pk: measure for ready in profiles for measure in ready.measures}
    live = Catalogue()["is_live"]
    relation = facts_relation(
        [
            live,
            *(leaf.attribute for ready in profiles for leaf in leaves(ready.segment)),
            *(measure.attribute for measure in used.values()),
        ],
        scope=scope,
        context=context,
    )
    columns = _Columns(relation, {}, {}, {}, {})
    decided = _decided(profiles, used, columns, live, context)
    if definitions.set_aside:
        decided = SQL(
            "{} AND NOT EXISTS (SELECT FROM health_healthscore h"
            " WHERE h.account_id = facts.account_id AND h.profile_id = ANY({}))"
        ).format(decided, value(definitions.set_aside))
    pointed = _pointed(decided, profiles, used, columns)
    score = _by_profile(profiles, lambda ready: SQL(_score(ready, columns)))
    components = _by_profile(profiles, lambda ready: SQL(_components(ready, columns)))
    good = _by_profile(profiles, lambda ready: SQL(number(ready.profile.good_from)))
    watch = _by_profile(profiles, lambda ready: SQL(number(ready.profile.watch_from)))
    return SQL(
        "SELECT account_id, profile_id, score,"
        " CASE WHEN score >= {} THEN 'good' WHEN score >= {} THEN 'watch' WHEN score IS NULL THEN '' ELSE 'poor' END"
        " AS band, components FROM ("
        "SELECT account_id, profile_id, {} AS score, {} AS components FROM ({} OFFSET 0) pointed OFFSET 0) totalled"
    ).format(good, watch, score, components, pointed)


def _decided(
    profiles: tuple[ReadyProfile, ...],
    used: dict[int, WeightedMeasure],
    columns: _Columns,
    live: Attribute,
    context: Context,
) -> SQL:
    """The profile of each live account, and the values that its measures need."""
    relation = columns.relation
    selected = [
        SQL("account_id"),
        SQL("CASE {} END AS profile_id").format(
            join(
                " ",
                [
                    SQL(f"WHEN {{}} THEN {ready.profile.pk}").format(where(ready.segment, relation, context))
                    for ready in profiles
                ],
            )
        ),
    ]
    for weighted in used.values():
        attribute = weighted.attribute
        if attribute not in columns.values:
            columns.values[attribute] = name = f"x{len(columns.values)}"
            as_type = "float8" if isinstance(weighted.curve, Line) else "text"
            selected.append(SQL(f"{relation.value(attribute)}::{as_type} AS {name}"))
        if attribute.freshness and attribute.freshness not in columns.heard:
            columns.heard[attribute.freshness] = name = f"h{len(columns.heard)}"
            selected.append(SQL(f"floor(date_part('epoch', {relation.heard(attribute)})) AS {name}"))
        if attribute.applies and attribute.applies not in columns.applies:
            columns.applies[attribute.applies] = name = f"p{len(columns.applies)}"
            selected.append(SQL(f"{relation.applies(attribute)} AS {name}"))
    return SQL("SELECT {} FROM ({}) facts WHERE {}").format(
        join(", ", selected), relation.sql, SQL(relation.value(live))
    )


def _pointed(
    decided: SQL, profiles: tuple[ReadyProfile, ...], used: dict[int, WeightedMeasure], columns: _Columns
) -> SQL:
    """The points of every measure, null where it is left out."""
    selected = [SQL("decided.*")]
    for pk, weighted in used.items():
        columns.points[pk] = name = f"s{len(columns.points)}"
        found = columns.values[weighted.attribute]
        guard = _guard(pk, weighted, profiles, columns)
        points = weighted.curve.sql(found)
        missing = MISSING[Measure.Missing(weighted.measure.missing)]
        if not isinstance(weighted.curve, Line):
            points = SQL(f"coalesce({{}}, {missing})").format(points)
        selected.append(SQL(f"CASE {guard} WHEN {found} IS NULL THEN {missing} ELSE {{}} END AS {name}").format(points))
    return SQL("SELECT {} FROM ({} OFFSET 0) decided WHERE profile_id IS NOT NULL").format(
        join(", ", selected), decided
    )


def _guard(pk: int, weighted: WeightedMeasure, profiles: tuple[ReadyProfile, ...], columns: _Columns) -> str:
    """The first branch of a measure's CASE: where its profile does not use it, or it makes no sense."""
    off = []
    having = [ready.profile.pk for ready in profiles if any(each.measure.pk == pk for each in ready.measures)]
    if len(having) < len(profiles):
        off.append(f"profile_id NOT IN ({', '.join(map(str, having))})")
    if weighted.attribute.applies:
        off.append(f"NOT {columns.applies[weighted.attribute.applies]}")
    return f"WHEN {' OR '.join(off)} THEN NULL" if off else ""


def _score(ready: ReadyProfile, columns: _Columns) -> str:
    """``sum(weight * points) / sum(weight)`` over the measures that have points; null when none has."""
    if not ready.measures:
        return "NULL::float8"
    terms, weights = [], []
    for weighted in ready.measures:
        points, weight = columns.points[weighted.measure.pk], number(weighted.weight)
        terms.append(f"coalesce({points} * {weight}, 0)")
        weights.append(f"CASE WHEN {points} IS NULL THEN 0 ELSE {weight} END")
    return f"({' + '.join(terms)}) / nullif({' + '.join(weights)}, 0)"


def _components(ready: ReadyProfile, columns: _Columns) -> str:
    """The JSON that the score is kept with; see ``HealthScore``."""
    parts = []
    for weighted in ready.measures:
        attribute = weighted.attribute
        key = f"'{weighted.measure.key}'"
        heard = columns.heard[attribute.freshness] if attribute.freshness else "NULL::float8"
        component = (
            f"jsonb_build_array({key}, {columns.values[attribute]}, {columns.points[weighted.measure.pk]},"
            f" {number(weighted.weight)}, {heard})"
        )
        if attribute.applies:
            applies = columns.applies[attribute.applies]
            component = f"CASE WHEN {applies} THEN {component} ELSE jsonb_build_array({key}) END"
        parts.append(component)
    return f"jsonb_build_array({', '.join(parts)})" if parts else "'[]'::jsonb"


def _by_profile(profiles: tuple[ReadyProfile, ...], build: Callable[[ReadyProfile], SQL]) -> SQL:
    if len(profiles) == 1:
        return build(profiles[0])
    branches = [SQL(f"WHEN {ready.profile.pk} THEN {{}}").format(build(ready)) for ready in profiles]
    return SQL("CASE profile_id {} END").format(join(" ", branches))
