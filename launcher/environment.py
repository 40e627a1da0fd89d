"""The virtual environment: made when missing, brought up to the lock files when they have changed."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from launcher.console import CannotGoOn, step
from launcher.places import LOCAL, ROOT
from launcher.processes import last_lines

Level = Literal["local", "dev"]

VENV = LOCAL / "venv"
PYTHON = VENV / "bin" / "python"
_STAMP = VENV / "installed"
_LOG = LOCAL / "logs" / "install.log"


def ensure_environment(level: Level) -> None:
    """Make `.local/venv` hold what `level` needs: `local` to run the product here, `dev` to work on it as well."""
    if not _works():
        _make()
    have = set(_STAMP.read_text().split()) if _STAMP.exists() else set()
    wanted = _stamp(level)
    if wanted in have:
        return
    with step("Installing packages"):
        _install(ROOT / f"requirements-{level}.txt")
    # What serves to work on the product also runs it.
    _STAMP.write_text("\n".join([wanted] if level == "local" else [wanted, _stamp("local")]))


def _stamp(level: Level) -> str:
    return f"{level}:{hashlib.sha256((ROOT / f'requirements-{level}.txt').read_bytes()).hexdigest()}"


def _works() -> bool:
    """A folder that was moved, or whose Python is gone, has to be made anew."""
    if not PYTHON.exists():
        return False
    try:
        answer = subprocess.run(
            [PYTHON, "-c", "import sys; print(sys.prefix)"], check=False, capture_output=True, text=True
        )
    except OSError:
        return False
    return answer.returncode == 0 and Path(answer.stdout.strip()).resolve() == VENV.resolve()


def _make() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise CannotGoOn(
            "This Python comes without its venv module: "
            "install it (Debian: apt-get install python3-venv) and run again."
        )
    shutil.rmtree(VENV, ignore_errors=True)
    with step("Making a Python environment"):
        made = _run([sys.executable, "-m", "venv", VENV])
    if not made:
        raise CannotGoOn(f"The Python environment could not be made; the end of {_LOG}:\n{last_lines(_LOG)}")


def _install(lock: Path) -> None:
    """Install exactly what `lock` names: with uv, which is quick, or with pip where uv does not get through."""
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--require-hashes",
    ]
    uv: list[str | Path] = [VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes"]
    bootstrapped = _run([*pip, "-r", ROOT / "requirements-bootstrap.txt"])
    if bootstrapped and _run([*uv, "-r", lock]):
        return
    if not _run([*pip, "-r", lock]):
        raise CannotGoOn(
            "The packages could not be installed: is the network there, and does pip reach a package index? "
            f"The end of {_LOG}:\n{last_lines(_LOG)}"
        )


def _run(command: Sequence[str | Path]) -> bool:
    _LOG.parent.mkdir(parents=True, exist_ok=True)
    with _LOG.open("ab") as log:
        return subprocess.run(command, check=False, cwd=ROOT, stdout=log, stderr=log).returncode == 0
