"""The scores as somebody who knows this one company would write them: nothing in it comes from the definitions.

The query that scores is the same text for PostgreSQL and DuckDB, save what a dialect must say differently.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from string import Template

from accounts.models import Plan
from bench.health.company import FEATURES, MEASURES, SEGMENTS
from health.models import NamedScore, Profile
from usage.models import Feature

ZONE = "'Europe/Sofia'"
_WORST = {"worst": "0::float8", "neutral": "50::float8", "leave_out": "NULL::float8"}
_HEARD = dict.fromkeys(MEASURES, "used_at") | {
    "tickets": "ticket_at",
    "opened": "ticket_at",
    "touch": "touch_at",
    "renewal": "contract_at",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What PostgreSQL and DuckDB say differently.

    ``within`` narrows a source to the accounts of one worker; ``fence`` ends a level whose columns are computed once;
    ``rolling`` is where the windows are read from.
    """

    now: str
    today: str
    minute: str
    within: str
    fence: str
    rolling: str


POSTGRES = Dialect(
    now="%(now)s::timestamptz",
    today="%(today)s::date",
    minute="%(minute)s",
    within="account_id BETWEEN %(first)s AND %(last)s",
    fence="OFFSET 0",
    rolling="usage_rollingusage",
)


@dataclass(frozen=True, slots=True)
class _Known:
    """The ids that the statement names: profiles in the order they decide, plans, features, and who lacks which."""

    profiles: dict[str, int]
    upper: str
    features: dict[str, int]
    outside: dict[str, str]


def _known() -> _Known:
    profiles = dict(Profile.objects.order_by("segment__priority").values_list("segment__key", "pk"))
    ids = dict(Feature.objects.values_list("key", "pk"))
    first, second, third = Plan.objects.order_by("key").values_list("pk", flat=True)
    return _Known(
        profiles=profiles,
        upper=f"{second}, {third}",
        features={f"use-{n}": ids[f"feature-{n}"] for n in FEATURES},
        outside={"use-16": f"{first}", "use-20": f"{first}", "use-30": f"{first}, {second}"},
    )


def _name(key: str) -> str:
    return key.replace("-", "_")


def scored(dialect: Dialect) -> str:
    """The query of one row an account: its profile, score, values, points, when heard, and how many are old."""
    known = _known()

    def by_profile(build: Callable[[dict[str, int]], str]) -> str:
        return " ".join(f"WHEN {pk} THEN {build(SEGMENTS[key].weights)}" for key, pk in known.profiles.items())

    def score(weights: dict[str, int]) -> str:
        above = " + ".join(f"coalesce(p_{_name(key)} * {weight}, 0)" for key, weight in weights.items())
        below = " + ".join(f"CASE WHEN p_{_name(k)} IS NULL THEN 0 ELSE {w} END" for k, w in weights.items())
        return f"({above}) / nullif({below}, 0)"

    def stale(weights: dict[str, int]) -> str:
        return " + ".join(
            f"(p_{_name(key)} IS NOT NULL AND {_HEARD[key]} < {dialect.minute} - {MEASURES[key].stale_after_days}"
            f" * 1440 AND {_HEARD[key]} IS NOT NULL)::int"
            for key in weights
            if MEASURES[key].stale_after_days
        )

    def array(kind: str, column: Callable[[str], str]) -> str:
        return by_profile(lambda weights: f"ARRAY[{', '.join(column(key) for key in weights)}]::{kind}[]")

    return f"""
        SELECT account_id, profile_id, CASE profile_id {by_profile(score)} END AS computed,
            CASE profile_id {array("float8", lambda key: f"v_{_name(key)}")} END AS "values",
            CASE profile_id {array("float8", lambda key: f"p_{_name(key)}")} END AS points,
            CASE profile_id {array("int", lambda key: _HEARD[key])} END AS heard,
            CASE profile_id {by_profile(stale)} END AS stale
        FROM (
            SELECT f.*, {", ".join(_points(key, known) for key in MEASURES)} FROM ({_facts(dialect, known)}) f
            {dialect.fence}
        ) pointed
    """


def _points(key: str, known: _Known) -> str:
    curve, found = MEASURES[key].curve, f"v_{_name(key)}"
    sql = f"WHEN {found} IS NULL THEN {_WORST[MEASURES[key].missing]} WHEN {found} <= {curve[0][0]} THEN {curve[0][1]}"
    for (low, start), (high, end) in itertools.pairwise(curve):
        slope = (end - start) / (high - low)
        sql += f" WHEN {found} < {high} THEN {start} + ({found} - ({low})) * '{slope!r}'::float8"
    if key in known.outside:
        sql = f"WHEN plan_id IN ({known.outside[key]}) THEN NULL {sql}"
    return f"CASE {sql} ELSE {curve[-1][1]} END AS p_{_name(key)}"


def _facts(dialect: Dialect, known: _Known) -> str:
    decide = " ".join(
        f"WHEN {SEGMENTS[key].by_hand.replace('{upper}', known.upper)} THEN {pk}" for key, pk in known.profiles.items()
    )
    wide = ", ".join(
        f"sum(last_28) FILTER (WHERE feature_id = {pk}) AS {_name(key)}" for key, pk in known.features.items()
    )
    value = {
        key: f"CASE WHEN ac.last_event_at IS NOT NULL THEN coalesce(r.{_name(key)}, 0) END" for key in known.features
    }
    for key, plans in known.outside.items():
        value[key] = f"CASE WHEN a.plan_id IN ({plans}) THEN 'NaN' ELSE ({value[key]})::float8 END"
    value |= {
        "trend": "round(100.0 * r.whole / nullif(r.whole_prior, 0) - 100, 1)",
        "recency": f"($today - (ac.last_event_at AT TIME ZONE {ZONE})::date)",
        "seats": "round(100.0 * coalesce(ua.active, 0) / a.seats, 1)",
        "tickets": "coalesce(ti.open, 0)",
        "opened": "coalesce(ti.opened, 0)",
        "touch": f"($today - (tp.last_at AT TIME ZONE {ZONE})::date)",
        "renewal": "(su.renews_on - $today)",
    }
    values = ", ".join(f"({found})::float8 AS v_{_name(key)}" for key, found in value.items())
    return Template(f"""
        SELECT a.id AS account_id, a.plan_id, CASE {decide} END AS profile_id,
            floor(date_part('epoch', ac.last_event_at) / 60)::int AS used_at,
            floor(date_part('epoch', ti.heard_at) / 60)::int AS ticket_at,
            floor(date_part('epoch', tp.last_at) / 60)::int AS touch_at,
            floor(date_part('epoch', su.heard_at) / 60)::int AS contract_at, {values}
        FROM (SELECT *, id AS account_id FROM accounts_account) a
        LEFT JOIN usage_accountactivity ac ON ac.account_id = a.id
        LEFT JOIN (SELECT account_id, sum(whole_28) AS whole, sum(whole_prior_28) AS whole_prior, {wide}
            FROM {dialect.rolling} WHERE $within GROUP BY account_id) r ON r.account_id = a.id
        LEFT JOIN (SELECT account_id, count(*) AS active FROM usage_useractivity
            WHERE $within AND last_day > $today - 28 GROUP BY account_id) ua ON ua.account_id = a.id
        LEFT JOIN (SELECT account_id, max(heard_at) AS heard_at, count(*) FILTER (WHERE solved_at IS NULL) AS open,
                count(*) FILTER (WHERE opened_at > $now - interval '28 days' AND opened_at <= $now) AS opened
            FROM accounts_ticket WHERE $within GROUP BY account_id) ti ON ti.account_id = a.id
        LEFT JOIN (SELECT account_id, max(happened_at) AS last_at FROM accounts_touchpoint
            WHERE $within GROUP BY account_id) tp ON tp.account_id = a.id
        LEFT JOIN (SELECT account_id, max(updated_at) AS heard_at, sum(mrr) FILTER (WHERE live) AS mrr,
                min(renews_on) FILTER (WHERE live AND renews_on >= $today) AS renews_on
            FROM (SELECT *, NOT is_trial AND started_on <= $today AND (ended_on IS NULL OR ended_on > $today) AS live
                FROM revenue_subscription WHERE $within) s GROUP BY account_id) su ON su.account_id = a.id
        WHERE $within_a AND (a.ended_at IS NULL OR a.ended_at > $now)
        {dialect.fence}
    """).substitute(
        now=dialect.now,
        today=dialect.today,
        within=dialect.within,
        within_a=dialect.within.replace("account_id", "a.id"),
    )


def statement() -> str:
    """The statement for PostgreSQL: it scores, keeps what changed and the day, and tells who changed bands.

    It takes ``now``, ``today``, ``minute`` (those since 1970), ``first`` and ``last``, the accounts of one worker.
    """
    named = NamedScore.overall().pk
    profiles = ", ".join(map(str, Profile.objects.values_list("pk", flat=True)))
    return f"""
        WITH judged AS (
            SELECT s.*, o.id AS override_id, coalesce(o.score, s.computed) AS score,
                CASE WHEN o.id IS NOT NULL THEN s.computed END AS beneath
            FROM ({scored(POSTGRES)}) s LEFT JOIN health_override o ON o.account_id = s.account_id
                AND o.named_id = {named} AND o.ended_at IS NULL AND o.created_at <= %(now)s AND o.expires_at > %(now)s
        ), banded AS (
            SELECT *, CASE WHEN score >= 70 THEN 'good' WHEN score >= 40 THEN 'watch' WHEN score IS NULL THEN ''
                ELSE 'poor' END AS band FROM judged
        ), compared AS MATERIALIZED (
            SELECT s.*, h.band AS band_before, h.override_id AS override_before,
                h.profile_id NOT IN ({profiles}) AS restated,
                CASE WHEN h.profile_id NOT IN ({profiles}) THEN s.computed - coalesce(h.computed_score, h.score) END
                    AS formula_shift,
                CASE WHEN h.band = s.band THEN h.since ELSE %(now)s END AS since,
                h.account_id IS NULL OR h.profile_id <> s.profile_id OR h.score IS DISTINCT FROM s.score
                    OR h.computed_score IS DISTINCT FROM s.beneath OR h.override_id IS DISTINCT FROM s.override_id
                    OR h.band <> s.band OR h.values <> s.values OR h.points <> s.points OR h.heard <> s.heard
                    OR h.stale <> s.stale AS changed
            FROM banded s LEFT JOIN health_healthscore h ON h.account_id = s.account_id AND h.named_id = {named}
                AND h.account_id BETWEEN %(first)s AND %(last)s
        ), kept AS (
            INSERT INTO health_healthscore (account_id, named_id, profile_id, override_id, score, computed_score, band,
                since, values, points, heard, stale, computed_at)
            SELECT account_id, {named}, profile_id, override_id, score, beneath, band, since, values, points, heard,
                stale, %(now)s FROM compared WHERE changed
            ON CONFLICT (account_id, named_id) DO UPDATE SET profile_id = excluded.profile_id,
                override_id = excluded.override_id, score = excluded.score, computed_score = excluded.computed_score,
                band = excluded.band, since = excluded.since, values = excluded.values, points = excluded.points,
                heard = excluded.heard, stale = excluded.stale, computed_at = excluded.computed_at
        ), remembered AS (
            INSERT INTO health_healthday AS d (account_id, named_id, day, profile_id, override_id, score,
                computed_score, band, values, points, heard, formula_shift)
            SELECT account_id, {named}, %(today)s, profile_id, override_id, score, beneath, band, values, points,
                heard, formula_shift FROM compared
            ON CONFLICT (account_id, named_id, day) DO UPDATE SET profile_id = excluded.profile_id,
                override_id = excluded.override_id, score = excluded.score, computed_score = excluded.computed_score,
                band = excluded.band, values = excluded.values, points = excluded.points, heard = excluded.heard,
                formula_shift = CASE WHEN excluded.formula_shift IS NULL THEN d.formula_shift
                    ELSE coalesce(d.formula_shift, 0) + excluded.formula_shift END
        ), gone AS (
            DELETE FROM health_healthscore h WHERE h.named_id = {named} AND h.account_id BETWEEN %(first)s AND %(last)s
                AND NOT EXISTS (SELECT FROM compared WHERE compared.account_id = h.account_id)
        )
        SELECT count(*), jsonb_agg(jsonb_build_array(account_id, band_before, band, score, restated))
            FILTER (WHERE band_before <> band AND override_before IS NOT DISTINCT FROM override_id)
        FROM compared
    """
