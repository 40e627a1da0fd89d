"""Tables partitioned by month: reads of a recent window stay small, and an old month is dropped in an instant."""

from datetime import date

from django.db import connection
from django.db.migrations import RunSQL

from common.sql import SQL, execute, identifier


def first_of_month(day: date, offset: int = 0) -> date:
    """The first day of the month ``offset`` months after the one that ``day`` lies in."""
    months = day.year * 12 + day.month - 1 + offset
    return date(months // 12, months % 12 + 1, 1)


def ensure_months(table: str, first: date, last: date) -> list[str]:
    """Create the partitions of ``table`` for every month from ``first`` to ``last`` that do not exist yet.

    Returns the names of those created. A row of a month without a partition is refused by the database, so call
    this before. Call it in a transaction: an advisory lock keeps two callers from creating the same month.
    """
    created = []
    month = first_of_month(first)
    while month <= last:
        name = f"{table}_{month:%Y_%m}"
        following = first_of_month(month, 1)
        # The lock is held as long as the transaction lasts, so only who has to create the month takes it.
        if not _is_there(name):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
            if not _is_there(name):
                bounds = f"FROM ('{month:%Y-%m-%d}') TO ('{following:%Y-%m-%d}')"
                execute(
                    SQL(f"CREATE TABLE {{}} PARTITION OF {{}} FOR VALUES {bounds}").format(
                        identifier(name), identifier(table)
                    )
                )
                created.append(name)
        month = following
    return created


def _is_there(name: str) -> bool:
    """Whether a table exists; read from the catalogue's own, since a look-up by name may answer from memory."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_class WHERE relname = %s AND relnamespace = current_schema()::regnamespace)",
            [name],
        )
        return bool(cursor.fetchone()[0])


def partition_by_range(table: str, column: str) -> RunSQL:
    """The migration operation that turns the new, empty ``table`` into one partitioned by ranges of ``column``.

    Put it right after ``CreateModel`` and add indexes after it, since those of the plain table go with it.
    """
    return RunSQL(
        f"ALTER TABLE {table} RENAME TO {table}_plain;"
        f" CREATE TABLE {table} (LIKE {table}_plain INCLUDING ALL EXCLUDING STATISTICS) PARTITION BY RANGE ({column});"
        f" DROP TABLE {table}_plain;",
        reverse_sql=RunSQL.noop,
    )
