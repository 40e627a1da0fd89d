"""The queue among 100,000 open tasks: the 95th percentile of its page with 50 rows, eight requests at once.

Twice: a CSM's own queue, and everybody's as a leader sees it. The floor is described in `bench/queue_floor.py`: the
same middleware, session and sign-in, the same 50 rows by one statement, as many bytes by string formatting.
"""

from __future__ import annotations

import http.client
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from accounts.models import User
from bench import Result, measure
from bench.base import make_base, size_of
from bench.web import serve
from bench.wrk import p95
from playbooks.services.priorities import refresh_priorities

CSMS = 40
TASKS_AN_ACCOUNT = 10
ROWS = 50


def run(scale: float) -> list[Result]:
    """Somebody signed in asks for the queue again and again."""
    make_base(size_of(scale))
    make_tasks()
    csm = sign_in(User.objects.get(email="csm1@example.com"))
    leader = sign_in(User.objects.create_user("leader@example.com", name="Leader", role=User.Role.LEADER))
    with TemporaryDirectory() as folder, serve() as ours:
        page = Path(folder) / "queue.html"
        page.write_bytes(_get(ours, "/queue/", csm))
        os.environ["QUEUE_PAGE"] = str(page)
        with serve("bench.queue_floor") as floor:
            ratio = len(_get(floor, "/queue/", csm)) / page.stat().st_size
            if not 0.98 < ratio < 1.05:
                raise RuntimeError(f"the floor sends {ratio:.2f} times what the queue sends")
            return [
                measure(
                    name=name,
                    unit="ms p95",
                    ours=lambda path=path, who=who: p95(ours, path, cookie=who),  # type: ignore[misc]
                    floor=lambda: p95(floor, "/queue/", cookie=csm),
                    floor_is="the same rows by one statement, as many bytes by string formatting, same middleware",
                    scale=scale,
                )
                for name, path, who in (
                    ("queue_page", "/queue/", csm),
                    ("queue_page_team", "/queue/?whose=team", leader),
                )
            ]


def _get(port: int, path: str, cookie: str) -> bytes:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("GET", path, headers={"Cookie": cookie})
    answer = asking.getresponse()
    body = answer.read()
    asking.close()
    if answer.status != 200 or body.count(b"task-") < ROWS:
        raise RuntimeError(f"{path} answered {answer.status}")
    return body


def make_tasks() -> None:
    """Forty CSMs with a book each, and ten open tasks an account."""
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
                note, priority, priority_reasons, created_at, minutes, handed, checklist)
            SELECT a.id, a.owner_id, 'Messaging is hardly used', 'Ask **who** used it before.',
                jsonb_build_array(
                    jsonb_build_object('moment', 'entry', 'at', %(now)s::timestamptz - interval '8 days', 'holds', true,
                        'findings', jsonb_build_array(finding)),
                    jsonb_build_object('moment', 'check', 'at', %(now)s::timestamptz - interval '1 day', 'holds', true,
                        'findings', jsonb_build_array(finding))),
                1 + (a.id + t) %% 4, %(now)s::timestamptz + ((a.id * 7 + t) %% 20 - 8) * interval '1 day', 'open', '',
                '', 0, '{}', %(now)s, 30, '[]', '[]'
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


def sign_in(user: User) -> str:
    """The cookie of a session of `user`."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
