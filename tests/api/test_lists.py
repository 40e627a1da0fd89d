"""Every list: pages by cursor that neither skip nor repeat, narrowed by conditions where its rows are of accounts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from accounts.services.ledger import record
from cs_platform.api import router
from notifications.models import Notification
from playbooks.models import Assignment, Holdout, Run
from playbooks.services import enter_by_hand
from revenue.models import Opportunity
from surveys.services import answer
from tests.api.clients import api
from tests.factories import (
    NOW,
    AccountFactory,
    ContactFactory,
    InvoiceFactory,
    LeaveFactory,
    MeasureFactory,
    NamedScoreFactory,
    OverrideFactory,
    PlaybookFactory,
    ProfileFactory,
    RatingFactory,
    SegmentFactory,
    SurveyFactory,
    TaskFactory,
    TicketFactory,
    TouchpointFactory,
    UserFactory,
    VersionFactory,
)
from tests.playbooks.cases import REFERENCE, published
from tests.revenue.test_opportunities import opened
from tests.surveys.invited import invited, token_of

pytestmark = pytest.mark.django_db

LARGE = json.dumps({"attribute": "seats", "operator": "gte", "value": 50})
SEATS = (5, 50, 500)


def run_for(account: Account) -> Run:
    playbook = published({**REFERENCE, "entry": {"kind": "manual"}})
    enter_by_hand(playbook=playbook, account_ids=[account.pk], by=UserFactory(), now=NOW)
    return Run.objects.get(account=account)


def response_of(account: Account) -> Any:
    answer(token=token_of(invited(account=account)), score=9, comment="", now=NOW)
    return account.responses.get()


def opportunity_of(account: Account) -> Opportunity:
    return opened(account)


def notification_about(account: Account) -> Notification:
    """Something that the one admin is told."""
    reader = User.objects.get(role=User.Role.ADMIN)
    given = {"kind": "account.given", "channel": "app", "key": f"about {account.pk}"}
    return Notification.objects.create(user=reader, account=account, created_at=NOW, **given)


def holdout() -> Holdout:
    given = {"share": 20, "outcome": {}, "after_days": 7, "base_rate": 20, "verdict_on": NOW.date()}
    return Holdout.objects.create(playbook=PlaybookFactory(), started_at=NOW, **given)


OF_ACCOUNTS: dict[str, Callable[[Account], Any]] = {
    "accounts": lambda account: account,
    "contacts": lambda account: ContactFactory(account=account),
    "events": lambda account: record(account=account, kind="task.done", happened_at=NOW),
    "health/overrides": lambda account: OverrideFactory(account=account),
    "invoices": lambda account: InvoiceFactory(account=account),
    "notifications": notification_about,
    "opportunities": opportunity_of,
    "ratings": lambda account: RatingFactory(account=account),
    "responses": response_of,
    "runs": run_for,
    "tasks": lambda account: TaskFactory(account=account),
    "tickets": lambda account: TicketFactory(account=account),
    "touchpoints": lambda account: TouchpointFactory(account=account),
}
DEFINED: dict[str, Callable[[], Any]] = {
    "assignments": lambda: Assignment.objects.create(made_at=NOW),
    "health/scores": NamedScoreFactory,
    "health/versions": VersionFactory,
    "holdouts": holdout,
    "leaves": LeaveFactory,
    "measures": MeasureFactory,
    "playbooks": PlaybookFactory,
    "profiles": ProfileFactory,
    "segments": SegmentFactory,
    "surveys": SurveyFactory,
}


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def shown(client: Client, resource: str, **query: Any) -> list[int]:
    return [row["id"] for row in client.get(f"/api/v1/{resource}/", query).json()["results"]]


def name_of(resource: str) -> str:
    """What a row of the list is known by."""
    return "key" if resource == "measures" else "id"


def test_every_resource_is_looked_at_here() -> None:
    assert {prefix for prefix, _view, _name in router.registry} == OF_ACCOUNTS.keys() | DEFINED.keys()


@pytest.mark.parametrize("resource", OF_ACCOUNTS)
def test_list_is_narrowed_by_a_condition_on_the_account_and_by_the_account(admin: Client, resource: str) -> None:
    kind = {"kind": "task.done"} if resource == "events" else {}
    accounts = [AccountFactory(seats=seats) for seats in SEATS]
    rows = [OF_ACCOUNTS[resource](account).pk for account in accounts]

    assert shown(admin, resource, **kind) == rows
    assert shown(admin, resource, condition=LARGE, **kind) == rows[1:]
    if resource != "accounts":
        assert shown(admin, resource, account=accounts[0].pk, **kind) == rows[:1]
        assert shown(admin, resource, account=accounts[0].pk, condition=LARGE, **kind) == []


@pytest.mark.parametrize("resource", sorted(OF_ACCOUNTS.keys() | DEFINED.keys()))
def test_pages_neither_skip_nor_repeat_when_rows_come_and_go(admin: Client, resource: str) -> None:
    make = DEFINED.get(resource) or (lambda: OF_ACCOUNTS[resource](AccountFactory()))
    made = [make() for _ in range(4)]
    kind = {"kind": "task.done"} if resource == "events" else {}

    first = admin.get(f"/api/v1/{resource}/", {"limit": 2, **kind}).json()
    type(made[0]).objects.filter(pk=made[0].pk).delete()
    last = make()
    second = admin.get(first["next"]).json()
    third = admin.get(second["next"]).json()

    name = name_of(resource)
    names = [getattr(row, name) for row in (*made, last)]
    pages = [[row[name] for row in page["results"]] for page in (first, second, third)]
    assert pages == [names[:2], names[2:4], names[4:]]
    assert third["next"] is None


@pytest.mark.parametrize("resource", DEFINED)
def test_a_condition_is_refused_where_rows_are_of_no_account(admin: Client, resource: str) -> None:
    refused = admin.get(f"/api/v1/{resource}/", {"condition": LARGE})

    assert refused.status_code == 400
    assert refused.json()["code"] == "unknown_parameter"
