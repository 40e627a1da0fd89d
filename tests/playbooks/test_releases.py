"""Workers of an older release beside those of a newer one, which understand what it publishes."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from accounts.services.ledger import record
from launcher.places import ROOT
from playbooks.models import Playbook, Run, Task
from playbooks.services import advance_due, evaluate_entries
from playbooks.services.claiming import LEFT_TO_OTHERS, MOST_ATTEMPTS
from tests.factories import NOW, AccountFactory
from tests.playbooks.cases import DAY, leaf, published, settle

pytestmark = pytest.mark.django_db(transaction=True)

ANYBODY = {"entry": {"kind": "condition", "condition": {"all": []}}}
CALL = {"id": "call", "kind": "task", "title": "Call"}
NEW: list[dict[str, Any]] = [
    {"id": "which", "kind": "branch", "ways": [{"when": leaf("seats", "gt", 100), "to": "finished"}]},
    {"id": "visit", "kind": "task", "title": "Visit"},
]


@pytest.fixture
def old_worker(process_env: dict[str, str]) -> Callable[[datetime], None]:
    def work(now: datetime) -> None:
        command = [sys.executable, "-m", "tests.playbooks.older", now.isoformat()]
        subprocess.run(command, cwd=ROOT, env=process_env, check=True)

    return work


def titles() -> list[str]:
    return sorted(Task.objects.values_list("title", flat=True))


def test_old_worker_leaves_what_it_does_not_know_to_new_ones_and_goes_on_with_the_rest(
    old_worker: Callable[[datetime], None],
) -> None:
    published({**ANYBODY, "steps": NEW})
    published({**ANYBODY, "steps": [CALL]})
    published({"entry": {"kind": "event", "event": "survey.answered", "data": {}}, "steps": NEW})
    account = AccountFactory()
    evaluate_entries(now=NOW)
    record(account=account, kind="survey.answered", happened_at=NOW)
    AccountFactory()

    old_worker(NOW)

    assert titles() == ["Call", "Call"]
    waiting = Run.objects.get(state=Run.State.WAITING)
    assert (waiting.attempts, waiting.retry_at, waiting.error) == (0, None, "")
    assert set(Playbook.objects.values_list("problem", flat=True)) == {""}

    evaluate_entries(now=NOW)
    settle(NOW)
    assert titles() == ["Call", "Call", "Visit", "Visit", "Visit"]


def test_what_no_worker_knows_is_parked_and_said_after_a_day() -> None:
    playbook = published({**ANYBODY, "steps": [CALL]})
    AccountFactory()
    evaluate_entries(now=NOW)
    version = playbook.versions.get()
    version.definition = {**version.definition, "steps": [{"id": "call", "kind": "teleport"}]}
    version.save()

    settle(NOW)
    assert Run.objects.get().attempts == 0
    now = NOW + LEFT_TO_OTHERS
    evaluate_entries(now=now)
    for _attempt in range(MOST_ATTEMPTS):
        advance_due(now=now, limit=100)
        now += DAY

    run = Run.objects.get()
    assert run.state == Run.State.PARKED
    assert "“teleport” is not a kind of step" in run.error
    playbook.refresh_from_db()
    assert "“teleport” is not a kind of step" in playbook.problem
