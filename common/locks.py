"""Locks in the database: a periodic task that two beats ring twice runs once."""

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
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [NAMESPACE, crc32(name.encode()) - 2**31])
        yield bool(cursor.fetchone()[0])
