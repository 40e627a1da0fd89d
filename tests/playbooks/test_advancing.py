import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Scope
from accounts.calendar import Calendar
from accounts.models import Account, Contact, CustomField, Event, Stage
from accounts.services.ledger import record
from common.errors import Conflict
from health.models import NamedScore
from health.services import compute_health, expire_overrides, override_score, tell_drops
from outbox.models import Message
from playbooks.decide import Found, Position, decide
from playbooks.definition.parse import load
from playbooks.models import Lease, Run, RunStep, Task
from playbooks.queries import why_run
from playbooks.services import advance_due, consume_events, evaluate_entries, publish, retry_run
from playbooks.services.claiming import FRESH, LEASE, MOST_ATTEMPTS, TRIED, claim
from playbooks.services.moving import move_runs
from playbooks.services.turns import Turn, write_turns
from surveys.models import Invitation, Survey
from tests.factories import (
    NOW,
    AccountFactory,
    ContactFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    StageFactory,
    UserFactory,
)
from tests.playbooks.cases import DAY, LOW, REFERENCE, customer, leaf, pass_time, published, settle

pytestmark = pytest.mark.django_db

ON_ANSWER = {"kind": "event", "event": "survey.answered", "data": {}}
TASK = {"id": "call", "kind": "task", "title": "Call"}


def answer(account: Any, contact: Contact | None = None) -> None:
    record(account=account, kind="survey.answered", happened_at=NOW, contact=contact, data={"category": "detractor"})


def at_once(act: Callable[[], object], *, times: int = 2) -> None:
    """Do the same in several connections at the same time; an error in one is raised here."""
    errors: list[Exception] = []
    start = threading.Barrier(times)

    def run() -> None:
        start.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001  # handed to the test
            errors.append(error)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.django_db(transaction=True)
def test_each_account_enters_once_when_entries_are_evaluated_twice_at_once() -> None:
    published()
    accounts = [customer(uses=3) for _ in range(10)]

    at_once(lambda: evaluate_entries(now=NOW))

    assert Run.objects.count() == len(accounts)
    assert Event.objects.filter(kind="playbook.entered").count() == len(accounts)


@pytest.mark.django_db(transaction=True)
def test_each_turn_is_taken_once_when_two_workers_advance_at_once() -> None:
    published({"entry": {"kind": "condition", "condition": {"all": []}}, "steps": [TASK]})
    accounts = [AccountFactory() for _ in range(12)]
    evaluate_entries(now=NOW)

    def work() -> None:
        while advance_due(now=NOW, limit=2):
            pass

    at_once(work)

    assert Task.objects.count() == len(accounts)
    assert set(Run.objects.values_list("state", flat=True)) == {"finished"}


@pytest.mark.django_db(transaction=True)
def test_event_makes_one_run_when_two_workers_consume_at_once() -> None:
    published({"entry": ON_ANSWER, "reentry_after_days": 0, "steps": [{"id": "w", "kind": "wait", "days": 1}]})
    for _ in range(6):
        answer(AccountFactory())

    at_once(lambda: consume_events(now=NOW, limit=4))

    assert Run.objects.count() == 6


def test_scores_that_drop_or_are_set_by_hand_start_the_playbooks_that_wait_for_them() -> None:
    account = AccountFactory(seats=80)
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())
    for event, data in (("health.dropped", {}), ("health.override_ended", {"how": "expired"})):
        published({"entry": {"kind": "event", "event": event, "data": data}, "steps": [TASK]}, key=event[7:])
    for days, seats in ((1, 80), (0, 50)):
        Account.objects.update(seats=seats)
        compute_health(scope=Scope.everything(), now=NOW - days * DAY)
    override_score(
        account=account,
        named=NamedScore.overall(),
        score=90,
        reason="They told me",
        expires_at=NOW + DAY,
        by=UserFactory(),
        now=NOW,
    )

    tell_drops(now=NOW)
    consume_events(now=NOW, limit=10)
    assert list(Run.objects.values_list("playbook__key", flat=True)) == ["dropped"]

    expire_overrides(now=NOW + DAY)
    consume_events(now=NOW + DAY, limit=10)
    assert set(Run.objects.values_list("playbook__key", flat=True)) == {"dropped", "override_ended"}


def test_event_is_offered_again_when_the_transaction_of_its_effect_fails() -> None:
    published({"entry": ON_ANSWER, "steps": [TASK]})
    answer(AccountFactory())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE playbooks_runstep ADD CONSTRAINT refuse CHECK (position < 0)")
    with pytest.raises(Exception, match="refuse"):
        consume_events(now=NOW, limit=10)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE playbooks_runstep DROP CONSTRAINT refuse")

    settle(NOW)
    assert Task.objects.count() == 1


def test_poisoned_run_is_parked_with_its_error_and_the_others_go_on() -> None:
    StageFactory(key="risk")
    broken = published({**REFERENCE, "steps": [{"id": "move", "kind": "stage", "stage": "risk"}]})
    Stage.objects.all().delete()
    published({**REFERENCE, "steps": [TASK]})
    customer(uses=3)
    evaluate_entries(now=NOW)

    now = NOW
    for _ in range(MOST_ATTEMPTS):
        settle(now)
        now += timedelta(hours=1)

    run = broken.runs.get()
    assert (run.state, run.attempts) == ("parked", MOST_ATTEMPTS)
    assert "Stage" in run.error
    assert why_run(run)[-1].words.startswith("Needs attention: ")
    assert Task.objects.count() == 1
    assert RunStep.objects.filter(run=run).count() == 1

    StageFactory(key="risk")
    retry_run(run=run, by=UserFactory(role="admin"), now=now)
    settle(now)
    run.refresh_from_db()
    assert (run.state, run.error) == ("finished", "")
    with pytest.raises(Conflict):
        retry_run(run=run, by=UserFactory(role="admin"), now=now)


def test_run_is_parked_when_every_worker_dies_in_it() -> None:
    published({**REFERENCE, "steps": [TASK]})
    customer(uses=3)
    evaluate_entries(now=NOW)
    Run.objects.update(attempts=MOST_ATTEMPTS - 1)
    Lease.objects.create(runs=[Run.objects.get().pk], until=NOW + LEASE)

    assert advance_due(now=NOW, limit=10) == 0
    assert advance_due(now=NOW + LEASE, limit=10) == 1
    run = Run.objects.get()
    assert (run.state, run.error) == ("parked", "A worker died in this step 5 times.")


def test_what_a_dead_worker_leaves_behind_is_an_attempt_and_claimed_alone() -> None:
    published()
    customer(uses=3)
    customer(uses=3)
    evaluate_entries(now=NOW)

    assert [claimed.attempt for claimed in claim(now=NOW, limit=10, which=FRESH)] == [1, 1]
    assert claim(now=NOW, limit=10, which=FRESH) == []
    assert claim(now=NOW + LEASE, limit=10, which=FRESH) == []
    assert [claimed.attempt for claimed in claim(now=NOW + LEASE, limit=1, which=TRIED)] == [2]
    assert advance_due(now=NOW + LEASE, limit=10) == 1
    assert advance_due(now=NOW + 2 * LEASE, limit=10) == 1

    assert set(Run.objects.values_list("step", "attempts")) == {("again", 0)}
    assert not Lease.objects.exists()


def test_turn_of_a_worker_whose_work_was_taken_over_is_not_written() -> None:
    playbook = published({**REFERENCE, "steps": [TASK]})
    customer(uses=3)
    evaluate_entries(now=NOW)
    [claimed] = claim(now=NOW, limit=1, which=FRESH)
    settle(NOW + LEASE)

    definition = load(playbook.versions.get().definition)
    calendar = Calendar.current()
    decision = decide(definition, Position(claimed.step, claimed.due_at), Found(), NOW, calendar)
    assert decision.act is not None
    write_turns([Turn(claimed, playbook, decision)], calendar, NOW)

    assert Task.objects.count() == 1
    assert list(RunStep.objects.values_list("decision", flat=True)) == ["entered", "acted", "finished"]


@pytest.mark.parametrize("change", [{"step": "again"}, {"due_at": NOW + DAY}, {"held": True}])
def test_turn_of_a_run_that_was_changed_meanwhile_is_not_written(change: dict[str, Any]) -> None:
    playbook = published()
    customer(uses=3)
    evaluate_entries(now=NOW)
    [claimed] = claim(now=NOW, limit=1, which=FRESH)
    Run.objects.update(**change)

    calendar = Calendar.current()
    position = Position(claimed.step, claimed.due_at)
    decision = decide(load(playbook.versions.get().definition), position, Found(), NOW, calendar)
    assert decision.taken
    write_turns([Turn(claimed, playbook, decision)], calendar, NOW)

    assert Run.objects.filter(**change).exists()
    assert RunStep.objects.count() == 1


def test_turn_of_a_run_that_was_moved_to_another_version_meanwhile_is_not_written() -> None:
    playbook = published()
    customer(uses=3)
    evaluate_entries(now=NOW)
    [claimed] = claim(now=NOW, limit=1, which=FRESH)
    old = load(playbook.versions.get().definition)
    publish(playbook=playbook, definition={**REFERENCE, "reentry_after_days": 30}, author=None, note="", now=NOW)
    assert move_runs(playbook=playbook, by=UserFactory(role="admin"), now=NOW) == 1

    calendar = Calendar.current()
    decision = decide(old, Position(claimed.step, claimed.due_at), Found(), NOW, calendar)
    write_turns([Turn(claimed, playbook, decision)], calendar, NOW)

    assert list(RunStep.objects.values_list("decision", flat=True)) == ["entered", "moved"]


def test_check_on_what_was_deleted_parks_its_runs_and_no_others() -> None:
    field = CustomField.objects.create(key="size", label="Size", type="number")
    check = {"id": "c", "kind": "check", "condition": leaf("custom.size", "is_missing")}
    broken = published({**REFERENCE, "steps": [check, TASK]})
    published({**REFERENCE, "steps": [TASK]})
    customer(uses=3)
    evaluate_entries(now=NOW)
    field.delete()

    settle(NOW)

    assert Task.objects.count() == 1
    assert "There is no attribute “custom.size”" in broken.runs.get().error


def test_survey_goes_to_the_champion_once() -> None:
    Survey.objects.create(key="nps", name="NPS", kind="nps")
    published({**REFERENCE, "steps": [{"id": "ask", "kind": "survey", "survey": "nps"}]})
    account = customer(uses=3)
    ContactFactory(account=account)
    champion = ContactFactory(account=account, role="champion")
    ContactFactory(account=account, role="champion", left_at=NOW)

    pass_time(NOW, NOW + DAY)

    assert Invitation.objects.get().contact == champion
    assert Message.objects.get().recipient == champion.email
    assert why_run(Run.objects.get())[1].words == f"Asked {champion.name} to answer the survey “nps”."


def test_survey_is_passed_by_when_nobody_can_be_asked() -> None:
    Survey.objects.create(key="nps", name="NPS", kind="nps")
    published({**REFERENCE, "steps": [{"id": "ask", "kind": "survey", "survey": "nps"}]})
    customer(uses=3)

    pass_time(NOW, NOW)

    run = Run.objects.get()
    assert run.state == "finished"
    assert why_run(run)[1].words == "Sent no survey: nobody at the customer can be written to."


def test_run_goes_another_way_when_the_check_says_so() -> None:
    definition = {
        **REFERENCE,
        "steps": [
            {"id": "c", "kind": "check", "condition": leaf("seats", "gt", 100), "otherwise": "small"},
            {"id": "big", "kind": "task", "title": "Visit"},
            {"id": "end", "kind": "stop"},
            {"id": "small", "kind": "task", "title": "Write"},
        ],
    }
    published(definition)
    big, small = customer(uses=3, seats=500), customer(uses=3, seats=5)

    pass_time(NOW, NOW)

    assert [task.title for task in big.tasks.all()] == ["Visit"]
    assert [task.title for task in small.tasks.all()] == ["Write"]


def test_exit_is_looked_at_again_after_an_action() -> None:
    StageFactory(key="risk")
    published(
        {
            **REFERENCE,
            "exit": leaf("stage", "is", "risk"),
            "steps": [{"id": "move", "kind": "stage", "stage": "risk"}, TASK],
        }
    )
    customer(uses=3)

    pass_time(NOW, NOW)

    assert Run.objects.get().state == "exited"
    assert not Task.objects.exists()


def test_nothing_is_done_before_its_time_when_the_clock_goes_back() -> None:
    customer(uses=3)
    published()
    pass_time(NOW, NOW)

    assert advance_due(now=NOW - timedelta(hours=2), limit=10) == 0
    assert advance_due(now=NOW + 7 * DAY - timedelta(seconds=1), limit=10) == 0
    settle(NOW + 7 * DAY)
    assert Task.objects.count() == 1


def test_events_are_kept_for_a_playbook_that_cannot_be_evaluated_until_it_can() -> None:
    CustomField.objects.create(key="size", label="Size", type="number")
    definition = {
        "entry": ON_ANSWER,
        "audience": leaf("custom.size", "is_missing"),
        "reentry_after_days": 0,
        "steps": [TASK],
    }
    broken = published(definition)
    published({**definition, "audience": {"all": []}})
    CustomField.objects.all().delete()
    answer(AccountFactory())

    pass_time(NOW, NOW)
    broken.refresh_from_db()
    assert "custom.size" in broken.problem
    assert Task.objects.count() == 1

    CustomField.objects.create(key="size", label="Size", type="number")
    pass_time(NOW + DAY, NOW + 2 * DAY)
    broken.refresh_from_db()
    assert broken.problem == ""
    assert Task.objects.count() == 2


def test_task_is_nobodys_when_the_csm_has_left() -> None:
    published({**REFERENCE, "steps": [TASK]})
    customer(uses=3, owner=UserFactory(is_active=False))

    pass_time(NOW, NOW)

    assert Task.objects.get().owner is None


def test_runs_of_several_playbooks_that_ask_the_same_are_looked_at_by_one_query() -> None:
    customer(uses=3)
    steps = [{"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"}, TASK]
    for key in ("one", "two"):
        published({"entry": {"kind": "condition", "condition": LOW}, "steps": steps}, key=key)
    evaluate_entries(now=NOW)

    with CaptureQueriesContext(connection) as asked:
        advance_due(now=NOW, limit=10)

    assert len([query for query in asked if query["sql"].startswith("SELECT account_id, v0")]) == 1
    assert Task.objects.count() == 2
