"""Tasks in a calendar, by a private address."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.test import Client
from icalendar import Calendar

from accounts.models import User
from common import clock
from playbooks.models import CalendarFeed
from playbooks.services.tasks import complete_task, create_task
from tests.console.pages import client_of, only_own_book
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def address_of(user: User) -> str:
    page = client_of(user).post("/queue/calendar/open/").content.decode()
    return page.partition('value="http://testserver')[2].partition('"')[0]


def events(address: str) -> list[dict[str, object]]:
    answer = Client().get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    return [
        {name: event.decoded(name) for name in ("uid", "summary", "description", "dtstart", "dtend")}
        for event in Calendar.from_ical(answer.content).walk("VEVENT")
    ]


def test_calendar_has_the_open_tasks_on_their_days() -> None:
    csm = UserFactory()
    due = clock.now().replace(microsecond=0) + timedelta(days=2)
    title = "Call; talk, listen \\ and schreiben Sie über „Größe“ " * 3
    task = create_task(
        account=AccountFactory(name="Acme, Inc."),
        owner=csm,
        title=title,
        guidance="One,\ntwo; three.",
        due_at=due,
        now=clock.now(),
    )
    done = create_task(account=AccountFactory(), owner=csm, title="Done", due_at=due, now=clock.now())
    complete_task(task=done, by=csm, outcome="", note="", now=clock.now())
    create_task(account=AccountFactory(), owner=UserFactory(), title="Not mine", due_at=due, now=clock.now())

    [event] = events(address_of(csm))
    assert event["summary"] == f"{task.title} · Acme, Inc."
    assert event["description"] == f"One,\ntwo; three.\n\nhttp://testserver/queue/{task.pk}/"
    assert event["dtend"] == due.astimezone(UTC)
    assert event["dtstart"] == due - timedelta(minutes=task.minutes)


def test_nothing_is_sent_again_while_nothing_changed() -> None:
    csm = UserFactory()
    address = address_of(csm)
    etag = Client().get(address)["ETag"]

    assert Client().get(address, headers={"If-None-Match": etag}).status_code == 304
    create_task(account=AccountFactory(), owner=csm, title="New", due_at=clock.now(), now=clock.now())
    assert Client().get(address, headers={"If-None-Match": etag}).status_code == 200


def test_address_works_until_another_is_made_or_it_is_stopped() -> None:
    csm = UserFactory()
    first, second = address_of(csm), address_of(csm)

    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    assert first.split("/")[-1].removesuffix(".ics") not in str(CalendarFeed.objects.values())
    client_of(csm).post("/queue/calendar/close/")
    assert Client().get(second).status_code == 404
    assert Client().get("/calendar/nonsense.ics").status_code == 404


def test_address_of_somebody_who_left_does_not_work() -> None:
    csm = UserFactory()
    address = address_of(csm)
    User.objects.filter(pk=csm.pk).update(is_active=False)

    assert Client().get(address).status_code == 404


def test_tasks_on_accounts_that_one_may_not_see_any_more_are_left_out() -> None:
    csm = only_own_book()
    create_task(account=AccountFactory(), owner=csm, title="Hidden", due_at=clock.now(), now=clock.now())

    assert events(address_of(csm)) == []


def test_page_says_whether_the_calendar_reads() -> None:
    csm = UserFactory()
    client = client_of(csm)

    assert "Make an address" in client.get("/queue/calendar/").content.decode()
    Client().get(address_of(csm))
    page = client.get("/queue/calendar/").content.decode()
    assert "last read" in page
    assert ".ics" not in page
