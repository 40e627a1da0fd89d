"""What happens to usage without anybody sending anything, and what a product hears when the database cannot keep up."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import connection

from cs_platform.celery import app
from tests import databases
from tests.factories import NOW, AccountFactory
from tests.usage.conftest import Post, call
from usage import tasks
from usage.models import DailyUsage, RollingUsage, SeenMessage, TrackedEvent, UsageCalendar


@pytest.mark.parametrize("task", [tasks.turn_windows, tasks.assign_waiting, tasks.purge])
def test_beat_rings_for_each_periodic_task(task: Any) -> None:
    assert task.name in {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert task.name in app.tasks


@pytest.mark.django_db
def test_windows_waiting_calls_and_old_ids_are_seen_to_when_the_tasks_run(post: Post) -> None:
    with time_machine.travel(NOW, tick=False):
        post({"batch": [call(context={"groupId": "later"})]})
    AccountFactory(external_id="later")

    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        tasks.assign_waiting()
        assert RollingUsage.objects.get().last_7 == 1
        tasks.turn_windows()
        tasks.purge()

    assert UsageCalendar.objects.get().as_of == (NOW + timedelta(days=31)).date()
    kept = RollingUsage.objects.get()
    assert (kept.last_7, kept.last_28, kept.prior_28) == (0, 0, 1)
    assert not SeenMessage.objects.exists()


@pytest.mark.django_db
def test_a_call_is_stored_when_it_is_the_first_of_its_month(post: Post) -> None:
    AccountFactory(external_id="acme")
    new_year = NOW.replace(year=2031, month=1, day=1, hour=0)

    with time_machine.travel(new_year, tick=False):
        for ago in (timedelta(0), timedelta(hours=1), timedelta(days=400)):
            stamp = (new_year - ago).isoformat()
            assert post({"batch": [call(timestamp=stamp, context={"groupId": "acme"})]}).status_code == 200

    assert TrackedEvent.objects.count() == 3
    assert DailyUsage.objects.values("day").distinct().count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_put_off_and_taken_later_when_the_database_is_overloaded(post: Post) -> None:
    AccountFactory(external_id="acme")
    batch = {"batch": [call(context={"groupId": "acme"})]}
    post({"batch": [call(context={"groupId": "acme"})]})

    with psycopg.connect(databases.database_url(connection.settings_dict["NAME"])) as other:
        other.execute("SELECT * FROM usage_usagecalendar FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
            answer = post(batch)
            cursor.execute("RESET lock_timeout")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["code"] == "overloaded"
    assert post(batch).json()["accepted"] == 1
    assert DailyUsage.objects.get().count == 2
