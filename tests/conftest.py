"""What every test has: real servers, a database of its own, an empty Redis, Debian's browser."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import expect
from pytest_django.plugin import DjangoDbBlocker

from launcher import shared
from launcher.browser import find_browser
from tests import databases

_SERVERS = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the shared test servers unless the environment names others."""
    config.stash[_SERVERS] = ExitStack()
    # Playwright keeps an event loop in the tests' own thread, where Django would refuse its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # How long an example or a page takes says nothing here: tests share the machine.
    expect.set_options(timeout=30_000)
    hypothesis_settings.register_profile("untimed", deadline=None)
    hypothesis_settings.load_profile("untimed")
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        config.stash[_SERVERS].enter_context(shared.use())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nothing waits for it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the shared servers back; they stop by themselves when nobody uses them."""
    config.stash[_SERVERS].close()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this process a migrated database of its own."""
    with django_db_blocker.unblock(), databases.own_database():
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> None:
    """What a test has committed is taken away after it, more quickly than Django would."""
    TransactionTestCase._fixture_teardown = lambda _self: databases.empty()


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """The Redis database that this process has to itself."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        client.flushdb()


@pytest.fixture(autouse=True)
def _empty_redis(redis_client: redis.Redis) -> None:
    redis_client.flushdb()


@pytest.fixture
def process_env(django_db_setup: None) -> dict[str, str]:
    """The environment with which a process started by a test uses this test's database and Redis.

    What the test committed is all that the process sees: such a test needs `django_db(transaction=True)`.
    """
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "cs_platform.settings.development",
        "DATABASE_URL": databases.database_url(settings.DATABASES["default"]["NAME"]),
        "REDIS_URL": settings.REDIS_URL,
    }


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's Chromium; its sandbox does not work for root."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": find_browser(), "args": arguments}


@pytest.fixture(scope="session")
def base_url() -> None:
    """No address is common to the tests: each asks its own server. (The plugin's own fixture warns.)"""


@pytest.fixture(scope="session", autouse=True)
def _verify_url() -> None:
    """Nothing to reach before the tests start."""
