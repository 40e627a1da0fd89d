from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from demo.company import Company
from demo.load import load

NOW = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Company]:
    """A small demo company, loaded once for the tests of the module and taken back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load(now=NOW, say=lambda text: None, accounts=60)
        transaction.set_rollback(True)
