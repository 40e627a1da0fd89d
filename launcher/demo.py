"""The demo: every process of the product on this machine, with a company in it, until Ctrl-C."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from demo import DEMO_PASSWORD
from launcher import servers
from launcher.console import CannotGoOn, say, step
from launcher.environment import PYTHON, VENV, ensure_environment
from launcher.places import DEVELOPMENT, LOCAL, ROOT
from launcher.processes import Family, last_lines
from launcher.static import STATIC_ROOT, collect_static

SIGN_INS = (
    ("admin", "admin@demo.example"),
    ("CSM", "csm@demo.example"),
    ("leader", "leader@demo.example"),
)
NEEDED_BYTES = 1_000_000_000
READY_TIMEOUT = 60.0


class Stopped(Exception):  # somebody asked; nothing went wrong
    """Ctrl-C or a signal to stop."""


def run_demo() -> int:
    """Bring the demo up and stay until told to stop; returns the exit code."""
    _stop_on_signals()
    port = _free_port(os.environ.get("PORT", "8000"))
    check_space()
    say("Starting the demo; the first time takes a minute or two.")
    started = time.monotonic()
    try:
        ensure_environment("local")
        with Family(logs=LOCAL / "logs") as family, own_servers(family):
            mail_port = _any_port()
            env = demo_environment(port=port, mail_port=mail_port)
            _prepare(env)
            family.start("mail", [PYTHON, "-m", "launcher.mail", str(mail_port), LOCAL / "mail"], env=env)
            _start_product(family, env, port)
            _print_block(port, time.monotonic() - started)
            return _watch(family)
    except Stopped:
        say("\nStopped. The data stays in .local/ for the next time.")
        return 0


@contextmanager
def own_servers(family: Family) -> Iterator[None]:
    """Have PostgreSQL and Redis: those that the environment names, else this checkout's own."""
    with ExitStack() as stack:
        if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
            lock = stack.enter_context((LOCAL / "servers.lock").open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotGoOn("A demo of this checkout is already running: stop that one first.") from None
        if "DATABASE_URL" not in os.environ:
            with step("Starting PostgreSQL"):
                servers.start_postgres(family, DEVELOPMENT, settings=servers.DURABLE)
        if "REDIS_URL" not in os.environ:
            with step("Starting Valkey"):
                servers.start_valkey(family, DEVELOPMENT, durable=True)
        yield


def server_environment() -> dict[str, str]:
    """Return the addresses of the servers in use, for any process of the product."""
    return {
        "DATABASE_URL": os.environ.get("DATABASE_URL") or DEVELOPMENT.database_url,
        "REDIS_URL": os.environ.get("REDIS_URL") or DEVELOPMENT.redis_url,
    }


def demo_environment(*, port: int, mail_port: int) -> dict[str, str]:
    """Return the environment of the demo: production settings, on plain HTTP, on this machine only."""
    return {
        **os.environ,
        **server_environment(),
        "DJANGO_SETTINGS_MODULE": "cs_platform.settings.production",
        "SECRET_KEY": _kept_secret("secret-key"),
        "SECRETS_KEY": _kept_secret("secrets-key"),
        "BASE_URL": os.environ.get("BASE_URL") or f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "*",
        "HTTPS": "off",
        "STATIC_ROOT": str(STATIC_ROOT),
        "EMAIL_URL": os.environ.get("EMAIL_URL") or f"smtp://127.0.0.1:{mail_port}",
        "DEFAULT_FROM_EMAIL": "Customer Success <cs@demo.example>",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }


def check_space() -> None:
    """Raise when the disk is too full to start."""
    LOCAL.mkdir(exist_ok=True)
    free = shutil.disk_usage(LOCAL).free
    if free < NEEDED_BYTES:
        raise CannotGoOn(
            f"The disk is full: {free // 1_000_000} MB are free under {ROOT}, "
            f"and this needs {NEEDED_BYTES // 1_000_000} MB."
        )


def _stop_on_signals() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _free_port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotGoOn(f"PORT must be a number from 1 to 65535, not {text!r}.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotGoOn(
                f"Port {port} is not allowed for this user: choose one above 1023, as in PORT=9000 make demo."
            ) from None
        except OSError:
            raise CannotGoOn(f"Port {port} is in use: choose another, as in PORT={port + 1000} make demo.") from None
    return port


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kept_secret(name: str) -> str:
    path = LOCAL / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def _prepare(env: dict[str, str]) -> None:
    collect_static(env)
    for text, arguments in (
        ("Bringing the database up to date", ["migrate", "--verbosity=0"]),
        ("Loading the demo company", ["load_demo"]),
    ):
        with step(text):
            done = subprocess.run([PYTHON, "manage.py", *arguments], check=False, cwd=ROOT, env=env)
        if done.returncode:
            raise CannotGoOn(f"{text} failed: `manage.py {arguments[0]}` says why above.")


def _start_product(family: Family, env: dict[str, str], port: int) -> None:
    celery: list[str | Path] = [VENV / "bin" / "celery", "-A", "cs_platform"]
    with step("Starting web, worker and beat"):
        family.start("worker", [*celery, "worker", "--concurrency=2", "--loglevel=INFO"], env=env)
        family.start(
            "beat", [*celery, "beat", "--schedule", LOCAL / "beat-schedule", "--pidfile=", "--loglevel=INFO"], env=env
        )
        family.start(
            "web",
            [VENV / "bin" / "gunicorn", "cs_platform.wsgi", f"--bind=127.0.0.1:{port}", "--workers=2", "--timeout=60"],
            env=env,
        )
        deadline = time.monotonic() + READY_TIMEOUT
        while not _is_ready(port):
            _stop_if_dead(family)
            if time.monotonic() > deadline:
                raise CannotGoOn(f"The demo did not become ready; see .local/logs/ and http://127.0.0.1:{port}/readyz")
            time.sleep(0.2)


def _is_ready(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _stop_if_dead(family: Family) -> None:
    dead = family.first_dead()
    if dead is not None:
        raise CannotGoOn(
            f"{dead.name} has ended with code {dead.process.returncode}; "
            f"the end of {_short(dead.log)}:\n{last_lines(dead.log)}"
        )


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _print_block(port: int, seconds: float) -> None:
    lines = [
        "",
        f"  CS Platform is ready after {seconds:.0f} s:  http://127.0.0.1:{port}",
        "",
        *(f"    {role:<7} {email:<22} password: {DEMO_PASSWORD}" for role, email in SIGN_INS),
        "",
        f"  Mail it sends goes no further than  {_short(LOCAL / 'mail')}/",
        f"  Logs of every process are in        {_short(LOCAL / 'logs')}/",
        "  Ctrl-C stops everything and keeps the data; `make clean` removes it.",
        "",
    ]
    say("\n".join(lines))


def _watch(family: Family) -> int:
    while True:
        _stop_if_dead(family)
        time.sleep(0.5)
