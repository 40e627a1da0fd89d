"""The lock files say what to install and nothing about where from."""

import re

import pytest

from launcher.places import ROOT

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def test_all_lock_files_are_there_when_listed() -> None:
    assert LOCKS == [
        "requirements-bootstrap.txt",
        "requirements-dev.txt",
        "requirements-local.txt",
        "requirements.txt",
    ]


@pytest.mark.parametrize("name", [*LOCKS, "package-lock.json", "pyproject.toml"])
def test_lock_has_no_download_address_when_read(name: str) -> None:
    text = (ROOT / name).read_text()

    assert not re.findall(r"https?://[^\s\"]*\.(?:whl|tgz|gz|zip)|--(?:index|extra-index|find-links)", text)
    assert '"resolved"' not in text


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_a_hash_when_locked(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())

    assert entries
    assert [entry for entry in entries if not re.match(r"[a-z0-9._-]+==\S+.*--hash=sha256:", entry, re.DOTALL)] == []


def test_packages_agree_when_they_are_in_several_locks() -> None:
    pins: dict[str, set[str]] = {}
    for name in LOCKS:
        for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
            pins.setdefault(package, set()).add(version)

    assert {package: versions for package, versions in pins.items() if len(versions) > 1} == {}
