"""Test servers that every pytest of this checkout shares: started by the first, stopped when nobody has used them.

Whoever uses them holds a shared lock on `users.lock`. The keeper, a process of its own, looks whether it could
have that lock alone; once it could for `IDLE` seconds on end, it stops the servers and leaves.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from launcher import servers
from launcher.console import CannotGoOn
from launcher.guard import alive
from launcher.places import ROOT, TEST_REDIS_DATABASES, TESTS
from launcher.processes import Family, last_lines

IDLE = 900.0
LOOK_EVERY = 5.0

_PID = TESTS.folder / "keeper.pid"


@contextmanager
def locked(path: Path, kind: int) -> Iterator[None]:
    """Hold a lock of `kind` (`fcntl.LOCK_SH` or `LOCK_EX`) on the file at `path`; waits for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield


@contextmanager
def use() -> Iterator[None]:
    """Have the shared test servers running for the length of the block."""
    with locked(TESTS.folder / "users.lock", fcntl.LOCK_SH):
        with locked(TESTS.folder / "start.lock", fcntl.LOCK_EX):
            if not servers.answers(TESTS):
                _start_keeper()
        yield


def _start_keeper() -> None:
    log = TESTS.folder / "keeper.log"
    with log.open("wb") as output:
        subprocess.run(
            [sys.executable, "-m", "launcher.shared"],
            check=True,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    keeper = int(_PID.read_text())
    deadline = time.monotonic() + servers.START_TIMEOUT
    while not servers.answers(TESTS):
        if not alive(keeper) or time.monotonic() > deadline:
            raise CannotGoOn(f"The test servers did not start; the end of {log}:\n{last_lines(log)}")
        time.sleep(0.1)


def detach() -> None:
    """Go on in a process that is nobody's child, having noted which; the caller's own process ends here."""
    child = os.fork()
    if child:
        _PID.write_text(str(child))
        os._exit(0)


def keep() -> None:
    """Run the servers until nobody has used them for `IDLE` seconds."""
    with locked(TESTS.folder / "keeper.lock", fcntl.LOCK_EX):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # What a machine that lost its power left of a server without fsync is not to be trusted.
        shutil.rmtree(TESTS.postgres_data, ignore_errors=True)
        with (TESTS.folder / "users.lock").open("a") as users, Family(logs=TESTS.folder) as family:
            servers.start_postgres(family, TESTS, settings=servers.THROWAWAY)
            servers.start_valkey(family, TESTS, durable=False, databases=TEST_REDIS_DATABASES)
            last_used = time.monotonic()
            while family.first_dead() is None:
                time.sleep(LOOK_EVERY)
                if not _alone(users):
                    last_used = time.monotonic()
                elif time.monotonic() - last_used > IDLE:
                    return  # with the lock in hand: a newcomer waits until the servers are gone
                else:
                    fcntl.flock(users, fcntl.LOCK_UN)


def _alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    detach()
    keep()
