"""The one SQL statement that computes and keeps one named score of a scope."""

from __future__ import annotations

from accounts.attributes import Context, Scope
from common.sql import SQL, value
from health.queries.definitions import ScoreDefinition
from health.queries.scored import BAND, scored


def keep_health(definition: ScoreDefinition, *, scope: Scope, context: Context) -> SQL:
    """Score every live account in ``scope``, keep what changed, and remember the day.

    A live override stands before what was computed. Accounts that no profile decides lose their score; those of a
    profile that was set aside keep it. Where the score before came from another version, the day remembers by how
    much the formula moved it.
    Answers with one row: how many accounts were scored, and a JSON list of
    ``[account id, band before, band, score, restated]`` for those that had a score before and are in another band
    now, not by an override; ``restated`` when another version put them there.
    """
    named = SQL(str(definition.named.pk))
    frozen = SQL("%s::bigint[]", (list(definition.set_aside),))
    unfrozen = SQL(
        "WHERE NOT EXISTS (SELECT FROM health_healthscore f WHERE f.account_id = s.account_id AND {}"
        " AND f.named_id = {} AND f.profile_id = ANY({}))"
    ).format(scope.on("f.account_id"), named, frozen)
    return SQL("""
        WITH judged AS (
            SELECT s.account_id, s.profile_id, s.computed, s.values, s.points, s.heard, s.stale,
                s.good_from, s.watch_from, o.id AS override_id, coalesce(o.score, s.computed) AS score
            FROM ({scored}) s LEFT JOIN health_override o ON o.account_id = s.account_id AND {over}
                AND o.named_id = {named} AND o.ended_at IS NULL AND o.created_at <= {now} AND o.expires_at > {now}
            {unfrozen}
        ), banded AS (
            SELECT *, CASE WHEN override_id IS NOT NULL THEN computed END AS beneath, {band} AS band FROM judged
        ), compared AS MATERIALIZED (
            SELECT s.*, h.band AS band_before, h.override_id AS override_before,
                h.profile_id <> ALL({profiles}) AS restated,
                CASE WHEN h.profile_id <> ALL({profiles})
                    THEN s.computed - CASE WHEN h.override_id IS NULL THEN h.score ELSE h.computed_score END
                END AS formula_shift,
                CASE WHEN h.band = s.band THEN h.since ELSE {now} END AS since,
                h.account_id IS NULL OR h.profile_id <> s.profile_id OR h.score IS DISTINCT FROM s.score
                    OR h.computed_score IS DISTINCT FROM s.beneath OR h.override_id IS DISTINCT FROM s.override_id
                    OR h.band <> s.band OR h.values <> s.values OR h.points <> s.points OR h.heard <> s.heard
                    OR h.stale <> s.stale AS changed
            FROM banded s LEFT JOIN health_healthscore h ON h.account_id = s.account_id AND {before}
                AND h.named_id = {named}
        ), kept AS (
            INSERT INTO health_healthscore (account_id, named_id, profile_id, override_id, score, computed_score, band,
                since, values, points, heard, stale, computed_at)
            SELECT account_id, {named}, profile_id, override_id, score, beneath, band, since, values, points, heard,
                stale, {now} FROM compared WHERE changed
            ON CONFLICT (account_id, named_id) DO UPDATE SET profile_id = excluded.profile_id,
                override_id = excluded.override_id, score = excluded.score, computed_score = excluded.computed_score,
                band = excluded.band, since = excluded.since, values = excluded.values, points = excluded.points,
                heard = excluded.heard, stale = excluded.stale, computed_at = excluded.computed_at
        ), remembered AS (
            INSERT INTO health_healthday AS d (account_id, named_id, day, profile_id, override_id, score,
                computed_score, band, values, points, heard, formula_shift)
            SELECT account_id, {named}, {today}, profile_id, override_id, score, beneath, band, values, points, heard,
                formula_shift FROM compared
            ON CONFLICT (account_id, named_id, day) DO UPDATE SET profile_id = excluded.profile_id,
                override_id = excluded.override_id, score = excluded.score, computed_score = excluded.computed_score,
                band = excluded.band, values = excluded.values, points = excluded.points, heard = excluded.heard,
                formula_shift = CASE WHEN excluded.formula_shift IS NULL THEN d.formula_shift
                    ELSE coalesce(d.formula_shift, 0) + excluded.formula_shift END
            WHERE d.profile_id <> excluded.profile_id OR d.override_id IS DISTINCT FROM excluded.override_id
                OR d.score IS DISTINCT FROM excluded.score
                OR d.computed_score IS DISTINCT FROM excluded.computed_score OR d.band <> excluded.band
                OR d.values <> excluded.values OR d.points <> excluded.points OR d.heard <> excluded.heard
        ), gone AS (
            DELETE FROM health_healthscore h WHERE h.named_id = {named} AND {before} AND h.profile_id <> ALL({frozen})
                AND NOT EXISTS (SELECT FROM compared c WHERE c.account_id = h.account_id)
        )
        SELECT count(*), coalesce(
            jsonb_agg(jsonb_build_array(account_id, band_before, band, score, restated))
                FILTER (WHERE band_before <> band AND override_before IS NOT DISTINCT FROM override_id),
            '[]'::jsonb
        ) FROM compared
    """).format(
        now=value(context.now),
        today=SQL("%s::date", (context.today,)),
        named=named,
        scored=scored(definition, scope=scope, context=context),
        band=SQL(BAND.format(score="score", good="good_from", watch="watch_from")),
        # A join by the id does not tell the planner that it is about these accounts alone.
        over=scope.on("o.account_id"),
        before=scope.on("h.account_id"),
        profiles=SQL("%s::bigint[]", (definition.profile_ids,)),
        frozen=frozen,
        unfrozen=unfrozen if definition.set_aside else SQL(""),
    )
