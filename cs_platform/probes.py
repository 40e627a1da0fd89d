"""What a load balancer and an operator ask: does the process live, and can it do its work?"""

from collections.abc import Callable
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from accounts.models import Heartbeat
from common import clock

BEAT_IS_LATE_AFTER = timedelta(minutes=2)

_redis = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


class NotReady(Exception):  # it is an answer, not a fault of this process
    """One thing that the process needs is missing; the text says which."""


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process can answer at all; asks nothing of any other server."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations, Redis and beat are well, else 503; the body names each and its state."""
    checks: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check()
        except NotReady as reason:
            checks[name] = str(reason)
        except DatabaseError:
            checks[name] = "the database does not answer"
        except redis.RedisError:
            checks[name] = "Redis does not answer"
        else:
            checks[name] = "ok"
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("migrations are waiting: run `manage.py migrate`")


def _redis_answers() -> None:
    _redis.ping()


def _beat() -> None:
    last = Heartbeat.objects.filter(name="beat").values_list("beat_at", flat=True).first()
    if last is None:
        raise NotReady("beat has never ticked")
    if clock.now() - last > BEAT_IS_LATE_AFTER:
        raise NotReady(f"beat last ticked at {last.isoformat(timespec='seconds')}")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis_answers,
    "beat": _beat,
}
