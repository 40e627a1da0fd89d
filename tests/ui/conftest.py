"""Fixtures of the browser tests."""

import pytest


@pytest.fixture(scope="session")
def base_url() -> None:
    """No address is common to the tests: each asks its own server. (The plugin's own fixture warns.)"""
