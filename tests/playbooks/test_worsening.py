"""Snoozed until it gets worse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, Event
from health.models import HealthScore, NamedScore
from playbooks.models import Task
from playbooks.services.tasks import create_task, snooze_task
from playbooks.services.worsening import wake_worsened
from tests.factories import NOW, AccountFactory, SubscriptionFactory, TicketFactory, UserFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def score(account: Account, points: float, band: str) -> None:
    HealthScore.objects.filter(account=account).delete()
    HealthScore.objects.create(
        account=account,
        named=NamedScore.objects.get_or_create(key=NamedScore.OVERALL)[0],
        score=points,
        band=band,
        profile_id=1,
        values=[],
        points=[],
        heard=[],
        since=NOW,
        computed_at=NOW,
    )


def finding(**details: Any) -> dict[str, Any]:
    return {
        "path": "",
        "attribute": "tickets.open",
        "operator": "gt",
        "expected": 1,
        "found": 2,
        "holds": True,
        "label": "Open tickets",
        "type": "number",
        "unit": "",
        **details,
    }


def snoozed(account: Account, *, why: list[dict[str, Any]] | None = None) -> Task:
    owner = UserFactory()
    task = create_task(
        account=account,
        owner=owner,
        title="Call",
        due_at=NOW,
        why=[{"moment": "check", "at": NOW.isoformat(), "holds": True, "findings": why}] if why else [],
        now=NOW,
    )
    return snooze_task(task=task, by=owner, until=NOW + 30 * DAY, or_worse=True, now=NOW)


def test_task_sleeps_on_while_nothing_gets_worse() -> None:
    account = AccountFactory()
    score(account, 71, "good")
    task = snoozed(account)

    score(account, 68, "good")
    assert wake_worsened(now=NOW + DAY) == 0
    task.refresh_from_db()
    assert task.snoozed_until == NOW + 30 * DAY


@pytest.mark.parametrize(("points", "band"), [(66, "good"), (69, "watch")])
def test_task_wakes_when_health_falls_by_five_points_or_into_a_lower_band(points: float, band: str) -> None:
    account = AccountFactory()
    score(account, 71, "good")
    task = snoozed(account)

    score(account, points, band)
    assert wake_worsened(now=NOW + DAY) == 1
    task.refresh_from_db()
    assert task.snoozed_until is None
    assert task.snoozed_for is None
    assert task.woken is not None
    assert (task.woken["kind"], task.woken["from"], task.woken["to"]) == ("health", 71, points)
    assert Event.objects.get(kind="task.woken").data["because"]["kind"] == "health"
    assert wake_worsened(now=NOW + DAY) == 0


def test_task_wakes_when_the_number_it_was_made_for_moves_on() -> None:
    account = AccountFactory()
    TicketFactory.create_batch(2, account=account)
    task = snoozed(account, why=[finding()])

    assert wake_worsened(now=NOW + DAY) == 0
    TicketFactory(account=account)
    assert wake_worsened(now=NOW + DAY) == 1
    task.refresh_from_db()
    assert task.woken is not None
    assert (task.woken["attribute"], task.woken["from"], task.woken["to"]) == ("tickets.open", 2, 3)


def test_number_is_watched_to_the_other_side_when_little_was_looked_for() -> None:
    account = AccountFactory()
    tickets = TicketFactory.create_batch(2, account=account)
    snoozed(account, why=[finding(operator="lt", expected=5)])

    TicketFactory(account=account)
    assert wake_worsened(now=NOW + DAY) == 0
    for ticket in tickets:
        ticket.delete()
    assert wake_worsened(now=NOW + DAY) == 1


def test_task_wakes_when_the_renewal_comes_within_thirty_days() -> None:
    account = AccountFactory()
    SubscriptionFactory(account=account, renews_on=(NOW + 40 * DAY).date())
    task = snoozed(account)

    assert wake_worsened(now=NOW + 9 * DAY) == 0
    assert wake_worsened(now=NOW + 10 * DAY) == 1
    task.refresh_from_db()
    assert task.woken is not None
    assert task.woken["kind"] == "renewal"


def test_renewal_that_was_near_already_wakes_nothing() -> None:
    account = AccountFactory()
    SubscriptionFactory(account=account, renews_on=(NOW + 20 * DAY).date())
    snoozed(account)

    assert wake_worsened(now=NOW + DAY) == 0


def test_task_snoozed_until_a_day_alone_sleeps_whatever_comes() -> None:
    account = AccountFactory()
    score(account, 71, "good")
    owner = UserFactory()
    task = create_task(account=account, owner=owner, title="Call", due_at=NOW, now=NOW)
    snooze_task(task=task, by=owner, until=NOW + 30 * DAY, now=NOW)

    score(account, 5, "poor")
    assert wake_worsened(now=NOW + DAY) == 0
