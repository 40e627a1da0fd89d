"""A web process for the benches that measure over HTTP."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from launcher.processes import Family

WORKERS = 2


@contextmanager
def serve(application: str = "cs_platform.wsgi", *, workers: int = WORKERS) -> Iterator[int]:
    """Serve the WSGI `application` with gunicorn on this bench's database; yields the port on 127.0.0.1.

    A floor is served the same way, from a module of its own: only the application differs.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    gunicorn = [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}", f"--workers={workers}"]
    with TemporaryDirectory() as logs, Family(logs=Path(logs)) as family:
        child = family.start("web", gunicorn, env=dict(os.environ))
        deadline = time.monotonic() + 30
        while not _accepts(port):
            if child.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(child.log.read_text())
            time.sleep(0.05)
        try:
            yield port
        except Exception as error:
            error.add_note(child.log.read_text()[-4000:])
            raise


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
