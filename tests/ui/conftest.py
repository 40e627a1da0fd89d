"""The sample pages on a server of their own, and what the browser says against them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import ConsoleMessage, Page


@pytest.fixture
def site() -> Iterator[str]:
    """A server of the sample pages; they need no database."""
    server = LiveServerThread("localhost", StaticFilesHandler, connections_override={}, port=0)
    with override_settings(ROOT_URLCONF="tests.ui.urls"):
        server.start()
        server.is_ready.wait()
        yield f"http://localhost:{server.port}"
        server.terminate()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser says against the page, such as a refused inline style."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said
