import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import Event, EventInbox, StageEntry, Touched
from accounts.services import ledger
from accounts.services.ledger import record, take_events, take_touched, touch
from accounts.services.stages import enter_stage
from tests.factories import NOW, AccountFactory, StageFactory


@pytest.mark.django_db
def test_event_is_handed_once_to_each_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"playbooks": None, "reports": None, "news": {"touchpoint.logged"}, "deaf": set()}
    monkeypatch.setattr(ledger, "LISTENERS", wanted)
    account = AccountFactory()
    first = record(account=account, kind="stage.entered", happened_at=NOW)
    second = record(account=account, kind="touchpoint.logged", happened_at=NOW)

    with transaction.atomic():
        assert take_events(consumer="playbooks", limit=1) == [first]
    with transaction.atomic():
        assert take_events(consumer="playbooks", limit=10) == [second]
        assert take_events(consumer="playbooks", limit=10) == []
        assert take_events(consumer="reports", limit=10) == [first, second]
        assert take_events(consumer="news", limit=10) == [second]
        assert take_events(consumer="deaf", limit=10) == []


@pytest.mark.django_db(transaction=True)
def test_event_is_offered_again_when_its_effect_rolls_back() -> None:
    event = record(account=AccountFactory(), kind="stage.entered", happened_at=NOW)

    with transaction.atomic():
        assert take_events(consumer="playbooks", limit=10) == [event]
        transaction.set_rollback(True)
    with transaction.atomic():
        assert take_events(consumer="playbooks", limit=10) == [event]


@pytest.mark.django_db(transaction=True)
def test_events_are_all_taken_once_when_they_commit_out_of_order_and_workers_race() -> None:
    account = AccountFactory()
    first_written, may_commit = threading.Event(), threading.Event()

    def write_first_commit_last() -> None:
        with transaction.atomic():
            record(account=account, kind="early", happened_at=NOW)
            first_written.set()
            may_commit.wait(10)
        connection.close()

    slow = threading.Thread(target=write_first_commit_last)
    slow.start()
    first_written.wait(10)
    record(account=account, kind="late", happened_at=NOW)
    taken: list[str] = []

    def take_all() -> None:
        for _ in range(5):
            with transaction.atomic():
                taken.extend(event.kind for event in take_events(consumer="playbooks", limit=1))
        connection.close()

    take_all()
    assert taken == ["late"]
    may_commit.set()
    slow.join(10)
    workers = [threading.Thread(target=take_all) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)

    assert sorted(taken) == ["early", "late"]
    assert EventInbox.objects.filter(consumer="playbooks").count() == 0


@pytest.mark.django_db(transaction=True)
def test_events_are_not_taken_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        take_events(consumer="playbooks", limit=1)
    with pytest.raises(RuntimeError, match="transaction"):
        take_touched(limit=1)


@pytest.mark.django_db
def test_touched_account_is_named_once_however_often_it_was_touched() -> None:
    first, second = AccountFactory(), AccountFactory()
    touch([first.pk, second.pk])
    touch([first.pk])

    assert take_touched(limit=10) == [first.pk, second.pk]
    assert take_touched(limit=10) == []
    assert Touched.objects.count() == 0


@pytest.mark.django_db
def test_stage_history_is_kept_when_an_account_moves_on() -> None:
    account, onboarding, adoption = AccountFactory(), StageFactory(key="onboarding"), StageFactory(key="adoption")

    enter_stage(account=account, stage=onboarding, by=None, now=NOW)
    enter_stage(account=account, stage=adoption, by=None, now=NOW + timedelta(days=30), reason="Went live")
    assert enter_stage(account=account, stage=adoption, by=None, now=NOW + timedelta(days=31)) is None

    stays = StageEntry.objects.order_by("entered_at").values_list("stage__key", "entered_at", "left_at")
    assert list(stays) == [
        ("onboarding", NOW, NOW + timedelta(days=30)),
        ("adoption", NOW + timedelta(days=30), None),
    ]
    assert Event.objects.order_by("id").last().data == {  # type: ignore[union-attr]
        "stage": "adoption",
        "from": "onboarding",
        "reason": "Went live",
    }
