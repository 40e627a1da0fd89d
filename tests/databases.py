"""A database for every pytest process, copied from one that has been migrated already.

Migrating takes seconds and copying a fraction of one, so the migrated template is kept between runs under a name
that says which migrations made it. Processes that run side by side never share a database: its name is their id.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from launcher.guard import alive
from launcher.places import ROOT, TESTS

TEMPLATES_KEPT = 5
OF_THE_MODELS = {"django_content_type", "auth_permission"}
LARGE = 4_000_000


@contextmanager
def own_database() -> Iterator[str]:
    """Point Django at a fresh, migrated database of this process's own; yields its name and drops it at the end."""
    name = f"test_{os.getpid()}"
    with _server() as server:
        _drop_leftovers(server)
        template = _ensure_template(server)
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _run(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
        with _pointed_at(name):
            yield name
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def empty() -> None:
    """Take every row away, save what the migrations wrote of the models themselves.

    Deleting takes a thirtieth of the time of truncating a hundred tables. A table that a test had made large is
    vacuumed, so that the next ones do not read what is no longer there.
    """
    connection = connections["default"]
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        deletes = "; ".join(f'DELETE FROM "{table}"' for table in sorted(set(tables) - OF_THE_MODELS))
        cursor.execute(f"SET session_replication_role = replica; {deletes}; SET session_replication_role = origin")
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > %s",
            [LARGE],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"VACUUM {table}")


def database_url(name: str) -> str:
    """Return the address of the database `name` on the test server, for another process."""
    given = os.environ.get("DATABASE_URL") or TESTS.database_url
    address, question, query = given.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{question}{query}"


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    default = settings.DATABASES["default"]
    with psycopg.connect(
        host=default["HOST"] or None,
        port=default["PORT"] or None,
        user=default["USER"] or None,
        password=default["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as server:
        yield server


def _run(server: psycopg.Connection[Any], statement: LiteralString, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _names(server: psycopg.Connection[Any], pattern: str) -> list[str]:
    found = server.execute("SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY oid DESC", [pattern])
    return [name for (name,) in found]


def _drop_leftovers(server: psycopg.Connection[Any]) -> None:
    """Drop what killed runs left behind; only on the shared server, where every process is of this machine."""
    if "DATABASE_URL" in os.environ:
        return
    for name in _names(server, r"^test_\d+$"):
        if not alive(int(name.removeprefix("test_"))):
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    for name in _names(server, r"^migrated_[0-9a-f]+$")[TEMPLATES_KEPT:]:
        with suppress(psycopg.errors.ObjectInUse):
            _run(server, "DROP DATABASE IF EXISTS {}", name)


def _ensure_template(server: psycopg.Connection[Any]) -> str:
    """Return the name of a database with all migrations applied, making it the first time."""
    template = f"migrated_{_fingerprint()}"
    server.execute("SELECT pg_advisory_lock(%s)", [0x7E57])
    try:
        if template not in _names(server, r"^migrated_"):
            half_made = f"half_{template}"
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", half_made)
            _run(server, "CREATE DATABASE {}", half_made)
            with _pointed_at(half_made):
                call_command("migrate", verbosity=0)
            _run(server, "ALTER DATABASE {} RENAME TO {}", half_made, template)
    finally:
        server.execute("SELECT pg_advisory_unlock(%s)", [0x7E57])
    return template


def _fingerprint() -> str:
    """Return a hash of everything that decides what migrating makes."""
    digest = hashlib.sha256((ROOT / "requirements-dev.txt").read_bytes())
    for app in sorted(apps.get_app_configs(), key=lambda config: config.label):
        folder = Path(app.path)
        if not folder.is_relative_to(ROOT / ".local"):
            digest.update(app.label.encode())
            for file in sorted(
                [*folder.glob("models.py"), *folder.glob("models/*.py"), *folder.glob("migrations/*.py")]
            ):
                digest.update(re.sub(rb"\r", b"", file.read_bytes()))
    return digest.hexdigest()[:16]


@contextmanager
def _pointed_at(name: str) -> Iterator[None]:
    connection = connections["default"]
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before
