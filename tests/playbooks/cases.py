"""The reference case and small helpers that the tests of playbooks share."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account, User
from playbooks.models import Playbook
from playbooks.services import advance_due, consume_events, evaluate_entries, publish
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    FeatureFactory,
    PlanFactory,
    PlanFeatureFactory,
    PlaybookFactory,
    RollingUsageFactory,
    UserFactory,
)
from usage.models import Feature, RollingUsage

DAY = timedelta(days=1)


def leaf(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


LOW = leaf("usage.messaging.7d", "lt", 10)

REFERENCE: dict[str, Any] = {
    "entry": {"kind": "condition", "condition": LOW},
    "audience": {"all": []},
    "exit": None,
    "reentry_after_days": 30,
    "steps": [
        {"id": "wait", "kind": "wait", "days": 7},
        {"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"},
        {"id": "call", "kind": "task", "title": "Ask why messaging is quiet", "guidance": "Offer a training."},
    ],
}


def published(definition: dict[str, Any] = REFERENCE, *, now: datetime = NOW, **fields: Any) -> Playbook:
    messaging()
    playbook: Playbook = PlaybookFactory(**fields)
    publish(playbook=playbook, definition=definition, author=None, note="", now=now)
    return playbook


def messaging() -> Feature:
    feature = Feature.objects.filter(key="messaging").first()
    made: Feature = feature or FeatureFactory(key="messaging", name="Messaging")
    return made


def customer(*, uses: int, owner: User | None = None, **fields: Any) -> Account:
    """An account with messaging in its plan that used it so often in the last seven days."""
    account: Account = AccountFactory(owner=owner or UserFactory(), **fields)
    ActivityFactory(account=account)
    RollingUsageFactory(account=account, feature=messaging(), last_7=uses)
    return account


def customer_without_messaging() -> Account:
    messaging()
    plan = PlanFactory()
    PlanFeatureFactory(plan=plan, feature=FeatureFactory())
    account: Account = AccountFactory(plan=plan)
    ActivityFactory(account=account)
    return account


def now_uses(account: Account, uses: int) -> None:
    RollingUsage.objects.filter(account=account).update(last_7=uses)


def pass_time(start: datetime, end: datetime, *, step: timedelta = timedelta(hours=12)) -> datetime:
    """Let everything periodic run from ``start`` to ``end``; returns ``end``."""
    now = start
    while now <= end:
        evaluate_entries(now=now)
        settle(now)
        now += step
    return end


def settle(now: datetime) -> None:
    """Do all that is due at ``now``."""
    while consume_events(now=now, limit=100):
        pass
    while advance_due(now=now, limit=100):
        pass
