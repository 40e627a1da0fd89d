"""The queue of a CSM among 100,000 open tasks: the 95th percentile of a page with 50 rows, over HTTP."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from accounts.models import User
from bench import Result, measure
from bench.base import make_base, size_of
from bench.web import serve
from playbooks.services.priorities import refresh_priorities

CSMS = 40
TASKS_AN_ACCOUNT = 10
REQUESTS = 150


def run(scale: float) -> Result:
    """One signed-in CSM asks for the queue again and again; the floor is an empty view behind the same middleware."""
    accounts = size_of(scale)
    make_base(accounts)
    _make_tasks()
    session = _sign_in(User.objects.get(email="csm1@example.com"))
    with serve() as ours, serve("bench.empty_view") as floor:
        return measure(
            name="queue_page",
            unit="ms p95",
            ours=_p95(ours, session, expected=b'id="task-'),
            floor=_p95(floor, session, expected=b""),
            floor_is="an empty view behind the same middleware and session",
            scale=scale,
        )


def _make_tasks() -> None:
    now = datetime.now(UTC)
    for n in range(1, CSMS + 1):
        User.objects.create_user(f"csm{n}@example.com", name=f"CSM {n}", role=User.Role.CSM)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE accounts_account a SET owner_id = u.id
            FROM accounts_user u WHERE u.email = 'csm' || (1 + a.id %% %(csms)s) || '@example.com'
            """,
            {"csms": CSMS},
        )
        cursor.execute(
            """
            INSERT INTO playbooks_task (account_id, owner_id, title, guidance, why, severity, due_at, status, outcome,
                note, priority, priority_reasons, created_at)
            SELECT a.id, a.owner_id, 'Messaging is hardly used', 'Ask **who** used it before.',
                jsonb_build_array(
                    jsonb_build_object('moment', 'entry', 'at', %(now)s::timestamptz - interval '8 days', 'holds', true,
                        'findings', jsonb_build_array(finding)),
                    jsonb_build_object('moment', 'check', 'at', %(now)s::timestamptz - interval '1 day', 'holds', true,
                        'findings', jsonb_build_array(finding))),
                1 + (a.id + t) %% 4, %(now)s::timestamptz + ((a.id * 7 + t) %% 20 - 8) * interval '1 day', 'open', '',
                '', 0, '{}', %(now)s
            FROM accounts_account a, generate_series(1, %(tasks)s) t, LATERAL (SELECT jsonb_build_object(
                'path', 'all[0]', 'attribute', 'usage.feature-1.28d', 'operator', 'lt', 'expected', 10,
                'found', (a.id + t) %% 9, 'heard_at', null, 'holds', true, 'label', 'Messaging, 28 days',
                'type', 'number', 'unit', '') AS finding) found
            """,
            {"now": now, "tasks": TASKS_AN_ACCOUNT},
        )
    refresh_priorities(now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _sign_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _p95(port: int, session: str, *, expected: bytes) -> Callable[[], float]:
    """A round of requests one after another on one connection; gives their 95th percentile in milliseconds."""

    def once() -> float:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        taken = []
        for _ in range(REQUESTS):
            started = time.perf_counter()
            connection.request("GET", "/queue/", headers={"Cookie": session})
            answer = connection.getresponse()
            body = answer.read()
            taken.append((time.perf_counter() - started) * 1000)
            if answer.status != 200 or expected not in body:
                raise RuntimeError(f"the queue answered {answer.status}")
        connection.close()
        return statistics.quantiles(taken, n=20)[-1]

    return once
