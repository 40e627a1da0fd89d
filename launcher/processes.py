"""Processes that the launcher starts, watches, and stops without leaving one behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from launcher.guard import PATIENCE
from launcher.places import ROOT


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The user that a process runs as, where that is not the one who started the launcher."""

    user: int
    group: int


@dataclass(kw_only=True)
class Child:
    """One started process and how it is asked to leave."""

    name: str
    process: subprocess.Popen[bytes]
    leave_with: int
    log: Path


class Family:
    """The processes of one launcher. Leaving the `with` block stops them all, the last started first.

    Each runs in a session of its own, so that Ctrl-C reaches the launcher alone and the order of stopping is ours.
    """

    def __init__(self, *, logs: Path) -> None:
        self.logs = logs
        self.children: list[Child] = []
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "launcher.guard"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self.children):
            self._stop(child)
        self.children.clear()
        guard = self._guard
        if guard is not None and guard.stdin is not None:
            with suppress(BrokenPipeError):
                guard.stdin.close()
            guard.wait()

    def start(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        leave_with: int = signal.SIGTERM,
        identity: Identity | None = None,
    ) -> Child:
        """Start `command` with its output in `<logs>/<name>.log`, and put it under guard."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            process = self._popen(command, env=env, cwd=cwd, output=output, identity=identity)
        child = Child(name=name, process=process, leave_with=leave_with, log=log)
        self.children.append(child)
        self._tell_guard(f"+{process.pid}:{int(leave_with)}")
        return child

    def first_dead(self) -> Child | None:
        """Return a process that has ended, if one has."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def _popen(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None,
        cwd: Path,
        output: IO[bytes],
        identity: Identity | None,
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=identity.user if identity else None,
            group=identity.group if identity else None,
            extra_groups=[] if identity else None,
        )

    def _stop(self, child: Child) -> None:
        if child.process.poll() is None:
            child.process.send_signal(child.leave_with)
            deadline = time.monotonic() + PATIENCE
            while child.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._tell_guard(f"-{child.process.pid}")

    def _tell_guard(self, line: str) -> None:
        guard = self._guard
        if guard is None or guard.stdin is None:
            return
        with suppress(BrokenPipeError):
            guard.stdin.write(f"{line}\n".encode())
            guard.stdin.flush()


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, to be shown with the sentence that says what failed."""
    with suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    return ""
