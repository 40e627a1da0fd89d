"""The launcher says in one sentence what it cannot do, and leaves no process behind."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from launcher import demo, environment
from launcher.cli import main
from launcher.guard import alive
from launcher.places import ROOT, Place
from launcher.processes import Family
from tests.house.processes import free_port, wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def launch(*arguments: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launcher", *arguments],
        check=False,
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )


def test_demo_names_another_port_when_its_own_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = launch("demo", PORT=str(port))

    assert said.returncode == 1
    assert f"Port {port} is in use: choose another, as in PORT=" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_demo_says_what_a_port_is_when_it_is_none(port: str) -> None:
    said = launch("demo", PORT=port)

    assert said.returncode == 1
    assert said.stderr.strip() == f"PORT must be a number from 1 to 65535, not '{port}'."


def test_demo_says_so_when_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "NEEDED_BYTES", 10**18)
    monkeypatch.setenv("PORT", str(free_port()))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    code = main(["demo"])

    for number, handler in before.items():
        signal.signal(number, handler)
    assert code == 1
    assert capsys.readouterr().err.strip().startswith("The disk is full: ")


def test_launcher_names_the_package_when_venv_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.util.find_spec

    def without_ensurepip(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ensurepip" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_ensurepip)
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "none")

    with pytest.raises(environment.CannotGoOn, match="apt-get install python3-venv"):
        environment.ensure_environment("local")


def test_launcher_asks_for_the_network_when_packages_do_not_come(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"not-a-package-of-anybody==1.0 --hash=sha256:{'0' * 64}\n")
    for variable in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setattr(environment, "_LOG", tmp_path / "install.log")

    with pytest.raises(environment.CannotGoOn, match="is the network there"):
        environment._install(lock)


def test_launcher_asks_for_a_newer_python_when_this_one_is_old() -> None:
    script = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_module('launcher', run_name='__main__')"

    said = subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT, capture_output=True, text=True)

    assert said.returncode == 1
    assert said.stderr.startswith("This needs Python 3.11 or newer, and ")


def test_launcher_lists_its_commands_when_it_knows_not_the_one_given() -> None:
    said = launch("dance")

    assert said.returncode == 2
    assert said.stderr.startswith("usage: ")


def test_socket_path_stays_short_when_the_checkout_is_deep() -> None:
    deep = Place(folder=Path("/home") / ("a" * 60) / ("b" * 60) / ".local")

    assert len(str(deep.sockets / ".s.PGSQL.5432.lock")) < 104
    assert deep.sockets != Place(folder=deep.folder / "other").sockets


def test_demo_names_the_process_when_one_ends(tmp_path: Path) -> None:
    with Family(logs=tmp_path) as family:
        family.start("sleep", SLEEP)
        child = family.start("worker", [sys.executable, "-c", "print('no broker'); raise SystemExit(3)"])
        child.process.wait()

        with pytest.raises(environment.CannotGoOn, match=r"worker has ended with code 3; .*\nno broker"):
            demo._stop_if_dead(family)


def test_children_leave_when_the_block_ends(tmp_path: Path) -> None:
    with Family(logs=tmp_path) as family:
        child = family.start("sleep", SLEEP)
        assert alive(child.process.pid)

    assert not alive(child.process.pid)


def test_children_leave_when_the_launcher_is_killed_outright(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom launcher.processes import Family\n"
        f"with Family(logs=Path({str(tmp_path)!r})) as family:\n"
        f"    print(family.start('sleep', {SLEEP!r}).process.pid, flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        child = int(launcher.stdout.readline())
        launcher.kill()

    assert wait_until(lambda: not alive(child))


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of what is under version control, deep enough to need short sockets, with the environment of this one."""
    copy = tmp_path / ("a-rather-long-name-" * 4) / "cs"
    copy.mkdir(parents=True)
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".local").mkdir()
    (copy / ".local" / "venv").symlink_to(environment.VENV)
    yield copy
    (copy / ".local" / "venv").unlink()
    launch("clean", cwd=copy)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_demo_is_ready_and_leaves_nothing_when_stopped(checkout: Path) -> None:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    output = checkout / "said.txt"
    with output.open("w") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "launcher", "demo"],
            cwd=checkout,
            env={**env, "PORT": str(port)},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "Ctrl-C" in output.read_text() or started.poll() is not None, within=800)
        assert f"http://127.0.0.1:{port}" in output.read_text(), output.read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
    finally:
        started.send_signal(signal.SIGINT)
        code = started.wait(timeout=60)

    assert code == 0
    assert "Stopped." in output.read_text()
    assert wait_until(lambda: not _processes_in(checkout))


def _processes_in(folder: Path) -> list[str]:
    """Return the command lines of processes that belong to `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            here = (process / "cwd").readlink()
        except OSError:
            continue
        if str(folder) in line or here.is_relative_to(folder):
            found.append(line)
    return found
