import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.attributes import Catalogue, Context, read_facts
from accounts.models import Event, User, Workspace
from common.errors import Conflict, DomainError, NotAllowed
from playbooks.models import Task
from playbooks.queries.queue import explain_priority, queue_counts, queue_for
from playbooks.services.priorities import refresh_priorities
from playbooks.services.tasks import (
    cancel_task,
    complete_task,
    create_task,
    reassign_task,
    reopen_task,
    snooze_task,
    unsnooze_task,
)
from tests.factories import NOW, AccountFactory, SubscriptionFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_task_is_in_its_owners_queue_and_on_the_timeline_when_it_is_created() -> None:
    anna = UserFactory()
    task = create_task(account=AccountFactory(), owner=anna, title="Call\nthem", due_at=NOW + 2 * DAY, now=NOW)

    assert list(queue_for(anna, NOW)) == [task]
    assert task.title == "Call them"
    assert Event.objects.get(kind="task.created").data == {"task": task.pk, "title": "Call them", "owner": anna.pk}


def test_queue_is_ordered_by_value_times_urgency_times_severity_and_says_so() -> None:
    anna = UserFactory()
    rich, poor = AccountFactory(), AccountFactory()
    SubscriptionFactory(account=rich, mrr="3000")
    SubscriptionFactory(account=poor, mrr="1000")
    refresh_priorities(now=NOW)

    def task(account: Any, days: int, severity: int) -> Task:
        return create_task(
            account=account, owner=anna, title="Call", due_at=NOW + days * DAY, severity=severity, now=NOW
        )

    small = task(poor, 2, 2)
    valuable = task(rich, 2, 2)
    overdue = task(poor, -4, 2)
    severe = task(poor, 0, 4)
    free = task(AccountFactory(), 30, 1)

    assert list(queue_for(anna, NOW)) == [valuable, overdue, severe, small, free]
    assert {t.pk: t.priority for t in (small, valuable, overdue, severe, free)} == {
        small.pk: pytest.approx(0.5 * 1.71 * 2),
        valuable.pk: pytest.approx(1.5 * 1.71 * 2, abs=0.005),
        overdue.pk: pytest.approx(0.5 * 4 * 2),
        severe.pk: pytest.approx(0.5 * 2 * 4),
        free.pk: pytest.approx(0.25),
    }
    assert list(queue_for(anna, NOW)) == [valuable, overdue, severe, small, free]
    explained = explain_priority(overdue)
    assert explained.words == "0.5 × 4 × 2 = 4"
    assert [part.words for part in explained.parts] == [
        "Pays 1,000 USD a month; the average customer pays 2,000.",
        "Overdue by 4 days.",
        "Normal",
    ]


def test_priorities_follow_when_time_passes_and_stay_untouched_when_nothing_changes() -> None:
    task = create_task(account=AccountFactory(), owner=None, title="Call", due_at=NOW + DAY, now=NOW)

    assert refresh_priorities(now=NOW + timedelta(hours=1)) == 0
    assert refresh_priorities(now=NOW + 2 * DAY) == 1
    task.refresh_from_db()
    assert explain_priority(task).parts[1].words == "Overdue by 1 day."


def test_done_task_leaves_the_queue_and_comes_back_when_it_is_undone() -> None:
    anna = UserFactory()
    task = TaskFactory(owner=anna)

    complete_task(task=task, by=anna, outcome="saved", note="They will train", now=NOW)
    assert not queue_for(anna, NOW)
    assert (task.status, task.outcome, task.done_by) == ("done", "saved", anna)

    reopen_task(task=task, by=anna, now=NOW)
    assert list(queue_for(anna, NOW)) == [task]
    assert (task.done_at, task.outcome, task.note) == (None, "", "They will train")
    assert kinds() == ["task.done", "task.reopened"]


def test_snoozed_task_sleeps_until_its_time_or_until_it_is_woken() -> None:
    anna = UserFactory()
    task = TaskFactory(owner=anna)

    snooze_task(task=task, by=anna, until=NOW + DAY, now=NOW)
    assert not queue_for(anna, NOW)
    assert queue_counts(anna, NOW).snoozed == 1
    assert list(queue_for(anna, NOW + DAY)) == [task]
    assert queue_counts(anna, NOW + DAY).overdue == 1

    unsnooze_task(task=task, by=anna, now=NOW)
    assert list(queue_for(anna, NOW)) == [task]
    with pytest.raises(DomainError, match="still to come"):
        snooze_task(task=task, by=anna, until=NOW, now=NOW)


def test_task_moves_to_another_queue_when_it_is_reassigned() -> None:
    anna, boris = UserFactory(), UserFactory()
    task = TaskFactory(owner=anna)

    reassign_task(task=task, to=boris, by=anna, now=NOW)

    assert not queue_for(anna, NOW)
    assert list(queue_for(boris, NOW)) == [task]


def test_task_cannot_go_to_somebody_who_may_not_work_on_the_account() -> None:
    anna = UserFactory()
    task = TaskFactory(owner=anna)
    Workspace.objects.update_or_create(id=1, defaults={"csms_see_only_their_book": True})

    for person in (UserFactory(is_active=False), UserFactory(role=User.Role.VIEWER), UserFactory()):
        with pytest.raises(DomainError, match="cannot work on this account"):
            reassign_task(task=task, to=person, by=anna, now=NOW)


def test_viewer_and_colleague_are_refused_when_they_reach_for_what_is_not_theirs() -> None:
    viewer, anna, leader = UserFactory(role=User.Role.VIEWER), UserFactory(), UserFactory(role=User.Role.LEADER)
    task = TaskFactory(owner=anna)

    with pytest.raises(NotAllowed):
        complete_task(task=task, by=viewer, outcome="", note="", now=NOW)
    with pytest.raises(NotAllowed):
        queue_for(UserFactory(), NOW, owner=anna)
    assert list(queue_for(leader, NOW, owner=anna)) == [task]
    assert list(queue_for(leader, NOW, owner=None)) == [task]
    assert queue_counts(leader, NOW, owner=None).awake == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"guidance": "\ud800"}, "guidance"),
        ({"severity": 9}, "severity"),
    ],
)
def test_task_is_refused_with_its_field_when_it_is_wrong(change: dict[str, Any], field: str) -> None:
    details: dict[str, Any] = {"title": "Call", "due_at": NOW, "now": NOW, **change}
    with pytest.raises(DomainError) as refused:
        create_task(account=AccountFactory(), owner=None, **details)
    assert list(refused.value.fields) == [field]


def test_outcome_is_refused_when_it_is_unknown() -> None:
    with pytest.raises(DomainError, match="recovered, saved"):
        complete_task(task=TaskFactory(), by=UserFactory(), outcome="won", note="", now=NOW)


def test_second_task_is_the_first_one_when_they_share_a_key() -> None:
    account = AccountFactory()
    first = create_task(account=account, owner=None, title="Call", due_at=NOW, now=NOW, dedupe_key="run:1:call")
    again = create_task(account=account, owner=None, title="Call", due_at=NOW, now=NOW, dedupe_key="run:1:call")

    assert first == again
    assert kinds() == ["task.created"]


def test_open_and_overdue_tasks_are_attributes() -> None:
    account = AccountFactory()
    TaskFactory(account=account, due_at=NOW - DAY)
    TaskFactory(account=account, due_at=NOW + DAY)
    cancel_task(task=TaskFactory(account=account), by=None, note="", now=NOW)
    catalogue = Catalogue()

    facts = read_facts(
        [catalogue[key] for key in ("tasks.open", "tasks.overdue", "playbooks.live")],
        [account.pk],
        context=Context.at(NOW),
    )[account.pk]

    assert {key: fact.value for key, fact in facts.items()} == {
        "tasks.open": 2,
        "tasks.overdue": 1,
        "playbooks.live": 0,
    }


@pytest.mark.django_db(transaction=True)
def test_one_wins_and_the_other_reads_who_when_two_finish_a_task_at_once() -> None:
    task = TaskFactory()
    people = [UserFactory(name="Maria"), UserFactory(name="Ivan")]
    results: dict[str, str] = {}
    start = threading.Barrier(2)

    def finish(person: User) -> None:
        mine = Task.objects.get(pk=task.pk)
        start.wait()
        results[person.name] = _outcome(lambda: complete_task(task=mine, by=person, outcome="saved", note="", now=NOW))
        connection.close()

    threads = [threading.Thread(target=finish, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    task.refresh_from_db()
    winner = task.done_by
    assert winner is not None
    other = next(person for person in people if person != winner)
    assert results == {winner.name: "done", other.name: f"{winner.name} finished this task just now."}
    assert kinds() == ["task.done"]


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except Conflict as conflict:
        return conflict.message
    return "done"


def test_late_click_reads_how_long_ago_the_task_was_finished() -> None:
    maria = UserFactory(name="Maria")
    task = TaskFactory()
    stale = Task.objects.get(pk=task.pk)
    complete_task(task=task, by=maria, outcome="", note="", now=NOW)

    with pytest.raises(Conflict, match="finished this task 3\xa0minutes ago"):
        snooze_task(task=stale, by=UserFactory(), until=NOW + DAY, now=NOW + timedelta(minutes=3))
    with pytest.raises(Conflict, match="open already"):
        reopen_task(task=TaskFactory(), by=maria, now=NOW)
