"""Every pytest process has a database and a Redis database to itself."""

import os

import pytest
import redis
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_database_is_this_processes_own_when_a_test_runs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (f"test_{os.getpid()}",)


def test_redis_is_empty_and_numbered_when_a_test_starts(redis_client: redis.Redis) -> None:
    assert redis_client.dbsize() == 0
    assert not settings.REDIS_URL.endswith("db=0")
