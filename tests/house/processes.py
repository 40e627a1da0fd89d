"""Helpers of the tests that look at whole processes."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from launcher.places import ROOT


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
