"""Fixtures of the tests that send real mail."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.outbox.server import Postmaster, smtp_server


@pytest.fixture
def postmaster(settings: Settings) -> Iterator[Postmaster]:
    """A running mail server that the outbox sends to."""
    with smtp_server() as (keeper, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = port
        yield keeper
