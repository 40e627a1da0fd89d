"""Runs finish on their version or are moved deliberately, and a pause ends without a burst."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from common.errors import Conflict, NotAllowed
from playbooks.models import Playbook, Run, Task
from playbooks.queries.why import why_run
from playbooks.services import evaluate_entries, pause, publish, resume
from playbooks.services.moving import move_runs, standings
from playbooks.services.publishing import retry_runs
from playbooks.services.spreading import FEW, SPREAD
from tests.factories import NOW, UserFactory
from tests.playbooks.cases import DAY, REFERENCE, customer, published, settle

pytestmark = pytest.mark.django_db


def admin() -> User:
    user: User = UserFactory(role=User.Role.ADMIN, name="Ada")
    return user


def next_version(playbook: Playbook, steps: list[dict[str, Any]]) -> None:
    publish(playbook=playbook, definition={**REFERENCE, "steps": steps}, author=None, note="", now=NOW + DAY)


def waiting() -> tuple[Playbook, Run]:
    playbook = published()
    customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    return playbook, Run.objects.get()


def test_run_finishes_on_its_version_unless_it_is_moved() -> None:
    playbook, run = waiting()
    wait, again, call = REFERENCE["steps"]
    next_version(playbook, [wait, again, {**call, "title": "Write instead"}])

    settle(NOW + 7 * DAY)
    assert Task.objects.get().title == call["title"]
    assert Run.objects.get().version.number == run.version.number == 1


def test_moved_run_goes_on_by_the_live_version_and_its_record_says_who_moved_it() -> None:
    playbook, run = waiting()
    wait, again, call = REFERENCE["steps"]
    next_version(playbook, [wait, again, {**call, "title": "Write instead"}])

    [one] = standings(playbook)
    assert (one.version.number, one.step, one.count, one.can_move) == (1, "again", 1, True)
    assert move_runs(playbook=playbook, by=admin(), now=NOW + DAY) == 1
    moved = Run.objects.get()
    assert (moved.version.number, moved.due_at) == (2, run.due_at)
    assert "Moved from version 1 to 2 by Ada." in [line.words for line in why_run(moved)]
    settle(NOW + 7 * DAY)
    assert Task.objects.get().title == "Write instead"
    with pytest.raises(Conflict):
        move_runs(playbook=playbook, by=admin(), now=NOW + 8 * DAY)


def test_run_whose_step_is_gone_or_of_another_kind_stays() -> None:
    playbook, _run = waiting()
    next_version(playbook, [{"id": "again", "kind": "wait", "days": 1}, REFERENCE["steps"][2]])

    assert [one.can_move for one in standings(playbook)] == [False]
    with pytest.raises(Conflict):
        move_runs(playbook=playbook, by=admin(), now=NOW + DAY)
    with pytest.raises(NotAllowed):
        move_runs(playbook=playbook, by=UserFactory(role=User.Role.CSM), now=NOW + DAY)
    settle(NOW + 7 * DAY)
    assert Task.objects.count() == 1


def test_what_became_due_in_a_pause_is_spread_over_two_days() -> None:
    playbook = published()
    owner = UserFactory()
    for _n in range(FEW * 2):
        customer(uses=3, owner=owner)
    evaluate_entries(now=NOW)
    settle(NOW)
    pause(playbook=playbook, by=None)
    back = NOW + 30 * DAY
    resume(playbook=playbook, by=None, now=back)

    settle(back)
    assert Task.objects.count() == 1
    settle(back + SPREAD / 2)
    assert FEW <= Task.objects.count() <= FEW + 1
    settle(back + SPREAD)
    assert Task.objects.count() == FEW * 2


def test_publishing_in_a_pause_spreads_what_became_due_and_who_would_have_entered() -> None:
    playbook = published()
    owner = UserFactory()
    for _n in range(FEW * 2):
        customer(uses=3, owner=owner)
    evaluate_entries(now=NOW)
    settle(NOW)
    pause(playbook=playbook, by=None)
    call = {"id": "call", "kind": "task", "title": "Call"}
    for _n in range(FEW * 2):
        customer(uses=3, owner=owner)
    back = NOW + 30 * DAY
    publish(playbook=playbook, definition={**REFERENCE, "steps": [call]}, author=None, note="", now=back)

    evaluate_entries(now=back)
    settle(back)
    assert Task.objects.count() == 2
    settle(back + SPREAD / 2)
    assert 2 * FEW <= Task.objects.count() <= 2 * FEW + 2
    settle(back + SPREAD)
    assert Task.objects.count() == FEW * 4


def test_those_who_would_have_entered_in_a_pause_are_spread_too_and_later_ones_are_not() -> None:
    call = {"id": "call", "kind": "task", "title": "Call"}
    playbook = published({**REFERENCE, "steps": [call]})
    pause(playbook=playbook, by=None)
    owner = UserFactory()
    for _n in range(FEW + 5):
        customer(uses=3, owner=owner)
    resume(playbook=playbook, by=None, now=NOW)
    evaluate_entries(now=NOW)
    settle(NOW)
    assert Task.objects.count() == 1
    settle(NOW + SPREAD)
    assert Task.objects.count() == FEW + 5

    for _n in range(FEW + 5):
        customer(uses=3, owner=owner)
    later = NOW + SPREAD + timedelta(hours=1)
    evaluate_entries(now=later)
    settle(later)
    assert Task.objects.count() == 2 * (FEW + 5)


def test_a_few_that_became_due_in_a_pause_go_on_at_once() -> None:
    playbook, _run = waiting()
    pause(playbook=playbook, by=None)
    resume(playbook=playbook, by=None, now=NOW + 30 * DAY)
    settle(NOW + 30 * DAY)

    assert Task.objects.count() == 1


def test_run_that_is_tried_again_in_a_pause_waits_for_its_end() -> None:
    playbook, run = waiting()
    Run.objects.update(state=Run.State.PARKED, error="The house was on fire.")
    pause(playbook=playbook, by=None)

    assert retry_runs(runs=Run.objects.all(), by=admin(), now=NOW + 8 * DAY) == 1
    settle(NOW + 8 * DAY)
    assert not Task.objects.exists()
    resume(playbook=playbook, by=None, now=NOW + 9 * DAY)
    settle(NOW + 9 * DAY)
    assert Task.objects.get().run == run
