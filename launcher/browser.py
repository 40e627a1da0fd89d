"""The browser in which pages are tested: the system's Chromium."""

import os
import shutil
import subprocess

from launcher.console import CannotGoOn, step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str:
    """Return the path of the installed browser, or raise a sentence that says how to get one."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise CannotGoOn(
            "The page tests need a browser: install Chromium (Debian: apt-get install chromium) and run again."
        )
    return found


def ensure_browser() -> None:
    """Install Debian's Chromium when there is no browser and this user may install one."""
    if any(map(shutil.which, NAMES)):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with step("Installing Chromium"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", "-qq", *arguments], check=False, env=environment, stdout=subprocess.DEVNULL)
    find_browser()
