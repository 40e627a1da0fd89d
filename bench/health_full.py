"""The health of everybody: our sweep beside one hand-written statement that gives and keeps the same scores."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from django.db import connection, transaction

from accounts.models import Plan, Segment
from bench.base import NOW, make_base, size_of
from bench.runner import Result, measure
from common.partitions import ensure_months
from health.models import Profile
from health.services import compute_chunk, create_measure, create_profile, open_draft, publish, sweep_anew
from usage.models import Feature

USE: list[list[float]] = [[0, 0], [20, 60], [100, 100]]
MEASURES: dict[str, tuple[str, list[list[float]], str]] = {
    **{f"use-{n}": (f"usage.feature-{n}.28d", USE, "worst") for n in (1, 2, 3, 16, 20, 30)},
    "trend": ("usage.change_28d", [[-50, 0], [0, 60], [50, 100]], "leave_out"),
    "recency": ("usage.days_since", [[0, 100], [14, 60], [45, 0]], "worst"),
    "seats": ("seats.active_share", [[0, 0], [5, 80], [20, 100]], "leave_out"),
    "tickets": ("tickets.open", [[0, 100], [3, 50], [8, 0]], "leave_out"),
    "opened": ("tickets.opened_28d", [[0, 100], [5, 0]], "leave_out"),
    "touch": ("touch.days_since", [[7, 100], [60, 40], [120, 0]], "neutral"),
    "renewal": ("days_to_renewal", [[0, 20], [90, 70], [365, 100]], "leave_out"),
}


def leaf(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


SEGMENTS: list[tuple[str, Any, str, dict[str, int]]] = [
    (
        "enterprise",
        leaf("seats", "gte", 500),
        "a.seats >= 500",
        {"use-1": 2, "use-2": 1, "use-16": 1, "trend": 1, "seats": 2, "tickets": 1, "touch": 1, "renewal": 1},
    ),
    (
        "high-touch",
        {"all": [leaf("touch_model", "is", "high_touch"), leaf("plan", "in", ["plan-2", "plan-3"])]},
        "a.touch_model = 'high_touch' AND a.plan_id = ANY(%(upper)s)",
        {"use-1": 1, "use-3": 1, "use-20": 1, "trend": 2, "recency": 1, "opened": 1, "touch": 2, "renewal": 1},
    ),
    (
        "beta",
        leaf("tags", "has_any", ["beta"]),
        "a.tags && '{beta}'::varchar[]",
        {"use-2": 1, "use-3": 1, "use-16": 1, "use-20": 1, "use-30": 1, "recency": 1, "seats": 1, "opened": 1},
    ),
    (
        "middle",
        {"any": [leaf("seats", "gte", 100), leaf("mrr", "gte", 3000)]},
        "a.seats >= 100 OR coalesce(su.mrr, 0) >= 3000",
        {"use-1": 1, "use-2": 1, "use-3": 1, "trend": 1, "recency": 1, "seats": 1, "tickets": 1, "renewal": 1},
    ),
    (
        "low-touch",
        leaf("touch_model", "is", "low_touch"),
        "a.touch_model = 'low_touch'",
        {"use-1": 3, "use-2": 1, "use-30": 1, "trend": 1, "recency": 2, "tickets": 1, "opened": 1, "seats": 1},
    ),
    (
        "rest",
        {"all": []},
        "TRUE",
        {"use-1": 1, "use-2": 1, "use-3": 1, "use-16": 1, "recency": 1, "seats": 1, "tickets": 1, "renewal": 1},
    ),
]


def run(scale: float) -> Result:
    """Time a whole sweep; from 100,000 accounts on, both sides have two connections."""
    accounts = size_of(scale)
    workers = 2 if accounts >= 100_000 else 1
    make_base(accounts)
    define()
    days = (NOW + timedelta(days=n) for n in itertools.count())
    floor_statement = by_hand()
    compare(accounts, workers, next(days), floor_statement)

    def ours_once() -> float:
        now = next(days)
        prepare(now)
        return timed_by(workers, lambda worker: ours(now))

    def floor_once() -> float:
        now = next(days)
        prepare(now)
        return timed_by(workers, lambda worker: floor(floor_statement, now, accounts, worker, workers))

    return measure(
        name="health_full",
        unit="s",
        ours=ours_once,
        floor=floor_once,
        floor_is="one hand-written SQL statement: same scores, components and history",
        scale=scale,
    )


def define() -> None:
    """Six profiles of eight measures each."""
    draft = open_draft(by=None, now=NOW)
    for key, (attribute, curve, missing) in MEASURES.items():
        create_measure(draft=draft, key=key, label=key, attribute=attribute, curve=curve, missing=missing, now=NOW)
    for priority, (key, condition, _sql, weights) in enumerate(SEGMENTS, 1):
        segment = Segment.objects.create(key=key, name=key, priority=priority, condition=condition)
        create_profile(draft=draft, name=key, segment=segment, weights=weights, now=NOW)
    publish(draft=draft, by=None, note="First", now=NOW)


def prepare(now: datetime) -> None:
    """What both sides find ready: a sweep to begin, the day's partition, tables without the dead rows of the last."""
    sweep_anew(now=now)
    with transaction.atomic():
        ensure_months("health_healthday", now.date(), now.date() + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM health_healthscore, health_healthday")


def timed_by(workers: int, work: Callable[[int], None]) -> float:
    """The seconds that so many workers take together, each on a connection of its own that is open already."""
    together = Barrier(workers + 1)

    def job(worker: int) -> None:
        connection.ensure_connection()
        together.wait()
        work(worker)

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(job, worker) for worker in range(workers)]
        together.wait()
        started = time.perf_counter()
        for one in jobs:
            one.result()
        return time.perf_counter() - started


def ours(now: datetime) -> None:
    """Chunks of the sweep until none is left."""
    while compute_chunk(now=now):
        pass


def floor(statement: str, now: datetime, accounts: int, worker: int, workers: int) -> None:
    """The worker's share of the accounts by hand."""
    share = accounts // workers + 1
    with connection.cursor() as cursor:
        cursor.execute(statement, {"now": now, "first": worker * share + 1, "last": (worker + 1) * share})


def compare(accounts: int, workers: int, now: datetime, statement: str) -> None:
    """Raise unless both sides keep the same for every account, scores to 1e-9."""
    kept = []
    for side in (lambda worker: ours(now), lambda worker: floor(statement, now, accounts, worker, workers)):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE health_healthscore, health_healthday")
        prepare(now)
        timed_by(workers, side)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.account_id, s.profile_id, s.score, s.band, s.components, s.components = d.components"
                " FROM health_healthscore s JOIN health_healthday d USING (account_id) ORDER BY 1"
            )
            kept.append(cursor.fetchall())
    if not len(kept[0]) == len(kept[1]) == accounts:
        raise AssertionError(f"{accounts} accounts, {len(kept[0])} scores of ours, {len(kept[1])} by hand")
    for mine, theirs in zip(*kept, strict=True):
        if mine[:2] + mine[3:] != theirs[:2] + theirs[3:] or abs((mine[2] or 0) - (theirs[2] or 0)) > 1e-9:
            raise AssertionError(f"ours {mine}, by hand {theirs}")


def by_hand() -> str:
    """The statement as somebody who knows this company would write it: nothing in it comes from the definitions."""
    profiles = list(Profile.objects.order_by("segment__priority").values_list("pk", flat=True))
    decide = " ".join(f"WHEN {sql} THEN {pk}" for pk, (_k, _c, sql, _w) in zip(profiles, SEGMENTS, strict=True))
    shown = dict(zip(profiles, (weights for _k, _c, _s, weights in SEGMENTS), strict=True))
    names = {key: key.replace("-", "_") for key in MEASURES}
    use = {key: int(key[4:]) for key in MEASURES if key.startswith("use-")}
    ids = dict(Feature.objects.values_list("key", "pk"))
    features = {number: ids[f"feature-{number}"] for number in use.values()}
    plans = list(Plan.objects.order_by("key").values_list("pk", flat=True))
    outside = {16: f"{{{plans[0]}}}", 20: f"{{{plans[0]}}}", 30: f"{{{plans[0]},{plans[1]}}}"}
    wide = ", ".join(f"sum(last_28) FILTER (WHERE feature_id = {pk}) AS u{n}" for n, pk in features.items())
    value = {
        **{key: f"CASE WHEN ac.last_event_at IS NOT NULL THEN coalesce(r.u{n}, 0) END" for key, n in use.items()},
        "trend": "round(100.0 * r.now / nullif(r.before, 0) - 100, 1)",
        "recency": "(p.today - (ac.last_event_at AT TIME ZONE 'Europe/Sofia')::date)",
        "seats": "round(100.0 * coalesce(ua.active, 0) / a.seats, 1)",
        "tickets": "coalesce(ti.open, 0)",
        "opened": "coalesce(ti.opened, 0)",
        "touch": "(p.today - (tp.last_at AT TIME ZONE 'Europe/Sofia')::date)",
        "renewal": "su.renews_on - p.today",
    }
    for key, n in use.items():
        if n in outside:
            value[key] = f"CASE WHEN a.plan_id <> ALL('{outside[n]}') THEN {value[key]} END"
    heard = dict.fromkeys(MEASURES, "used_at") | {
        "tickets": "ticket_at",
        "opened": "ticket_at",
        "touch": "touch_at",
        "renewal": "contract_at",
    }
    values = ", ".join(f"({value[key]})::float8 AS v_{name}" for key, name in names.items())
    missing = {"worst": "0::float8", "neutral": "50::float8", "leave_out": "NULL::float8"}
    points = []
    for key, (_attribute, curve, when_missing) in MEASURES.items():
        (v0, p0), *_rest = curve
        found = f"v_{names[key]}"
        sql = f"WHEN {found} IS NULL THEN {missing[when_missing]} WHEN {found} <= {v0} THEN {p0}"
        for (low, start), (high, end) in itertools.pairwise(curve):
            slope = (end - start) / (high - low)
            sql += f" WHEN {found} < {high} THEN {start} + ({found} - ({low})) * '{slope!r}'::float8"
        if use.get(key) in outside:
            sql = f"WHEN plan_id = ANY('{outside[use[key]]}') THEN NULL {sql}"
        points.append(f"CASE {sql} ELSE {curve[-1][1]} END AS p_{names[key]}")

    def component(key: str, weight: int) -> str:
        full = f"jsonb_build_array('{key}', v_{names[key]}, p_{names[key]}, {weight}, {heard[key]})"
        if use.get(key) not in outside:
            return full
        return f"CASE WHEN plan_id = ANY('{outside[use[key]]}') THEN jsonb_build_array('{key}') ELSE {full} END"

    def score(weights: dict[str, int]) -> str:
        above = " + ".join(f"coalesce(p_{names[key]} * {weight}, 0)" for key, weight in weights.items())
        below = " + ".join(f"CASE WHEN p_{names[k]} IS NULL THEN 0 ELSE {w} END" for k, w in weights.items())
        return f"({above}) / nullif({below}, 0)"

    scores = " ".join(f"WHEN {pk} THEN {score(weights)}" for pk, weights in shown.items())
    components = " ".join(
        f"WHEN {pk} THEN jsonb_build_array({', '.join(component(k, w) for k, w in weights.items())})"
        for pk, weights in shown.items()
    )
    live = (
        "NOT is_trial AND started_on <= (SELECT today FROM p)"
        " AND (ended_on IS NULL OR ended_on > (SELECT today FROM p))"
    )
    return f"""
        WITH p AS (
            SELECT %(now)s::timestamptz AS now, (%(now)s::timestamptz AT TIME ZONE 'Europe/Sofia')::date AS today
        ), scored AS (
            SELECT account_id, profile_id, score, components,
                CASE WHEN score >= 70 THEN 'good' WHEN score >= 40 THEN 'watch' WHEN score IS NULL THEN ''
                    ELSE 'poor' END AS band
            FROM (SELECT account_id, profile_id, CASE profile_id {scores} END AS score,
                CASE profile_id {components} END AS components
            FROM (SELECT f.*, {", ".join(points)} FROM (
                SELECT a.id AS account_id, a.plan_id, CASE {decide} END AS profile_id,
                    floor(date_part('epoch', ac.last_event_at)) AS used_at,
                    floor(date_part('epoch', ti.heard_at)) AS ticket_at,
                    floor(date_part('epoch', tp.last_at)) AS touch_at,
                    floor(date_part('epoch', su.heard_at)) AS contract_at, {values}
                FROM accounts_account a CROSS JOIN p
                LEFT JOIN usage_accountactivity ac ON ac.account_id = a.id
                LEFT JOIN (SELECT account_id, sum(whole_28) AS now, sum(whole_prior_28) AS before, {wide}
                    FROM usage_rollingusage WHERE account_id BETWEEN %(first)s AND %(last)s GROUP BY 1) r
                    ON r.account_id = a.id
                LEFT JOIN (SELECT account_id, count(*) AS active FROM usage_useractivity
                    WHERE account_id BETWEEN %(first)s AND %(last)s AND last_day > (SELECT today FROM p) - 28
                    GROUP BY 1) ua ON ua.account_id = a.id
                LEFT JOIN (SELECT account_id, max(heard_at) AS heard_at,
                        count(*) FILTER (WHERE solved_at IS NULL) AS open,
                        count(*) FILTER (WHERE opened_at > %(now)s::timestamptz - interval '28 days'
                            AND opened_at <= %(now)s::timestamptz) AS opened
                    FROM accounts_ticket WHERE account_id BETWEEN %(first)s AND %(last)s GROUP BY 1) ti
                    ON ti.account_id = a.id
                LEFT JOIN (SELECT account_id, max(happened_at) AS last_at FROM accounts_touchpoint
                    WHERE account_id BETWEEN %(first)s AND %(last)s GROUP BY 1) tp
                    ON tp.account_id = a.id
                LEFT JOIN (SELECT account_id, max(updated_at) AS heard_at, sum(mrr) FILTER (WHERE {live}) AS mrr,
                        min(renews_on) FILTER (WHERE {live} AND renews_on >= (SELECT today FROM p)) AS renews_on
                    FROM revenue_subscription WHERE account_id BETWEEN %(first)s AND %(last)s GROUP BY 1) su
                    ON su.account_id = a.id
                WHERE a.id BETWEEN %(first)s AND %(last)s AND (a.ended_at IS NULL OR a.ended_at > %(now)s)
                OFFSET 0) f OFFSET 0) pointed OFFSET 0) totalled
        ), compared AS MATERIALIZED (
            SELECT s.*, CASE WHEN h.band = s.band THEN h.since ELSE %(now)s END AS since,
                h.account_id IS NULL OR h.profile_id <> s.profile_id OR h.score IS DISTINCT FROM s.score
                    OR h.band <> s.band OR h.components <> s.components AS changed
            FROM scored s LEFT JOIN health_healthscore h ON h.account_id = s.account_id
        ), kept AS (
            INSERT INTO health_healthscore (account_id, profile_id, score, band, since, components, computed_at)
            SELECT account_id, profile_id, score, band, since, components, %(now)s FROM compared WHERE changed
            ON CONFLICT (account_id) DO UPDATE SET profile_id = excluded.profile_id, score = excluded.score,
                band = excluded.band, since = excluded.since, components = excluded.components,
                computed_at = excluded.computed_at
        ) INSERT INTO health_healthday (account_id, day, profile_id, score, band, components)
            SELECT account_id, (SELECT today FROM p), profile_id, score, band, components FROM compared
            ON CONFLICT (account_id, day) DO UPDATE SET profile_id = excluded.profile_id, score = excluded.score,
                band = excluded.band, components = excluded.components
    """.replace("ANY(%(upper)s)", f"ANY('{{{plans[1]},{plans[2]}}}')")
