"""A company of any size for benches, made in SQL: 40 features, rolled-up usage, users, tickets, touches, contracts."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
FEATURES = 40

_STATEMENTS = (
    "SELECT setseed(0.5)",
    """
    INSERT INTO accounts_workspace
        (id, name, time_zone, currency, language, holiday_country, csms_see_only_their_book)
    VALUES (1, 'Bench', 'Europe/Sofia', 'USD', 'en', '', false) ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO accounts_plan (key, name) SELECT 'plan-' || p, 'Plan ' || p FROM generate_series(1, 3) p
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO usage_feature (key, name, is_essential, defines_value, created_at)
    SELECT 'feature-' || f, 'Feature ' || f, f <= 5, f = 1, %(now)s FROM generate_series(1, {features}) f
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO usage_planfeature (plan_id, feature_id)
    SELECT p.id, f.id FROM accounts_plan p JOIN usage_feature f
        ON substr(f.key, 9)::int <= CASE p.key WHEN 'plan-1' THEN 15 WHEN 'plan-2' THEN 28 ELSE {features} END
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO accounts_account (name, external_id, domains, touch_model, plan_id, seats, industry, country, language,
        time_zone, tags, custom, customer_since, created_at, updated_at)
    SELECT 'Account ' || n, 'acc-' || n, '{{}}',
        (ARRAY['self_service', 'low_touch', 'high_touch'])[1 + n %% 3], p.id, 5 + (random() * random() * 995)::int,
        (ARRAY['retail', 'software', 'health', 'public'])[1 + n %% 4], (ARRAY['BG', 'US', 'DE', 'CN'])[1 + n / 7 %% 4],
        'en', '', CASE WHEN n %% 10 = 0 THEN ARRAY['beta'] ELSE '{{}}' END, '{{}}',
        (%(now)s - random() * interval '1500 days')::date, %(now)s, %(now)s
    FROM generate_series(%(first)s, %(accounts)s) n JOIN accounts_plan p ON p.key = 'plan-' || (1 + n / 3 %% 3)
    ORDER BY n
    """,
    """
    INSERT INTO usage_accountactivity (account_id, first_event_at, last_event_at)
    SELECT id, %(now)s - interval '400 days', %(now)s - random() * random() * interval '60 days'
    FROM accounts_account WHERE id >= %(first)s AND id %% 50 <> 0
    """,
    """
    INSERT INTO usage_rollingusage (account_id, feature_id, last_7, last_28, prior_28, whole_28, whole_prior_28,
        first_day, last_day)
    SELECT a.id, pf.feature_id, u / 4, u, (u * (0.5 + random()))::int, u, (u * (0.5 + random()))::int,
        %(now)s::date - 300, %(now)s::date - (random() * 30)::int
    FROM accounts_account a JOIN usage_planfeature pf ON pf.plan_id = a.plan_id,
        LATERAL (SELECT (random() * random() * 200)::int AS u WHERE a.id + pf.feature_id > 0) used
    WHERE a.id >= %(first)s AND a.id %% 50 <> 0 AND (a.id + pf.feature_id) %% 5 <> 0
    """,
    """
    INSERT INTO usage_useractivity (account_id, user_id, first_day, last_day)
    SELECT a.id, 'user-' || u, %(now)s::date - 300, %(now)s::date - (random() * 90)::int
    FROM accounts_account a, generate_series(1, 8) u WHERE a.id >= %(first)s AND a.id %% 50 <> 0
    """,
    """
    INSERT INTO accounts_ticket (account_id, source, external_id, subject, priority, opened_at, solved_at,
        reopened_count, is_escalated, heard_at)
    SELECT a.id, 'desk', a.id || '-' || t, 'Help', (ARRAY['low', 'medium', 'high', 'urgent'])[1 + t %% 4], o.at,
        CASE WHEN random() < 0.7 THEN o.at + interval '2 days' END, 0, false, %(now)s
    FROM accounts_account a, generate_series(1, 4) t,
        LATERAL (SELECT %(now)s - random() * interval '120 days' AS at WHERE a.id + t > 0) o
    WHERE a.id >= %(first)s AND (a.id + t) %% 3 <> 0
    """,
    """
    INSERT INTO accounts_touchpoint (account_id, kind, direction, sentiment, summary, body, next_step, happened_at,
        created_at)
    SELECT a.id, 'call', 'outbound', '', 'Spoke', '', '', %(now)s - random() * interval '200 days', %(now)s
    FROM accounts_account a, generate_series(1, 4) t WHERE a.id >= %(first)s AND (a.id + t) %% 3 <> 0
    """,
    """
    INSERT INTO revenue_subscription (account_id, plan_id, mrr, currency, term_months, started_on, renews_on, ended_on,
        is_trial, auto_renews, updated_at)
    SELECT a.id, a.plan_id, 50 + (random() * 2000)::int, 'USD', 12, %(now)s::date - 500,
        %(now)s::date + 1 + (random() * 360)::int, CASE WHEN l = 2 AND a.id %% 2 = 0 THEN %(now)s::date - 30 END,
        false, true, %(now)s
    FROM accounts_account a, generate_series(1, 2) l WHERE a.id >= %(first)s
    """,
    "VACUUM ANALYZE",
)


def make_base(accounts: int, *, first: int = 1, now: datetime = NOW) -> None:
    """Fill the empty database with a company of so many accounts as it is at ``now``.

    With ``first``, the accounts from that one on are added to those before it.
    """
    given: dict[str, datetime | int] = {"now": now, "first": first, "accounts": accounts}
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement.format(features=FEATURES), given)


def size_of(scale: float) -> int:
    """How many accounts a scale means: 10,000 times it, or, from 1,000 on, just that number."""
    return int(scale) if scale >= 1_000 else max(1, int(10_000 * scale))
