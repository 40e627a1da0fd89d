"""Tasks that come again, and their checklists."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Workspace
from common.errors import Conflict, DomainError
from playbooks.models import Task, TaskSeries
from playbooks.services.recurring import (
    day_after,
    day_of,
    go_on_with_series,
    make_due_tasks,
    start_series,
    stop_series,
    take_back_series,
)
from playbooks.services.tasks import create_task, tick_item
from tests.factories import NOW, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = NOW.date()


def series(**details: object) -> TaskSeries:
    owner = UserFactory()
    given = {"unit": "week", "every": 1, "starts_on": TODAY, "title": "Check in", **details}
    return start_series(account=AccountFactory(owner=owner), owner=owner, by=owner, now=NOW, **given)  # type: ignore[arg-type]


def test_months_keep_their_day_or_end_where_they_are_shorter() -> None:
    monthly = TaskSeries(unit="month", every=1, starts_on=date(2027, 1, 31))

    assert [day_of(monthly, n) for n in range(4)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]


@given(
    unit=st.sampled_from(["day", "week", "month"]),
    every=st.integers(1, 40),
    first=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    later=st.integers(-50, 4000),
)
def test_next_day_is_the_first_of_the_series_after_a_day(unit: str, every: int, first: date, later: int) -> None:
    made = TaskSeries(unit=unit, every=every, starts_on=first)
    day = first + timedelta(days=later)
    after = day_after(made, day)

    assert after == next(found for n in range(5000) if (found := day_of(made, n)) > day)


def test_first_task_is_made_at_once_and_the_next_on_its_day() -> None:
    made = series(checklist=["Numbers", "Call"])
    [task] = Task.objects.all()
    assert (task.title, [item["text"] for item in task.checklist]) == ("Check in", ["Numbers", "Call"])
    assert made.next_on == TODAY + 7 * DAY

    assert make_due_tasks(now=NOW + 6 * DAY) == 0
    assert make_due_tasks(now=NOW + 7 * DAY) == 1
    assert make_due_tasks(now=NOW + 7 * DAY) == 0
    assert Task.objects.count() == 2


def test_missed_days_bring_one_task_and_not_many() -> None:
    made = series(unit="day")

    assert make_due_tasks(now=NOW + 10 * DAY) == 1
    made.refresh_from_db()
    assert made.next_on == TODAY + 11 * DAY


@pytest.mark.parametrize("days_off", [[5, 6], [18, 19, 20, 21]], ids=["weekend", "Good Friday to Easter Monday"])
def test_task_comes_on_the_next_working_day_when_its_day_is_off(days_off: list[int]) -> None:
    Workspace.current()
    Workspace.objects.update(holiday_country="DE")
    series(unit="day", starts_on=TODAY + days_off[0] * DAY)

    for day in days_off:
        assert make_due_tasks(now=NOW + day * DAY) == 0
    assert make_due_tasks(now=NOW + (days_off[-1] + 1) * DAY) == 1
    assert Task.objects.get().due_at.date() == TODAY + (days_off[-1] + 1) * DAY


def test_series_is_taken_back_with_the_task_that_it_made() -> None:
    made = series()

    take_back_series(series=made, by=made.owner, now=NOW)  # type: ignore[arg-type]

    assert made.next_on is None
    assert Task.objects.get().status == "cancelled"


def test_series_ends_on_its_last_day() -> None:
    made = series(ends_on=TODAY + 8 * DAY)

    make_due_tasks(now=NOW + 7 * DAY)
    made.refresh_from_db()
    assert made.next_on is None
    assert make_due_tasks(now=NOW + 100 * DAY) == 0


def test_stopped_series_makes_nothing_until_it_goes_on() -> None:
    made = stop_series(series=series())

    assert make_due_tasks(now=NOW + 30 * DAY) == 0
    go_on_with_series(series=made, now=NOW + 30 * DAY)
    assert made.next_on == TODAY + 35 * DAY


@pytest.mark.parametrize(
    "wrong", [{"every": 0}, {"unit": "year"}, {"starts_on": TODAY - DAY}, {"ends_on": TODAY - DAY}]
)
def test_series_is_refused_when_its_days_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(DomainError):
        series(**wrong)
    assert not TaskSeries.objects.exists()


def test_item_is_ticked_by_somebody_and_unticked() -> None:
    maria = UserFactory(name="Maria")
    task = create_task(
        account=AccountFactory(), owner=maria, title="Call", due_at=NOW, checklist=["One", " ", "Two"], now=NOW
    )

    tick_item(task=task, place=1, is_done=True, by=maria, now=NOW)
    task.refresh_from_db()
    assert [bool(item["done"]) for item in task.checklist] == [False, True]
    assert task.checklist[1]["done"]["name"] == "Maria"
    tick_item(task=task, place=1, is_done=False, by=maria, now=NOW)
    task.refresh_from_db()
    assert task.checklist[1]["done"] is None
    with pytest.raises(Conflict):
        tick_item(task=task, place=2, is_done=True, by=maria, now=NOW)
