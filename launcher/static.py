"""The static files as production serves them: named by content and compressed, made anew only when they changed."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from launcher.console import CannotGoOn, step
from launcher.environment import PYTHON
from launcher.places import LOCAL, ROOT

STATIC_ROOT = LOCAL / "static"
_STAMP = STATIC_ROOT / "made-from"


def collect_static(env: Mapping[str, str]) -> None:
    """Have `STATIC_ROOT` hold what `static/` and the installed packages hold now."""
    wanted = _fingerprint()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    shutil.rmtree(STATIC_ROOT, ignore_errors=True)
    with step("Collecting static files"):
        command: list[str | Path] = [PYTHON, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
        done = subprocess.run(command, check=False, cwd=ROOT, env={**env, "STATIC_ROOT": str(STATIC_ROOT)})
    if done.returncode:
        raise CannotGoOn("The static files could not be collected: `manage.py collectstatic` says why above.")
    _STAMP.write_text(wanted)


def _fingerprint() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    sources = [ROOT / "cs_platform" / "static.py", *(ROOT / "static").rglob("*")]
    for path in sorted(path for path in sources if path.is_file()):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
