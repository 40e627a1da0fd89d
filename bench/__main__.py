"""Run the benches: `python -m bench`, with ONLY and SCALE from the environment."""

import json
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

import bench
from bench.base import size_of
from launcher import servers
from launcher.console import CannotGoOn, say
from launcher.places import LOCAL, ROOT, Place
from launcher.processes import Family
from launcher.static import STATIC_ROOT, collect_static

RESULTS = ROOT / "bench" / "results" / "latest.json"
HOUSEHOLD = {
    "__main__",
    "base",
    "child",
    "days",
    "empty_view",
    "health",
    "insert_view",
    "queue_floor",
    "runner",
    "runs",
    "web",
    "year",
    "wrk",
}
POSTGRES = {
    "synchronous_commit": "on",
    "shared_buffers": "2GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "jit": "off",
}


def names() -> list[str]:
    """Return the benches there are, by module name."""
    return sorted(found.name for found in pkgutil.iter_modules(bench.__path__) if found.name not in HOUSEHOLD)


def main() -> int:
    """Run what ONLY names, or everything; print a table and keep the results of a run at full scale or above."""
    only, scale = os.environ.get("ONLY", ""), float(os.environ.get("SCALE") or 1)
    chosen = [name for name in names() if only in {"", name}]
    if not chosen:
        say(f"There is no bench named {only!r}; there are: {', '.join(names()) or 'none yet'}.")
        return 2
    place = Place(folder=LOCAL / f"bench-{os.getpid()}")
    results: list[dict[str, Any]] = []
    try:
        with Family(logs=place.folder) as family:
            servers.start_postgres(family, place, settings=POSTGRES)
            servers.start_valkey(family, place, durable=True)
            for name in chosen:
                say(f"  {name} ...")
                results += _run_one(place, name, scale)
    except CannotGoOn as reason:
        say(str(reason))
        return 1
    finally:
        shutil.rmtree(place.sockets, ignore_errors=True)
        shutil.rmtree(place.folder, ignore_errors=True)
    say(_table(results))
    if size_of(scale) >= size_of(1):
        _keep(results)
    return 0


def _run_one(place: Place, name: str, scale: float) -> list[dict[str, Any]]:
    database, answer = f"bench_{name}", place.folder / f"{name}.json"
    with _database(place, database):
        address, _question, query = place.database_url.partition("?")
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "cs_platform.settings.production",
            "SECRET_KEY": "bench-only-and-never-secret-0123456789-abcdefghijklmnopqrst",
            "SECRETS_KEY": "bench-only-and-never-secret-9876543210-zyxwvutsrqponmlkjihgfedcba",
            "BASE_URL": "http://127.0.0.1",
            "ALLOWED_HOSTS": "*",
            "HTTPS": "off",
            "DATABASE_URL": f"{address.rpartition('/')[0]}/{database}?{query}",
            "REDIS_URL": place.redis_url,
            "EMAIL_URL": "dummymail://",
            "DEFAULT_FROM_EMAIL": "bench@example.com",
            "STATIC_ROOT": str(STATIC_ROOT),
            "LOG_LEVEL": "WARNING",
        }
        collect_static(env)
        _call([sys.executable, "manage.py", "migrate", "--verbosity=0"], env)
        _call([sys.executable, "-m", "bench.child", name, str(scale), answer], env)
    results: list[dict[str, Any]] = json.loads(answer.read_text())
    return results


def _call(command: Sequence[str | Path], env: dict[str, str]) -> None:
    if subprocess.run(command, check=False, cwd=ROOT, env=env).returncode:
        raise CannotGoOn(f"{' '.join(map(str, command[1:4]))} failed, as said above.")


@contextmanager
def _database(place: Place, name: str) -> Iterator[None]:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(host=str(place.sockets), user="postgres", dbname="postgres", autocommit=True) as server:
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield
        server.execute(drop)


def _table(results: list[dict[str, Any]]) -> str:
    lines = ["", f"{'bench':<20}{'ours':>14}{'floor':>14}  {'unit':<10}{'ratio':>7}  the floor is"]
    for row in results:
        figures = f"{row['ours']:>14,.4g}{row['floor']:>14,.4g}  {row['unit']:<10}{row['ratio']:>7.2f}"
        lines.append(f"{row['name']:<20}{figures}  {row['floor_is']}")
    return "\n".join(lines)


def _keep(results: list[dict[str, Any]]) -> None:
    """Write `results` over those of the same names, and leave the others as they were."""
    kept = {row["name"]: row for row in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    kept.update({row["name"]: row for row in results})
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([kept[name] for name in sorted(kept)], indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
