"""Statements that stay prepared on the server, so that a large one sent again and again is planned once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import connection


def run_prepared(statement: str, params: Sequence[Any]) -> tuple[Any, ...] | None:
    """Run ``statement`` with parameters bound by the server, and return its first row.

    Django's cursor writes parameters into the text, which for a batch of events costs more than storing them.
    Raises Django's database errors.
    """
    connection.ensure_connection()
    raw = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)
    raw.prepare_threshold = 1
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(statement, params, prepare=True)
        return cursor.fetchone()
