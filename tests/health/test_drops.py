"""Scores that fell far within a week: told once, of the customer's doing alone, also when several look at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.models import Account, Event, EventInbox, Touched
from common import clock
from health.models import HealthDay, HealthScore, NamedScore
from health.services import compute_health, drops, open_draft, override_score, publish, tell_drops, update_measure
from health.tasks import tell_drops as tell_drops_task
from health.tasks import tell_every_drop
from tests.factories import (
    NOW,
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

DAY = timedelta(days=1)


@pytest.fixture
def account(db: None) -> Account:
    """An account with the mean of its seats and of what it has in the custom place of tickets: 80 and 80."""
    made: Account = AccountFactory(seats=80)
    profile = ProfileFactory(segment=SegmentFactory(key="all"))
    for key, label, curve in (("seats", "Seats taken", [[0, 0], [100, 100]]), ("half", "Half", [[0, 0], [200, 100]])):
        ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key=key, label=label, curve=curve))
    return made


def compute(day: float, seats: int | None = None) -> None:
    if seats is not None:
        Account.objects.update(seats=seats)
    compute_health(scope=Scope.everything(), now=NOW + day * DAY)


def tell(day: float, **kwargs: Any) -> int:
    return tell_drops(now=NOW + day * DAY, **kwargs)


def told() -> list[tuple[str, float, float]]:
    """Each drop: its kind, from what, and by how much."""
    return [
        (event.kind, round(event.data["before"], 6), round(event.data["points"], 6))
        for event in Event.objects.filter(kind__endswith="dropped").order_by("id")
    ]


def test_fall_is_told_with_how_far_how_fast_and_by_what(account: Account) -> None:
    compute(0, 80)
    compute(2, 80)
    compute(5, 60)
    Touched.objects.all().delete()

    assert tell(5) == 1

    event = Event.objects.get(kind="health.dropped")
    assert (event.account, event.happened_at) == (account, NOW + 5 * DAY)
    assert event.data == {
        "score": 45,
        "before": 60,
        "points": 15,
        "days": 3,
        "measure": "Seats taken",
        "by": pytest.approx(-10),
    }
    assert EventInbox.objects.filter(event=event).exists()
    # It was itself computed: computing the account again for it would never end.
    assert not Touched.objects.exists()
    assert HealthScore.objects.get().dropped_at == NOW + 5 * DAY


@pytest.mark.parametrize(("seats", "count"), [(67, 0), (66, 1)])
def test_smaller_fall_than_the_score_asks_for_is_not_told(account: Account, seats: int, count: int) -> None:
    NamedScore.objects.filter(key="overall").update(drop_points=10)
    compute(0, 80)
    compute(3, seats)

    assert tell(3) == count


def test_fall_is_measured_from_the_highest_of_the_last_seven_days(account: Account) -> None:
    compute(0, 40)
    compute(3, 80)
    compute(6, 60)
    assert tell(6) == 1
    assert told() == [("health.dropped", 60, 15)]


def test_fall_over_more_than_a_week_is_not_told(account: Account) -> None:
    compute(0, 80)
    for day, seats in ((4, 74), (8, 67), (12, 60)):
        compute(day, seats)
        assert tell(day) == 0


def test_fall_is_told_once_a_week_and_again_when_it_goes_on(account: Account) -> None:
    compute(0, 80)
    compute(1, 60)
    assert tell(1) == 1
    for day, seats in ((2, 60), (3, 40), (7.9, 40)):
        compute(day, seats)
        assert tell(day) == 0, day

    # A week is over, and within the last seven days it fell once more.
    compute(8, 40)
    assert tell(8, everywhere=True) == 1
    assert told() == [("health.dropped", 60, 15), ("health.dropped", 45, 15)]
    compute(15.1, 40)
    assert tell(15.1, everywhere=True) == 0


def test_new_formula_is_no_drop(account: Account) -> None:
    compute(0, 80)
    now = NOW + DAY
    draft = open_draft(by=None, now=now)
    update_measure(measure=draft.measures.get(key="seats"), curve=[[0, 0], [400, 100]], now=now)
    publish(draft=draft, by=None, note="Quarter", now=now)
    compute(1)
    assert HealthScore.objects.get().score == 30
    assert tell(1) == 0

    # What the customer does afterwards is told as today's formula has it.
    compute(2, 48)
    assert tell(2) == 1
    event = Event.objects.get(kind="health.dropped")
    assert (event.data["before"], event.data["points"], event.data["score"]) == (30, 12, 18)


def test_drop_across_a_new_formula_blames_no_measure(account: Account) -> None:
    compute(0, 80)
    now = NOW + DAY
    draft = open_draft(by=None, now=now)
    update_measure(measure=draft.measures.get(key="seats"), curve=[[0, 0], [400, 100]], now=now)
    publish(draft=draft, by=None, note="Quarter", now=now)
    compute(1, 48)

    # Of the day itself only its end is known, so before is the day before, less what the formula took.
    assert tell(1) == 1
    event = Event.objects.get(kind="health.dropped")
    assert "measure" not in event.data
    shift = HealthDay.objects.get(day=(NOW + DAY).date()).formula_shift
    assert event.data["before"] == 60 + (shift or 0)


def test_override_is_no_drop_but_what_happens_beneath_is(account: Account) -> None:
    compute(0, 80)
    override_score(
        account=account,
        named=NamedScore.overall(),
        score=5,
        reason="They told me",
        expires_at=NOW + 20 * DAY,
        by=UserFactory(),
        now=NOW + DAY,
    )
    compute(1)
    assert tell(1) == 0

    compute(2, 60)
    assert tell(2) == 1
    assert told() == [("health.dropped", 60, 15)]


def test_other_score_is_told_by_its_name_and_limit(account: Account) -> None:
    fit = NamedScore.objects.create(key="fit", label="Fit", drop_points=5)
    ProfileMeasureFactory(
        profile=ProfileFactory(named=fit), measure=MeasureFactory(key="third", curve=[[0, 0], [300, 100]])
    )
    compute(0, 90)
    compute(1, 75)

    assert tell(1) == 2
    assert sorted(told()) == [("health.dropped", 67.5, 11.25), ("health.score.dropped", 30, 5)]
    assert Event.objects.get(kind="health.score.dropped").data["named"] == "fit"


def test_score_that_has_no_points_any_more_is_no_drop(account: Account) -> None:
    compute(0, 80)
    Account.objects.update(seats=None)
    compute(1)
    assert tell(1) == 0


def test_only_what_changed_lately_is_looked_at_until_everything_is(account: Account) -> None:
    compute(0, 80)
    compute(1, 60)

    assert tell(1 + 1 / 24) == 0
    assert tell(1 + 1 / 24, everywhere=True) == 1


def test_days_since_the_drop_are_an_attribute(account: Account) -> None:
    compute(0, 80)
    compute(1, 60)
    attribute = Catalogue()["health.dropped_days"]

    def days(now: Any) -> Any:
        return read_facts([attribute], [account.pk], context=Context.at(now))[account.pk][attribute.key].value

    assert days(NOW + DAY) is None
    tell(1)
    compute(4, 70)
    assert days(NOW + 4.5 * DAY) == 3


def test_drops_are_told_in_a_fixed_number_of_queries(account: Account) -> None:
    AccountFactory.create_batch(6, seats=80)
    compute(0, 80)
    compute(1, 60)

    with CaptureQueriesContext(connection) as queries:
        assert tell(1) == 7

    assert len(queries) <= 16
    assert len(told()) == 7


def test_tasks_go_on_until_everything_is_told(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drops, "AT_ONCE", 2)
    AccountFactory.create_batch(4, seats=80)
    now = clock.now()
    compute_health(scope=Scope.everything(), now=now - DAY)
    Account.objects.update(seats=60)
    compute_health(scope=Scope.everything(), now=now)

    tell_drops_task()

    assert len(told()) == 5
    HealthScore.objects.update(dropped_at=None, computed_at=F("computed_at") - DAY)
    tell_drops_task()
    assert len(told()) == 5
    tell_every_drop()
    assert len(told()) == 10


@pytest.mark.django_db(transaction=True)
def test_each_drop_is_told_once_when_several_look_while_scores_are_computed(account: Account) -> None:
    AccountFactory.create_batch(9, seats=80)
    compute(0, 80)
    compute(1, 60)
    together = Barrier(4)

    def look() -> int:
        together.wait()
        found = sum(tell(1) for _ in range(4))
        connection.close()
        return found

    def recompute() -> int:
        together.wait()
        for n in range(4):
            compute(1 + n / 1000)
        connection.close()
        return 0

    with ThreadPoolExecutor(4) as workers:
        done = [workers.submit(look), workers.submit(look), workers.submit(look), workers.submit(recompute)]
    assert sum(one.result() for one in done) + tell(1) == 10
    assert len(told()) == 10


@pytest.mark.django_db(transaction=True)
def test_score_that_is_being_computed_is_left_to_the_next_look(account: Account) -> None:
    compute(0, 80)
    compute(1, 60)

    def look() -> int:
        try:
            return tell(1)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            HealthScore.objects.select_for_update().get()
            assert worker.submit(look).result(timeout=20) == 0
        assert worker.submit(look).result(timeout=20) == 1
