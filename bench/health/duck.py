"""The same scores by DuckDB: a column store of the same data, loaded beforehand, that keeps the same two tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection

from accounts.models import Workspace
from bench.health.by_hand import Dialect, scored
from bench.health.sides import Row
from usage.models import UsageCalendar
from usage.services.rollup import WINDOWS, in_window

TABLES = {
    "accounts_account": "id, plan_id, touch_model, seats, tags, ended_at",
    "usage_accountactivity": "account_id, last_event_at",
    "usage_rollingusage": "account_id, feature_id, last_28, whole_28, whole_prior_28",
    "usage_dailyusage": "account_id, feature_id, day, count",
    "usage_useractivity": "account_id, last_day",
    "accounts_ticket": "account_id, heard_at, opened_at, solved_at",
    "accounts_touchpoint": "account_id, happened_at",
    "revenue_subscription": "account_id, mrr, is_trial, started_on, renews_on, ended_on, updated_at",
}
"""What the statement reads: a column store need not load the rest."""

_TYPES = {
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "numeric": "DECIMAL(14, 2)",
    "date": "DATE",
    "timestamp with time zone": "TIMESTAMPTZ",
    "boolean": "BOOLEAN",
    "ARRAY": "VARCHAR[]",
}

_KEEP = """
    CREATE OR REPLACE TEMP TABLE compared AS
    SELECT s.*, h.band AS band_before,
        CASE WHEN h.band = s.band THEN h.since ELSE $now END AS since,
        CASE WHEN h.account_id IS NULL OR h.profile_id <> s.profile_id OR h.score IS DISTINCT FROM s.score
            OR h.band <> s.band OR h.values <> s.values OR h.points <> s.points OR h.heard <> s.heard
            OR h.stale <> s.stale THEN $now ELSE h.computed_at END AS computed_at
    FROM (
        SELECT *, computed AS score, CASE WHEN computed >= 70 THEN 'good' WHEN computed >= 40 THEN 'watch'
            WHEN computed IS NULL THEN '' ELSE 'poor' END AS band
        FROM ({scored})
    ) s LEFT JOIN score h ON h.account_id = s.account_id
"""
_SCORE = "account_id, profile_id, score, band, since, values, points, heard, stale, computed_at"
_DAY = "account_id, day, profile_id, score, band, values, points, heard"


class Duck:
    """A DuckDB database in ``folder`` with the company's data."""

    def __init__(self, folder: Path) -> None:
        self.duck = duckdb.connect(str(folder / "duck.db"), config={"threads": 2})
        self.duck.execute("SET TimeZone = 'UTC'")
        for table, columns in TABLES.items():
            self._load(table, columns, folder / f"{table}.csv")
        self.clear()
        today = UsageCalendar.objects.get().as_of
        dialect = Dialect(
            now="$now::timestamptz",
            today="$today::date",
            minute="$minute",
            within="account_id IS NOT NULL",
            fence="",
            rolling="usage_rollingusage",
        )
        self.from_windows = _KEEP.format(scored=scored(dialect))
        self.from_days = _KEEP.format(scored=scored(replace(dialect, rolling=_windows(today))))

    def clear(self) -> None:
        """Begin without scores."""
        self.duck.execute(
            "CREATE OR REPLACE TABLE score (account_id BIGINT, profile_id BIGINT, score DOUBLE, band VARCHAR,"
            " since TIMESTAMPTZ, values DOUBLE[], points DOUBLE[], heard INTEGER[], stale INTEGER,"
            " computed_at TIMESTAMPTZ)"
        )
        self.duck.execute(
            "CREATE OR REPLACE TABLE day (account_id BIGINT, day DATE, profile_id BIGINT, score DOUBLE, band VARCHAR,"
            " values DOUBLE[], points DOUBLE[], heard INTEGER[])"
        )

    def compute(self, statement: str, now: datetime) -> float:
        """Score everybody by a statement, and keep the scores, the day, and who changed bands; returns the seconds."""
        started = time.perf_counter()
        today = Workspace.current().day(now)
        given = {"now": now, "today": today, "minute": int(now.timestamp() // 60)}
        self.duck.execute("BEGIN")
        self.duck.execute(statement, {name: found for name, found in given.items() if f"${name}" in statement})
        self.duck.execute(f"CREATE OR REPLACE TABLE score AS SELECT {_SCORE} FROM compared")
        self.duck.execute(
            f"INSERT INTO day SELECT {_DAY.replace('day', '$today::date', 1)} FROM compared", {"today": today}
        )
        self.duck.execute("SELECT account_id, band_before, band, score FROM compared WHERE band_before <> band")
        self.duck.fetchall()
        self.duck.execute("COMMIT")
        return time.perf_counter() - started

    def kept(self) -> Sequence[Row]:
        """What it keeps, in the shape of ``sides.KEPT``."""
        found: list[Any] = self.duck.execute(
            "SELECT s.account_id, s.profile_id, s.score, s.values, s.points, s.heard, s.stale, s.band,"
            " s.values = d.values AND s.points = d.points AND s.heard = d.heard"
            " AND s.score IS NOT DISTINCT FROM d.score"
            " FROM score s JOIN day d USING (account_id) ORDER BY account_id"
        ).fetchall()
        return found

    def _load(self, table: str, columns: str, file: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table]
            )
            types = dict(cursor.fetchall())
            taken = columns.replace("tags", "to_json(tags)")
            out = f"COPY (SELECT {taken} FROM {table}) TO STDOUT (FORMAT csv)"
            with file.open("wb") as csv, cursor.copy(out) as copy:
                for block in copy:
                    csv.write(block)
        shape = ", ".join(f"{name} {_TYPES.get(types[name], 'VARCHAR')}" for name in columns.split(", "))
        self.duck.execute(f"CREATE TABLE {table} ({shape})")
        self.duck.execute(f"COPY {table} FROM '{file}' (FORMAT csv)")
        file.unlink()


def _windows(as_of: date) -> str:
    """The windows worked out from the days, as a table expression."""
    last = f"DATE '{as_of}'"
    sums = ", ".join(
        f"coalesce(sum(count) FILTER (WHERE {in_window(last, ends, begins)}), 0) AS {column}"
        for column, ends, begins in WINDOWS
        if column in TABLES["usage_rollingusage"]
    )
    longest = max(begins for _column, _ends, begins in WINDOWS)
    return (
        f"(SELECT account_id, feature_id, {sums} FROM usage_dailyusage WHERE day > {last} - {longest}"
        " GROUP BY account_id, feature_id) windows"
    )
