"""The commands of the launcher."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from launcher import servers
from launcher.browser import ensure_browser
from launcher.console import CannotGoOn, say, warn
from launcher.demo import check_space, own_servers, run_demo, server_environment
from launcher.environment import PYTHON, VENV, ensure_environment
from launcher.guard import stop
from launcher.places import DEVELOPMENT, LOCAL, ROOT, TESTS, Place
from launcher.processes import Family

USAGE = "usage: python3 -m launcher demo | test | lint | bench | clean | servers | manage ..."


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever stops it is told in one sentence."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        warn(USAGE)
        return 2
    try:
        return command(arguments[1:])
    except CannotGoOn as reason:
        warn(f"\n{reason}")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        warn(f"\nThe disk is full: make room under {ROOT} and run again.")
    except KeyboardInterrupt:
        warn("\nStopped.")
        return 130
    return 1


def demo(_arguments: Sequence[str]) -> int:
    """Run the product with the demo company in it."""
    return run_demo()


def test(arguments: Sequence[str]) -> int:
    """Run the test suite on servers of its own, which are gone afterwards; `arguments` go to pytest."""
    _interrupt_on_term()
    check_space()
    ensure_environment("dev")
    ensure_browser()
    place = Place(folder=LOCAL / f"test-{os.getpid()}")
    try:
        with Family(logs=place.folder) as family:
            env = dict(os.environ)
            if "DATABASE_URL" not in env:
                servers.start_postgres(family, place, settings=servers.THROWAWAY)
                env["DATABASE_URL"] = place.database_url
            if "REDIS_URL" not in env:
                servers.start_valkey(family, place, durable=False)
                env["REDIS_URL"] = place.redis_url
            # One more than there are cores, since many tests wait for a browser or for processes that they started.
            workers = str(min((os.cpu_count() or 2) + 1, 8))
            return _call([PYTHON, "-m", "pytest", "-n", workers, "--dist", "loadgroup", *arguments], env)
    finally:
        _remove(place)


def lint(_arguments: Sequence[str]) -> int:
    """Run every check that needs no test; goes through all of them before it answers."""
    ensure_environment("dev")
    programs = VENV / "bin"
    env = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "DJANGO_SETTINGS_MODULE": "cs_platform.settings.test",
    }
    checks: tuple[tuple[str, ...], ...] = (
        ("ruff", "format", "--check", "--quiet", "."),
        ("ruff", "check", "--quiet", "."),
        ("mypy", "--no-error-summary", "."),
        ("lint-imports", "--no-logo"),
        ("djlint", "--lint", "--quiet", "templates"),
        ("python", *NO_DATABASE, "manage.py", "makemigrations", "--check", "--dry-run", "--skip-checks"),
        ("python", "-W", "error", "manage.py", "check", "--deploy", "--fail-level=WARNING"),
    )
    failed = []
    for check in checks:
        name = " ".join(check[:2]) if check[0] != "python" else " ".join(check[check.index("manage.py") :][:2])
        settings = PRODUCTION_SAMPLE if "--deploy" in check else {}
        say(f"  {name}")
        if _call([programs / check[0], *check[1:]], {**env, **settings}):
            failed.append(name)
    say(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks pass.")
    return 1 if failed else 0


# The migrations are compared with the models; what a database has of them is not asked here.
NO_DATABASE = ("-W", "error", "-W", "ignore:Got an error checking a consistent migration history:RuntimeWarning")

PRODUCTION_SAMPLE = {
    "DJANGO_SETTINGS_MODULE": "cs_platform.settings.production",
    "SECRET_KEY": "only-for-the-deployment-check-0123456789-abcdefghijklmnopqrstuvwxyz",
    "SECRETS_KEY": "only-for-the-deployment-check-9876543210-zyxwvutsrqponmlkjihgfedcba",
    "BASE_URL": "https://cs.example.com",
    "DATABASE_URL": "postgres:///cs",
    "REDIS_URL": "redis://localhost:6379/0",
    "EMAIL_URL": "smtp://localhost",
    "DEFAULT_FROM_EMAIL": "CS <cs@example.com>",
}


def bench(arguments: Sequence[str]) -> int:
    """Measure each figure beside its floor."""
    _interrupt_on_term()
    check_space()
    ensure_environment("dev")
    return _call([PYTHON, "-m", "bench", *arguments], dict(os.environ))


def clean(_arguments: Sequence[str]) -> int:
    """Stop what runs from this checkout's `.local/` and remove it."""
    with suppress(OSError, ValueError):
        stop(int((TESTS.folder / "keeper.pid").read_text()), signal.SIGTERM)
    if _servers_in_use():
        raise CannotGoOn("A demo of this checkout is running: stop it with Ctrl-C first.")
    shutil.rmtree(servers.copied_programs(), ignore_errors=True)
    for place in (TESTS, DEVELOPMENT):
        _remove(place)
    shutil.rmtree(ROOT / "staticfiles", ignore_errors=True)
    return 0


def keep_servers(_arguments: Sequence[str]) -> int:
    """Run the development servers alone, and print how to reach them."""
    _interrupt_on_term()
    ensure_environment("local")
    with Family(logs=LOCAL / "logs") as family, own_servers(family):
        say("\n".join(f"export {name}='{value}'" for name, value in server_environment().items()))
        while family.first_dead() is None:
            time.sleep(0.5)
    return 1


def manage(arguments: Sequence[str]) -> int:
    """Run `manage.py` against the development servers, starting them for as long as it takes."""
    ensure_environment("local")
    command: list[str | Path] = [PYTHON, "manage.py", *arguments]
    env = {**os.environ, **server_environment()}
    if _servers_in_use():
        return _call(command, env)
    with Family(logs=LOCAL / "logs") as family, own_servers(family):
        return _call(command, env)


def _servers_in_use() -> bool:
    path = LOCAL / "servers.lock"
    if not path.exists():
        return False
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _call(command: Sequence[str | os.PathLike[str]], env: dict[str, str]) -> int:
    return subprocess.run(command, check=False, cwd=ROOT, env=env).returncode


def _interrupt_on_term() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _remove(place: Place) -> None:
    shutil.rmtree(place.sockets, ignore_errors=True)
    shutil.rmtree(place.folder, ignore_errors=True)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "demo": demo,
    "test": test,
    "lint": lint,
    "bench": bench,
    "clean": clean,
    "servers": keep_servers,
    "manage": manage,
}
