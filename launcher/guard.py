"""A small process that outlives the launcher only to stop what it started.

It reads `+<process>:<signal>` and `-<process>` lines. When the pipe closes, even because the launcher was killed
outright, it stops every process still on its list, the last started first.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a process has to leave by itself."""


def alive(process: int) -> bool:
    """Return whether `process` runs; one that has ended and was not waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def stop(process: int, with_signal: int) -> None:
    """Ask `process` to leave with `with_signal`, and end what is left of its group after `PATIENCE`."""
    with suppress(ProcessLookupError):
        os.kill(process, with_signal)
    deadline = time.monotonic() + PATIENCE
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def main() -> None:
    """Keep the list until standard input ends, then stop everything on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    kept: dict[int, int] = {}
    for line in sys.stdin:
        process, _colon, number = line[1:].strip().partition(":")
        if line.startswith("+"):
            kept[int(process)] = int(number)
        else:
            kept.pop(int(process), None)
    for process, number in reversed(kept.items()):
        stop(process, number)


if __name__ == "__main__":
    main()
