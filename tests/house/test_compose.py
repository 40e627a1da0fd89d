"""docker-compose.yml is the production shape: valid, complete in .env.example, and run with few rights."""

import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from launcher.places import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text()


def compose() -> dict[str, Any]:
    """Return what compose reads once it has merged the anchors and put the variables in."""

    def value(found: re.Match[str]) -> str:
        return found["default"] if found["kind"] == ":-" else "given"

    filled = re.sub(r"\$\{[A-Z_]+(?P<kind>:[-?])(?P<default>[^}]*)\}", value, COMPOSE)
    loaded: dict[str, Any] = yaml.safe_load(filled.replace("$$", "$"))
    return loaded


def test_compose_file_is_valid_when_checked_against_the_schema() -> None:
    checked = PyCompose.from_yaml(yaml.safe_dump(compose()))

    assert set(checked.service_names()) == {"migrate", "web", "worker", "beat", "postgres", "redis"}


def test_schema_refuses_when_a_key_is_misspelt() -> None:
    with pytest.raises(ValueError, match="shm_sise"):
        PyCompose.from_yaml(yaml.safe_dump(compose()).replace("shm_size", "shm_sise"))


def test_every_long_running_service_has_a_health_check_when_deployed() -> None:
    services = compose()["services"]

    assert [name for name, service in services.items() if "healthcheck" not in service] == ["migrate"]


def test_our_services_have_no_rights_to_spare_when_deployed() -> None:
    services = compose()["services"]

    for name in ("migrate", "web", "worker", "beat"):
        assert services[name]["read_only"] is True, name
        assert services[name]["cap_drop"] == ["ALL"], name
    assert re.search(r"^USER cs$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_env_example_names_every_variable_when_compose_asks_for_it() -> None:
    example = (ROOT / ".env.example").read_text()
    offered = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))

    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) - offered == {"CS_IMAGE"}
