import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomField, Event
from playbooks.models import EntryMatch, Run, Task
from playbooks.queries import queue_for, why_not, why_run, why_task
from playbooks.services import enter_by_hand, evaluate_entries, pause, publish, resume, stop_run
from surveys.models import Survey
from surveys.services import answer, invite
from surveys.tokens import token_for
from tests.factories import NOW, AccountFactory, ContactFactory, PlaybookFactory, UserFactory
from tests.playbooks.cases import (
    DAY,
    REFERENCE,
    customer,
    customer_without_messaging,
    leaf,
    now_uses,
    pass_time,
    published,
    settle,
)

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Run.objects.order_by("id").values_list("state", flat=True))


def test_csm_gets_a_task_that_says_what_was_seen_on_both_days_when_usage_stays_low() -> None:
    anna = UserFactory()
    account = customer(uses=3, owner=anna)
    published(name="Messaging is quiet")

    pass_time(NOW, NOW + 6 * DAY)
    assert states() == ["waiting"]
    assert not Task.objects.exists()
    now_uses(account, 2)
    pass_time(NOW + 6 * DAY, NOW + 40 * DAY)

    task = Task.objects.get()
    assert list(queue_for(anna, NOW + 7 * DAY)) == [task]
    assert task.created_at == NOW + 7 * DAY
    assert task.due_at == NOW + 9 * DAY
    assert why_task(task) == [
        "March 16, 2026: Messaging, 7 days was 3 (below 10).",
        "March 23, 2026: Messaging, 7 days was still at 2 (below 10).",
    ]
    assert states() == ["finished"]
    assert [line.words for line in why_run(Run.objects.get())] == [
        "Entered.",
        "Waits until March 23, 2026.",
        "Looked again: still so.",
        f"Made the task “Ask why messaging is quiet” for {anna.name}.",
        "Finished.",
    ]
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "playbook.entered",
        "task.created",
        "playbook.finished",
    ]


def test_account_leaves_quietly_when_it_recovered_during_the_wait() -> None:
    account = customer(uses=3)
    published()

    pass_time(NOW, NOW + 5 * DAY)
    now_uses(account, 40)
    pass_time(NOW + 5 * DAY, NOW + 20 * DAY)

    assert states() == ["recovered"]
    assert not Task.objects.exists()
    assert not EntryMatch.objects.exists()
    last = why_run(Run.objects.get())[-1]
    assert last.words == "Looked again: recovered, so it left quietly."
    assert last.seen == ("March 23, 2026: Messaging, 7 days was 40 (not below 10).",)


def test_account_never_enters_when_its_plan_leaves_the_feature_out_or_it_has_ended() -> None:
    outside = customer_without_messaging()
    customer(uses=3, ended_at=NOW - DAY)
    playbook = published()

    pass_time(NOW, NOW + 20 * DAY, step=DAY)

    assert states() == []
    hurdles = {hurdle.name: hurdle for hurdle in why_not(playbook, outside, NOW)}
    assert not hurdles["Entry"].passed
    assert hurdles["Entry"].words == ("March 16, 2026: Messaging, 7 days was not known (not below 10).",)


def test_account_enters_again_only_when_the_rule_lets_it() -> None:
    account = customer(uses=3)
    playbook = published()
    pass_time(NOW, NOW + 8 * DAY)  # ended on day 7 with a task
    now_uses(account, 40)
    pass_time(NOW + 9 * DAY, NOW + 10 * DAY)
    now_uses(account, 1)
    pass_time(NOW + 11 * DAY, NOW + 36 * DAY)
    assert states() == ["finished"]
    hurdles = {hurdle.name: hurdle for hurdle in why_not(playbook, account, NOW + 36 * DAY)}
    assert hurdles["May enter again"].words == ("It may enter again from April 22, 2026.",)

    pass_time(NOW + 37 * DAY, NOW + 37 * DAY)
    assert states() == ["finished", "waiting"]


@pytest.mark.parametrize(("rule", "runs"), [(None, 1), (0, 2)])
def test_account_enters_once_or_each_time_when_the_definition_says_so(rule: int | None, runs: int) -> None:
    account = customer(uses=3)
    published({**REFERENCE, "reentry_after_days": rule})
    pass_time(NOW, NOW + 8 * DAY)
    now_uses(account, 40)
    evaluate_entries(now=NOW + 9 * DAY)
    now_uses(account, 1)
    pass_time(NOW + 10 * DAY, NOW + 50 * DAY, step=DAY)

    assert len(states()) == runs


def test_account_does_not_enter_again_while_the_condition_stays_true() -> None:
    account = customer(uses=3)
    playbook = published({**REFERENCE, "reentry_after_days": 0})

    pass_time(NOW, NOW + 60 * DAY, step=DAY)

    assert states() == ["finished"]
    assert "must be false once" in str(why_not(playbook, account, NOW + 60 * DAY))


def test_account_leaves_before_the_next_step_when_the_exit_condition_holds() -> None:
    account = customer(uses=3, tags=[])
    published({**REFERENCE, "exit": leaf("tags", "has_any", ["leaving"])})
    pass_time(NOW, NOW + DAY)
    account.tags = ["leaving"]
    account.save()
    pass_time(NOW + 2 * DAY, NOW + 9 * DAY)

    assert states() == ["exited"]
    assert not Task.objects.exists()
    assert why_run(Run.objects.get())[-1].words == "Left, because its condition for leaving holds."


def test_account_leaves_when_it_ends_and_disappears_with_its_runs_when_it_is_deleted() -> None:
    ended, deleted = customer(uses=3), customer(uses=3)
    published()
    pass_time(NOW, NOW + DAY)
    ended.ended_at = NOW + 2 * DAY
    ended.save()
    deleted.delete()
    pass_time(NOW + 2 * DAY, NOW + 9 * DAY)

    assert states() == ["exited"]
    assert why_run(Run.objects.get())[-1].words == "Left, because the account is no longer a customer."


def test_runs_finish_on_the_version_that_they_started_when_another_is_published() -> None:
    old, playbook = customer(uses=3), published()
    pass_time(NOW, NOW + DAY)
    changed = [{**step, **({"title": "New words"} if step["kind"] == "task" else {})} for step in REFERENCE["steps"]]
    publish(playbook=playbook, definition={**REFERENCE, "steps": changed}, author=None, note="", now=NOW + 2 * DAY)
    new = customer(uses=3)
    pass_time(NOW + 2 * DAY, NOW + 10 * DAY)

    assert old.tasks.get().title == "Ask why messaging is quiet"
    assert new.tasks.get().title == "New words"


def test_runs_stand_still_while_the_playbook_is_paused() -> None:
    customer(uses=3)
    playbook = published()
    pass_time(NOW, NOW + DAY)
    pause(playbook=playbook, by=None)
    customer(uses=1)
    pass_time(NOW + 2 * DAY, NOW + 9 * DAY)
    assert states() == ["waiting"]
    assert not Task.objects.exists()
    assert why_run(Run.objects.get())[-1].words == "Stands still while the playbook is paused."

    resume(playbook=playbook, by=None, now=NOW + 10 * DAY)
    pass_time(NOW + 10 * DAY, NOW + 10 * DAY)
    assert states() == ["finished", "waiting"]


def test_detractors_answer_puts_a_task_before_the_csm() -> None:
    anna = UserFactory()
    account = AccountFactory(owner=anna)
    published(
        {
            "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
            "reentry_after_days": 0,
            "steps": [{"id": "call", "kind": "task", "title": "Call back", "severity": 4, "due_in_days": 1}],
        }
    )
    survey = Survey.objects.create(key="nps", name="NPS", kind="nps")
    for name, score in (("Boris", 9), ("Maria", 3)):
        contact = ContactFactory(account=account, name=name)
        invite(survey=survey, contact=contact, occasion="2026-Q1", now=NOW)
        token = token_for(survey_id=survey.pk, contact_id=contact.pk, occasion="2026-Q1")
        answer(token=token, score=score, comment="", now=NOW)

    settle(NOW)

    task = queue_for(anna, NOW).get()
    assert (task.title, task.severity) == ("Call back", 4)
    assert why_task(task) == ["March 16, 2026: Maria answered a survey with 3 (detractor)."]
    assert task.run is not None
    assert task.run.event is not None


def test_account_outside_the_audience_stays_out() -> None:
    inside, outside = customer(uses=3, tags=["vip"]), customer(uses=3)
    playbook = published({**REFERENCE, "audience": leaf("tags", "has_any", ["vip"])})
    evaluate_entries(now=NOW)

    assert list(Run.objects.values_list("account", flat=True)) == [inside.pk]
    hurdles = {hurdle.name: hurdle.passed for hurdle in why_not(playbook, outside, NOW)}
    assert hurdles == {"Switched on": True, "Is a customer": True, "Audience": False, "Entry": True}


def test_person_can_let_an_account_in_and_take_it_out() -> None:
    admin = UserFactory(role="admin")
    account = customer(uses=90)
    playbook = published({**REFERENCE, "entry": {"kind": "manual"}})

    runs = enter_by_hand(playbook=playbook, account_ids=[account.pk], by=admin, now=NOW)
    assert not enter_by_hand(playbook=playbook, account_ids=[account.pk], by=admin, now=NOW)
    stop_run(run=runs[0], by=admin, now=NOW)

    assert states() == ["exited"]
    assert [line.words for line in why_run(runs[0])] == [
        f"Entered by hand, by {admin.name}.",
        f"Taken out by {admin.name}.",
    ]


def test_many_accounts_cost_as_many_entry_queries_as_one() -> None:
    published()
    evaluate_entries(now=NOW)
    counts = []
    for size in (1, 5):
        for _ in range(size):
            customer(uses=3)
        with CaptureQueriesContext(connection) as queries:
            assert evaluate_entries(now=NOW) == size
        counts.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))

    assert counts[0] == counts[1]


def test_why_not_says_it_when_a_playbook_was_never_published() -> None:
    assert why_not(PlaybookFactory(), AccountFactory(), NOW)[0].words == ("It was never published.",)


def test_broken_playbook_says_so_and_the_others_go_on() -> None:
    customer(uses=3)
    field = CustomField.objects.create(key="size", label="Size", type="number")
    broken = published({**REFERENCE, "audience": {"not": leaf("custom.size", "gt", 1)}})
    published()
    field.delete()

    assert evaluate_entries(now=NOW) == 1
    broken.refresh_from_db()
    assert "There is no attribute “custom.size”" in broken.problem
    assert "There is no attribute" in why_not(broken, AccountFactory(), NOW)[0].words[0]


def test_tasks_of_runs_have_their_place_in_the_queue_when_they_are_made() -> None:
    published()
    for _ in range(2):
        customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    settle(NOW + 7 * DAY)

    first, second = Task.objects.all()
    for task in (first, second):
        assert task.priority == task.priority_reasons["urgency"] * task.severity > 0
