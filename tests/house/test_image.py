"""The image's own commands, with production settings, on servers that were started apart from them."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from launcher.cli import PRODUCTION_SAMPLE
from launcher.places import ROOT
from launcher.processes import Family
from tests.house.processes import free_port, run_python, wait_until

BINARIES = Path(sys.executable).parent


def image_command(service: str) -> list[str]:
    """Return the command of a compose service, or the image's own where the service names none."""
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][service].get("command")
    if command is None:
        (line,) = re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        command = json.loads(line)
    return [str(word) for word in command]


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


@pytest.fixture
def production_env(process_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    own = {name: process_env[name] for name in ("DATABASE_URL", "REDIS_URL")}
    return {**process_env, **PRODUCTION_SAMPLE, **own, "STATIC_ROOT": str(tmp_path / "static")}


@pytest.fixture
def deployment(production_env: dict[str, str], tmp_path: Path) -> Iterator[tuple[Family, int]]:
    """Web, worker and beat as compose starts them, on a free port and with beat's file in a folder of the test's."""
    collected = run_python("manage.py", "collectstatic", "--noinput", env=production_env)
    assert collected.returncode == 0, collected.stderr
    port = free_port()
    with Family(logs=tmp_path) as family:
        for service in ("web", "worker", "beat"):
            program, *words = image_command(service)
            words = [
                word.replace("0.0.0.0:8000", f"127.0.0.1:{port}").replace("/tmp/beat", f"{tmp_path}/beat")
                for word in words
            ]
            family.start(service, [BINARIES / program, *words], env=production_env)
        yield family, port


@pytest.mark.django_db(transaction=True)
def test_deployment_answers_when_started_by_the_images_commands(
    deployment: tuple[Family, int], production_env: dict[str, str], tmp_path: Path
) -> None:
    family, port = deployment

    ready = wait_until(lambda: get(port, "/readyz")[0] == 200, within=120)

    logs = "\n".join(path.read_text()[-3000:] for path in tmp_path.glob("*.log"))
    assert ready, f"{get(port, '/readyz')}\n{logs}"
    assert get(port, "/healthz") == (200, b"ok\n")
    assert json.loads(get(port, "/readyz")[1])["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "redis": "ok",
        "beat": "ok",
    }
    ping = subprocess.run(
        [
            BINARIES / "celery",
            "-A",
            "cs_platform",
            "inspect",
            "ping",
            "--destination",
            f"celery@{socket.gethostname()}",
        ],
        check=False,
        cwd=ROOT,
        env=production_env,
        capture_output=True,
        text=True,
    )
    assert "pong" in ping.stdout, ping.stderr
    assert family.first_dead() is None
    for line in (tmp_path / "worker.log").read_text().splitlines():
        if line.startswith("{"):
            assert json.loads(line)["level"] not in {"error", "critical"}, line


@pytest.mark.parametrize("missing", ["SECRET_KEY", "SECRETS_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"])
def test_process_does_not_start_when_a_required_value_is_missing(missing: str, production_env: dict[str, str]) -> None:
    env = {name: value for name, value in production_env.items() if name != missing}

    refused = run_python("manage.py", "check", env=env)

    assert refused.returncode != 0
    assert missing in refused.stderr
