"""The product's processes for the benches that measure over HTTP: web, and the workers behind it."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from launcher.processes import Child, Family

WORKERS = 2
CELERY = [sys.executable, "-m", "celery", "-A", "cs_platform"]


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


@contextmanager
def work(*, concurrency: int = WORKERS) -> Iterator[Child]:
    """Run a worker of all queues and beat on this bench's database; yields the worker."""
    with TemporaryDirectory() as folder, Family(logs=Path(folder)) as family:
        options = [f"--concurrency={concurrency}", "--loglevel=WARNING"]
        worker = family.start("worker", [*CELERY, "worker", *options], env=dict(os.environ))
        schedule = [f"--schedule={Path(folder) / 'schedule'}", "--pidfile=", "--loglevel=WARNING"]
        family.start("beat", [*CELERY, "beat", *schedule], env=dict(os.environ))
        try:
            yield worker
        except Exception as error:
            error.add_note(worker.log.read_text()[-4000:])
            raise


def most_memory(child: Child) -> float:
    """The most megabytes that ``child`` or one of its own children has had in memory at once."""
    pids = [child.process.pid]
    pids += map(int, Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split())
    peaks = []
    for pid in pids:
        said = Path(f"/proc/{pid}/status").read_text()
        peaks.append(int(said.partition("VmHWM:")[2].split()[0]) * 1024 / 1_000_000)
    return max(peaks)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
