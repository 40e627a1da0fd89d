"""Playbooks assign accounts, and find people for their tasks, by rule."""

from datetime import date
from typing import Any

import pytest

from accounts.models import Account, AccountTeamMember, User
from playbooks.definition.fields import DefinitionError
from playbooks.handing import told
from playbooks.models import Run, Task
from playbooks.queries import why_run
from playbooks.services import enter_by_hand
from tests.factories import NOW, AccountFactory, LeaveFactory, TaskFactory, UserFactory
from tests.playbooks.cases import leaf, pass_time, published

pytestmark = pytest.mark.django_db


def follow(step: dict[str, Any], account: Account) -> str:
    """Let the account go through a playbook of this one step; returns what its run tells of it."""
    playbook = published(
        {"entry": {"kind": "manual"}, "steps": [{"id": "give", **step}], "reentry_after_days": 0}, name="Regroup"
    )
    enter_by_hand(playbook=playbook, account_ids=[account.pk], by=UserFactory(role=User.Role.ADMIN), now=NOW)
    pass_time(NOW, NOW)
    [line] = [line for line in why_run(Run.objects.latest("pk")) if line.step and line.step.step == "give"]
    account.refresh_from_db()
    return line.words


def test_account_goes_to_whoever_has_hours_left_with_its_tasks() -> None:
    before, free = UserFactory(weekly_hours=0), UserFactory(name="Tomás")
    task = TaskFactory(account=AccountFactory(owner=before), owner=before)

    told_ = follow({"kind": "assign"}, task.account)

    assert told_ == "Gave the account to Tomás."
    assert task.account.owner == free
    assert Task.objects.get(pk=task.pk).owner == free
    assert told(Task.objects.get(pk=task.pk).handed) == [f"Came from {before.name} with the account: Regroup"]
    assert follow({"kind": "assign"}, task.account) == "Tomás has the account already."


def test_senior_gets_difficult_accounts_and_the_rest_go_in_turn_among_the_named() -> None:
    senior, junior = UserFactory(is_senior=True), UserFactory()
    step = {
        "kind": "assign",
        "to": "senior",
        "difficult": leaf("seats", "gt", 100),
        "otherwise": "round_robin",
        "among": f"{junior.email}, {senior.email}",
    }
    hard, easy = AccountFactory(seats=500), AccountFactory(seats=5)

    follow(step, hard)
    follow({**step, "among": junior.email}, easy)

    assert (hard.owner, easy.owner) == (senior, junior)


def test_cover_is_said_and_nobody_is_said() -> None:
    away, cover = UserFactory(name="Maya"), UserFactory(name="Wei")
    LeaveFactory(user=away, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20), cover=cover)
    account = AccountFactory()

    words = follow({"kind": "assign", "to": away.email}, account)

    assert words == "Gave the account to Wei. Covering for Maya until March 20, 2026."
    assert (
        follow({"kind": "assign", "to": "sales"}, account) == "Left the account with its owner: the rule found nobody."
    )
    assert account.owner == cover


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"to": "moon"}, "to"),
        ({"to": "owner"}, "to"),
        ({"among": "nobody@example.com"}, "among"),
        ({"otherwise": "senior"}, "otherwise"),
        ({"to": "senior", "difficult": leaf("moon", "gt", 1)}, "difficult"),
    ],
)
def test_rule_that_cannot_be_followed_is_refused_when_published(step: dict[str, Any], field: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        published({"entry": {"kind": "manual"}, "steps": [{"id": "give", "kind": "assign", **step}]})

    assert list(refused.value.fields) == [f"steps[0].{field}"]


def test_task_goes_to_whom_its_rule_finds_and_says_so() -> None:
    owner, helper, free = UserFactory(weekly_hours=0), UserFactory(weekly_hours=0), UserFactory()
    account = AccountFactory(owner=owner)
    AccountTeamMember.objects.create(account=account, user=helper, role="support")

    for assign, expected, words in (
        ("owner", owner, []),
        ("support", helper, ["Given to whoever has that role for the account"]),
        ("least_loaded", free, ["Given to whoever had the most hours left that week"]),
        ("round_robin", owner, ["Given to whoever's turn it was"]),
        ("sales", None, ["Given to whoever has that role for the account"]),
        (helper.email, helper, []),
    ):
        follow({"kind": "task", "title": "Call", "assign": assign}, account)
        task = Task.objects.latest("pk")
        assert (task.owner, told(task.handed)) == (expected, words if expected else []), assign
