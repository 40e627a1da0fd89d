"""Locks in the database: a periodic task that two beats ring twice runs once, and writers wait for each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import connection, transaction

NAMESPACE = 0x4353


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Open a transaction and try to take the lock ``name``; yields whether it was free.

    The lock is given back when the transaction ends, also when the process dies.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _key(name))
        yield bool(cursor.fetchone()[0])


def wait_for(name: str) -> None:
    """Take the lock ``name`` in the open transaction, which gives it back when it ends; waits for whoever has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _key(name))


def _key(name: str) -> list[int]:
    return [NAMESPACE, crc32(name.encode()) - 2**31]
