"""Helpers of the tests that look at whole processes."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from launcher.cli import PRODUCTION_SAMPLE
from launcher.places import ROOT
from launcher.processes import Family

NO_POSTGRES = "postgres:///cs?host=/nowhere"


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run_python(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout with `env`, and return what it said."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        check=False,
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def wait_until(happened: Callable[[], bool], *, within: float = 60.0) -> bool:
    """Return whether `happened` came true within so many seconds; the limit only ends a failing test."""
    deadline = time.monotonic() + within
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def plain_production(process_env: Mapping[str, str], static_root: Path) -> dict[str, str]:
    """Return the environment of production on plain HTTP, with the database and the Redis of the test."""
    own = {name: process_env[name] for name in ("DATABASE_URL", "REDIS_URL")}
    return {**process_env, **PRODUCTION_SAMPLE, **own, "HTTPS": "off", "STATIC_ROOT": str(static_root)}


def served(family: Family, env: Mapping[str, str]) -> int:
    """Serve the product by gunicorn until the family leaves; returns the port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "cs_platform.wsgi", "--workers=1", f"--bind=127.0.0.1:{port}"]
    family.start(f"web-{port}", command, env=env)
    assert wait_until(lambda: _lives(port))
    return port


def _lives(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
