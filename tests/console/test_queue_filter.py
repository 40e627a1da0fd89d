"""The queue narrowed, grouped and explained."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common import clock
from playbooks.models import Task
from playbooks.services.tasks import create_task
from tests.console.pages import HTMX, client_of, queries_of, words_of
from tests.factories import AccountFactory, PlaybookFactory, SubscriptionFactory, UserFactory

pytestmark = pytest.mark.django_db

BIG = {"attribute": "mrr", "operator": "gte", "value": 1000}


@pytest.fixture
def csm() -> User:
    return UserFactory()


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


def make_task(owner: User, title: str, *, mrr: int = 0, days: int = 1, **details: Any) -> Task:
    now = clock.now()
    if "account" not in details:
        details["account"] = AccountFactory(owner=owner)
        if mrr:
            SubscriptionFactory(account=details["account"], mrr=mrr)
    return create_task(owner=owner, title=title, due_at=now + timedelta(days=days), now=now, **details)


def test_quick_filters_narrow_the_queue_and_its_counts(client: Client, csm: User) -> None:
    make_task(csm, "Urgent thing", severity=4)
    make_task(csm, "Overdue thing", days=-2)
    make_task(csm, "Later thing", days=30)

    urgent = words_of(client, "/queue/?severity=4")
    assert "Urgent thing" in urgent
    assert "Overdue thing" not in urgent
    assert "1 task to do" in urgent
    assert "Severity: Urgent" in urgent
    assert "Overdue thing" in words_of(client, "/queue/?due=overdue")
    assert "Later thing" in words_of(client, "/queue/?due=later&kind=manual")
    assert "No task is like that" in words_of(client, "/queue/?kind=playbook")
    assert "No task is like that" in words_of(client, "/queue/?state=snoozed")


def test_what_cannot_be_read_is_left_out(client: Client, csm: User) -> None:
    make_task(csm, "Thing")

    for query in ("severity=9", "due=x", "kind=%00", "playbook=%00", "from=-1", "owner=99", "group=x"):
        assert "Thing" in words_of(client, f"/queue/?{query}"), query


def test_condition_over_accounts_narrows_the_queue(client: Client, csm: User) -> None:
    make_task(csm, "For the big one", mrr=5000)
    make_task(csm, "For the small one", mrr=10)

    page = words_of(client, f"/queue/?condition={quote(json.dumps(BIG))}")
    assert "For the big one" in page
    assert "For the small one" not in page
    assert "The condition cannot be read" in words_of(client, "/queue/?condition=nonsense")
    wrong = quote(json.dumps({**BIG, "operator": "contains"}))
    assert "The condition cannot be read" in words_of(client, f"/queue/?condition={wrong}")


def test_filter_is_typed_in_rows_and_becomes_the_address(client: Client) -> None:
    rows = {"when": "all", "when_attribute_0": "mrr", "when_operator_0": "gte", "when_value_0": "1000"}

    assert "Filter the queue" in client.get("/queue/filter/?due=today", headers=HTMX).content.decode()
    shaped = client.post("/queue/filter/", {**rows, "do": "add-when"}, headers=HTMX).content.decode()
    assert "when_attribute_1" in shaped
    answer = client.post("/queue/filter/?group=account&due=today", {**rows, "severity": "4"}, headers=HTMX)
    assert answer.status_code == 204
    address = answer["HX-Redirect"]
    assert "group=account" in address
    assert "severity=4" in address
    assert "due=" not in address
    assert quote(json.dumps(BIG, separators=(",", ":")), safe="") in address
    refused = client.post("/queue/filter/", {**rows, "when_value_0": "many"}, headers=HTMX)
    assert refused.status_code == 422
    assert "field-error" in refused.content.decode()


def test_tasks_are_grouped_by_account_when_asked(client: Client, csm: User) -> None:
    big = AccountFactory(name="Big", owner=csm)
    SubscriptionFactory(account=big, mrr=9000)
    for n in range(7):
        make_task(csm, f"Big thing {n}", account=big)
    make_task(csm, "Small thing", account=AccountFactory(name="Small", owner=csm))

    page = words_of(client, "/queue/?group=account")
    assert page.index("Big thing 0") < page.index("Small thing")
    assert "7 tasks" in page
    assert "2 more" in page
    assert "Big thing 6" not in page


def test_leader_narrows_everybodys_queue_to_one_person(csm: User) -> None:
    make_task(csm, "Of the one")
    other = UserFactory()
    make_task(other, "Of the other")
    leader = client_of(UserFactory(role=User.Role.LEADER))

    page = words_of(leader, f"/queue/?whose=team&owner={csm.pk}")
    assert "Of the one" in page
    assert "Of the other" not in page


def test_csm_cannot_reach_anothers_queue_by_its_address(client: Client) -> None:
    assert client.get("/queue/?whose=team").status_code == 403
    other = UserFactory()
    make_task(other, "Not mine")
    assert "Not mine" not in words_of(client, f"/queue/?owner={other.pk}")


def test_order_says_of_what_it_is_made(client: Client, csm: User) -> None:
    make_task(csm, "Thing", days=-1, severity=3)

    assert "value at risk 1 × urgency 2.50 × severity 3 = 7.50" in words_of(client, "/queue/")


def test_counts_after_an_action_are_those_of_the_list_that_is_looked_at(client: Client, csm: User) -> None:
    first = make_task(csm, "One", severity=4)
    make_task(csm, "Two", severity=4)
    make_task(csm, "Three", severity=1)

    here = {**HTMX, "HX-Current-URL": "http://testserver/queue/?severity=4"}
    answer = client.post(reverse("console:queue_done", args=[first.pk]), headers=here).content.decode()
    assert "1 task to do" in answer


def test_query_count_does_not_grow_with_groups_and_filters(client: Client, csm: User) -> None:
    playbook = PlaybookFactory()
    address = f"/queue/?group=account&severity=2&playbook={playbook.key}&condition={quote(json.dumps({'all': []}))}"
    plain = "/queue/?group=account&severity=2"
    make_task(csm, "One")
    few = queries_of(client, plain)
    for n in range(10):
        make_task(csm, f"Task {n}")
    assert queries_of(client, plain) == few <= 10
    assert queries_of(client, address) <= 12
