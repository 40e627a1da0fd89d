"""A year of ten playbooks: usage, health and events are made by arithmetic, so that each replay is of the same year."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection

from accounts.models import Event
from accounts.services.ledger import record_many
from common.sql import SQL, execute, rows
from playbooks.models import Playbook
from playbooks.services import advance_due, consume_events, evaluate_entries, publish, wake_waiting

START = datetime(2026, 1, 1, 7, 0, tzinfo=UTC)
DAYS = 365
AT_ONCE = 1000

_COMPANY = (
    """
    INSERT INTO accounts_workspace
        (id, name, time_zone, currency, language, holiday_country, csms_see_only_their_book)
    VALUES (1, 'Year', 'Europe/Berlin', 'EUR', 'en', 'DE', false)
    """,
    """
    INSERT INTO usage_feature (key, name, is_essential, defines_value, created_at)
    VALUES ('messaging', 'Messaging', false, false, {now}), ('reports', 'Reports', true, true, {now})
    """,
    """
    INSERT INTO accounts_stage (key, name, position, is_lost) VALUES ('risk', 'At risk', 900, false)
    """,
    """
    INSERT INTO accounts_account (name, external_id, domains, touch_model, seats, industry, country, language,
        time_zone, tags, custom, customer_since, created_at, updated_at)
    SELECT 'Account ' || n, n::text, '{{}}', 'high_touch', 5 + n %% 300, '', 'DE', 'en', '', '{{}}', '{{}}',
        {now}::date - n %% 900, {now}, {now}
    FROM generate_series(1, {accounts}) n ORDER BY n
    """,
    """
    INSERT INTO usage_accountactivity (account_id, first_event_at, last_event_at)
    SELECT id, {now} - interval '400 days', {now} FROM accounts_account
    """,
    """
    INSERT INTO usage_rollingusage (account_id, feature_id, last_7, last_28, prior_28, whole_28, whole_prior_28,
        first_day, last_day)
    SELECT a.id, f.id, 20, 80, 80, 80, 80, {now}::date - 300, {now}::date FROM accounts_account a, usage_feature f
    """,
    """
    INSERT INTO revenue_subscription (account_id, mrr, currency, term_months, started_on, renews_on, is_trial,
        auto_renews, updated_at)
    SELECT id, 100 + external_id::int %% 900, 'EUR', 12, {now}::date - 500,
        {now}::date + 1 + external_id::int * 7 %% 360, false, true, {now}
    FROM accounts_account
    """,
)
_PASSES = (
    # Every account's use drifts once a week, on a day of its own.
    """
    UPDATE usage_rollingusage r SET last_7 = abs(hashint8(a.external_id::int * 1009 + f.id_in_order * 31 + {day})) %% 40
    FROM accounts_account a, (SELECT id, row_number() OVER (ORDER BY key) AS id_in_order FROM usage_feature) f
    WHERE a.id = r.account_id AND f.id = r.feature_id AND (a.external_id::int + {day}) %% 7 = 0
    """,
    """
    UPDATE accounts_account SET seats = 5 + abs(hashint8(external_id::int * 2003 + {day})) %% 300
    WHERE (external_id::int + {day}) %% 30 = 0
    """,
    """
    UPDATE revenue_subscription SET renews_on = renews_on + 365 WHERE renews_on < {today}
    """,
)
_HAPPENS = SQL("""
SELECT id, kind, data FROM (
    SELECT id, external_id::int AS n, 'survey.answered' AS kind, abs(hashint8(external_id::int * 3001 + {day})) AS h,
        jsonb_build_object('category', (ARRAY['promoter', 'passive', 'detractor'])
            [1 + abs(hashint8(external_id::int * 4001 + {day})) %% 3]) AS data
    FROM accounts_account
    UNION ALL
    SELECT id, external_id::int, 'health.band_changed', abs(hashint8(external_id::int * 5003 + {day})),
        jsonb_build_object('from', 'green', 'to', (ARRAY['red', 'yellow'])
            [1 + abs(hashint8(external_id::int * 6007 + {day})) %% 2])
    FROM accounts_account
) what WHERE h %% 60 = 0 ORDER BY kind, n
""")
_LOG = SQL("""
SELECT a.external_id, p.key, s.position, s.step, s.kind, s.decision, s.taken_at, s.facts ->> 'until',
    s.facts -> 'seen' -> 'findings' -> 0 ->> 'found'
FROM playbooks_runstep s JOIN playbooks_run r ON r.id = s.run_id JOIN playbooks_playbook p ON p.id = r.playbook_id
JOIN accounts_account a ON a.id = r.account_id
ORDER BY a.external_id::int, p.key, r.entered_at, s.position
""")


def _leaf(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def _condition(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"kind": "condition", "condition": _leaf(attribute, operator, value)}


def _task(title: str) -> dict[str, Any]:
    return {"id": "call", "kind": "task", "title": title}


_QUIET = _leaf("usage.messaging.7d", "lt", 5)
_BUSY = _leaf("usage.messaging.7d", "gte", 10)
PLAYBOOKS: dict[str, dict[str, Any]] = {
    "quiet": {
        "entry": {"kind": "condition", "condition": _QUIET},
        "reentry_after_days": 30,
        "steps": [
            {"id": "wait", "kind": "wait", "days": 7},
            {"id": "again", "kind": "check", "condition": _QUIET, "otherwise": "recovered"},
            _task("Ask why"),
        ],
    },
    "busy": {
        "entry": _condition("usage.reports.7d", "gt", 36),
        "reentry_after_days": 90,
        "steps": [{"id": "wait", "kind": "wait", "business_days": 2}, _task("Offer more seats")],
    },
    "big": {
        "entry": _condition("seats", "gt", 250),
        "goal": _leaf("usage.reports.7d", "gt", 30),
        "reentry_after_days": 60,
        "steps": [{"id": "wait", "kind": "wait", "days": 10}, _task("Visit")],
    },
    "unhappy": {
        "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
        "reentry_after_days": 0,
        "steps": [{"id": "wait", "kind": "wait", "hours": 12}, _task("Call back")],
    },
    "red": {
        "entry": {"kind": "event", "event": "health.band_changed", "data": {"to": "red"}},
        "reentry_after_days": 14,
        "exit": _leaf("seats", "lt", 20),
        "steps": [
            {"id": "wait", "kind": "wait", "business_days": 1},
            {
                "id": "which",
                "kind": "branch",
                "ways": [{"when": _leaf("seats", "gt", 150), "to": "call"}, {"when": _BUSY, "to": "exited"}],
            },
            {"id": "done", "kind": "go", "to": "finished"},
            _task("Talk to the sponsor"),
        ],
    },
    "renewal": {
        "entry": {"kind": "date", "attribute": "renewal_on", "days": -60},
        "reentry_after_days": 200,
        "steps": [
            {"id": "wait", "kind": "wait_for_date", "attribute": "renewal_on", "days": -30},
            _task("Prepare the renewal"),
        ],
    },
    "training": {
        "entry": _condition("usage.reports.7d", "lt", 3),
        "reentry_after_days": 45,
        "steps": [
            {"id": "until", "kind": "wait_until", "condition": _BUSY, "days": 14, "otherwise": "call"},
            {"id": "done", "kind": "go", "to": "recovered"},
            _task("Offer a training"),
        ],
    },
    "first": {
        "entry": _condition("usage.messaging.7d", "eq", 0),
        "priority": 90,
        "reentry_after_days": 20,
        "steps": [{"id": "wait", "kind": "wait", "days": 21}],
    },
    "second": {
        "entry": _condition("usage.messaging.7d", "lt", 3),
        "priority": 10,
        "reentry_after_days": 20,
        "steps": [{"id": "wait", "kind": "wait", "days": 5}],
    },
    "risk": {
        "entry": _condition("seats", "lt", 8),
        "reentry_after_days": None,
        "steps": [{"id": "wait", "kind": "wait", "days": 30}, {"id": "move", "kind": "stage", "stage": "risk"}],
    },
}


def replay(
    accounts: int, *, days: int = DAYS, playbooks: dict[str, dict[str, Any]] = PLAYBOOKS
) -> list[tuple[Any, ...]]:
    """Empty the database and let the days pass; returns who took which step of what, when, and on what found."""
    call_command("flush", interactive=False, verbosity=0)
    for statement in _COMPANY:
        execute(SQL(statement).format(now=_at(START), accounts=SQL("%s", (accounts,))))
    for key, definition in playbooks.items():
        playbook = Playbook.objects.create(key=key, name=key)
        publish(playbook=playbook, definition=definition, author=None, note="", now=START)
    for day in range(days):
        now = START + timedelta(days=day)
        _pass(day, now)
        evaluate_entries(now=now)
        wake_waiting(now=now)
        while consume_events(now=now, limit=AT_ONCE) or advance_due(now=now, limit=AT_ONCE):
            pass
        if day % 30 == 0:
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
    return rows(_LOG)


def _pass(day: int, now: datetime) -> None:
    number = SQL("%s::int", (day,))
    for statement in _PASSES:
        execute(SQL(statement).format(day=number, today=SQL("%s::date", (now.date(),))))
    record_many(
        [
            Event(account_id=account_id, kind=kind, happened_at=now, data=json.loads(data))
            for account_id, kind, data in rows(_HAPPENS.format(day=number))
        ]
    )


def _at(instant: datetime) -> SQL:
    return SQL("%s::timestamptz", (instant,))
