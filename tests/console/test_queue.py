from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User, Workspace
from common import clock
from playbooks.models import Task
from playbooks.services.tasks import complete_task, create_task, snooze_task
from tests.factories import AccountFactory, SubscriptionFactory, UserFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def csm() -> User:
    return UserFactory()


@pytest.fixture
def client(csm: User) -> Client:
    client = Client()
    client.force_login(csm)
    return client


def make_task(owner: User, **details: Any) -> Task:
    now = clock.now()
    details.setdefault("account", AccountFactory(owner=owner))
    details.setdefault("title", "Messaging is hardly used")
    details.setdefault("due_at", now + timedelta(days=1))
    return create_task(owner=owner, now=now, **details)


def test_queue_shows_the_most_pressing_task_first(client: Client, csm: User) -> None:
    small, big = AccountFactory(name="Small"), AccountFactory(name="Big")
    SubscriptionFactory(account=small, mrr=10)
    SubscriptionFactory(account=big, mrr=9000)
    make_task(csm, account=small, title="Later")
    make_task(csm, account=big, title="Sooner")

    page = client.get("/queue/").content.decode()

    assert page.index("Sooner") < page.index("Later")
    assert "2 tasks to do" in page
    assert "$9.0k" in page


def test_each_row_says_why_the_task_exists(client: Client, csm: User) -> None:
    make_task(csm, title="Send numbers", guidance="They asked in the review.\nBy team.")
    make_task(csm, title="Call")

    page = client.get("/queue/").content.decode()

    assert '<span class="row-detail">They asked in the review.</span>' in page
    assert '<span class="row-detail">Made by hand</span>' in page
    assert "They asked in the review." in client.get("/").content.decode()


def test_another_persons_task_is_not_in_the_queue(client: Client) -> None:
    make_task(UserFactory(), title="Not mine")

    assert "Not mine" not in client.get("/queue/").content.decode()


def test_team_queue_is_for_leaders(client: Client, csm: User) -> None:
    make_task(csm, title="Of the CSM")
    leader = Client()
    leader.force_login(UserFactory(role=User.Role.LEADER))

    assert client.get("/queue/?whose=team").status_code == 403
    assert "Of the CSM" in leader.get("/queue/?whose=team").content.decode()


def test_task_is_done_and_can_be_undone(client: Client, csm: User) -> None:
    task = make_task(csm)

    done = client.post(reverse("console:queue_done", args=[task.pk]), {"outcome": "saved"}, headers=HTMX)
    task.refresh_from_db()
    assert (task.status, task.outcome, task.done_by) == ("done", "saved", csm)
    undo = reverse("console:queue_reopen", args=[task.pk])
    assert undo in done.content.decode()

    undone = client.post(undo, headers=HTMX)
    task.refresh_from_db()
    assert task.status == "open"
    assert "queue-changed" in undone["HX-Trigger"]


def test_row_that_moves_up_comes_with_the_answer_when_a_task_is_done(client: Client, csm: User) -> None:
    account = AccountFactory(owner=csm)
    tasks = [make_task(csm, account=account, title=f"Task {n}") for n in range(51)]

    answer = client.post(reverse("console:queue_done", args=[tasks[0].pk]), headers=HTMX).content.decode()

    assert "Task 50" in answer
    assert "50 tasks to do" in answer


def test_second_person_is_told_who_was_first_when_both_finish_a_task(client: Client, csm: User) -> None:
    task = make_task(csm)
    complete_task(task=task, by=UserFactory(name="Maria"), outcome="", note="", now=clock.now())

    refused = client.post(reverse("console:queue_done", args=[task.pk]), headers=HTMX)

    assert refused.status_code == 409
    assert "Maria finished this task" in refused.content.decode()


def test_task_is_snoozed_until_a_day(client: Client, csm: User) -> None:
    task = make_task(csm)
    tomorrow = (clock.now() + timedelta(days=1)).date()

    client.post(reverse("console:queue_snooze", args=[task.pk]), {"until": tomorrow.isoformat()}, headers=HTMX)

    task.refresh_from_db()
    assert task.snoozed_until is not None
    assert task.snoozed_until.date() == tomorrow
    assert "Messaging is hardly used" not in client.get("/queue/").content.decode()
    client.post(reverse("console:queue_wake", args=[task.pk]), headers=HTMX)
    assert "Messaging is hardly used" in client.get("/queue/").content.decode()


@pytest.mark.parametrize("until", ["2020-01-01", "yesterday", "", "9999-12-31", "0001-01-01"])
def test_snooze_is_refused_at_the_field_when_the_day_is_wrong(client: Client, csm: User, until: str) -> None:
    task = make_task(csm)

    refused = client.post(reverse("console:queue_snooze", args=[task.pk]), {"until": until}, headers=HTMX)

    assert refused.status_code == 422
    assert "field-error" in refused.content.decode()
    task.refresh_from_db()
    assert task.snoozed_until is None


def test_task_is_given_to_somebody_else_and_back(client: Client, csm: User) -> None:
    task, other = make_task(csm), UserFactory()

    answer = client.post(reverse("console:queue_assign", args=[task.pk]), {"to": other.pk}, headers=HTMX)
    task.refresh_from_db()
    assert task.owner == other

    back = reverse("console:queue_assign_back", args=[task.pk, csm.pk])
    assert back in answer.content.decode()
    client.post(back, headers=HTMX)
    task.refresh_from_db()
    assert task.owner == csm


def test_several_tasks_are_done_at_once_and_the_others_said(client: Client, csm: User) -> None:
    tasks = [make_task(csm) for _ in range(3)]
    complete_task(task=tasks[2], by=csm, outcome="", note="", now=clock.now())

    answer = client.post(reverse("console:queue_bulk"), {"task": [t.pk for t in tasks]}, headers=HTMX).content.decode()

    assert "2 tasks done · 1 was closed already" in answer


def test_everything_works_without_scripts(client: Client, csm: User) -> None:
    task, other = make_task(csm), make_task(csm, title="Another")

    assert "Snooze" in client.get(reverse("console:queue_snooze", args=[task.pk])).content.decode()
    assert "Give it to" in client.get(reverse("console:queue_assign", args=[task.pk])).content.decode()
    page = client.get(reverse("console:queue_task", args=[task.pk])).content.decode()
    assert "Somebody on the team made this task" in page
    answer = client.post(reverse("console:queue_done", args=[task.pk]), follow=True)
    assert answer.redirect_chain == [("/queue/", 302)]
    assert "Done: Messaging is hardly used" in answer.content.decode()
    assert other.title in answer.content.decode()
    assert "Open it again" in client.get(reverse("console:queue_task", args=[task.pk])).content.decode()


def test_another_csms_task_is_not_there_on_any_address_when_csms_see_only_their_book(client: Client) -> None:
    Workspace.objects.update_or_create(id=1, defaults={"csms_see_only_their_book": True})
    other = UserFactory()
    task = make_task(other)

    for name, args in (
        ("task", [task.pk]),
        ("done", [task.pk]),
        ("reopen", [task.pk]),
        ("snooze", [task.pk]),
        ("wake", [task.pk]),
        ("assign", [task.pk]),
        ("assign_back", [task.pk, other.pk]),
    ):
        address = reverse(f"console:queue_{name}", args=args)
        assert client.post(address, headers=HTMX).status_code in (404, 405), name
        assert client.get(address).status_code in (404, 405), name
    client.post(reverse("console:queue_bulk"), {"task": [task.pk]}, headers=HTMX)
    task.refresh_from_db()
    assert task.status == "open"
    assert task.owner == other


def test_viewer_changes_nothing() -> None:
    viewer = UserFactory(role=User.Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    task = make_task(UserFactory())

    assert client.get(reverse("console:queue_task", args=[task.pk])).status_code == 200
    assert client.post(reverse("console:queue_done", args=[task.pk]), headers=HTMX).status_code == 403
    task.refresh_from_db()
    assert task.status == "open"


def test_stranger_is_asked_to_sign_in() -> None:
    assert Client().get("/queue/")["Location"].startswith("/user/login/")


def test_wrong_page_numbers_show_the_first_page(client: Client, csm: User) -> None:
    make_task(csm)
    for wrong in ("-1", "abc", "%00", "9" * 30):
        assert "Messaging is hardly used" in client.get(f"/queue/?from={wrong}").content.decode()


def test_query_count_does_not_grow_with_the_queue(client: Client, csm: User) -> None:
    for _ in range(3):
        make_task(csm)
    with CaptureQueriesContext(connection) as few:
        client.get("/queue/")
    for _ in range(30):
        make_task(csm)
    with CaptureQueriesContext(connection) as many:
        client.get("/queue/")

    assert len(many) == len(few)
    assert len(many) <= 12


def test_snoozed_task_comes_back_by_itself(client: Client, csm: User) -> None:
    task = make_task(csm)
    now = clock.now()
    snooze_task(task=task, by=csm, until=now + timedelta(days=1), now=now - timedelta(days=3))
    Task.objects.update(snoozed_until=now - timedelta(minutes=1))

    assert "Messaging is hardly used" in client.get("/queue/").content.decode()


def test_several_are_snoozed_and_woken_together(client: Client, csm: User) -> None:
    tasks = [make_task(csm) for _ in range(2)]
    chosen = [task.pk for task in tasks]

    dialog = client.get(reverse("console:queue_bulk_snooze"), {"task": chosen}, headers=HTMX).content.decode()
    assert "Snooze: 2 tasks" in dialog
    answer = client.post(reverse("console:queue_bulk_snooze"), {"task": chosen, "or_worse": "on"}, headers=HTMX)
    assert "2 tasks snoozed" in answer.content.decode()
    assert Task.objects.filter(snoozed_for__isnull=False).count() == 2
    client.post(undo_of(answer), headers=HTMX)
    assert Task.objects.filter(snoozed_until=None, snoozed_for__isnull=True).count() == 2


def test_several_are_given_to_somebody_and_back(client: Client, csm: User) -> None:
    other = UserFactory()
    tasks = [make_task(csm), make_task(other)]
    third = UserFactory()

    answer = client.post(
        reverse("console:queue_bulk_assign"), {"task": [task.pk for task in tasks], "to": third.pk}, headers=HTMX
    )
    assert Task.objects.filter(owner=third).count() == 2
    client.post(undo_of(answer), headers=HTMX)
    assert [Task.objects.get(pk=task.pk).owner for task in tasks] == [csm, other]


def test_several_that_were_done_are_opened_again(client: Client, csm: User) -> None:
    tasks = [make_task(csm) for _ in range(2)]

    answer = client.post(reverse("console:queue_bulk"), {"task": [t.pk for t in tasks], "outcome": "1"}, headers=HTMX)
    assert Task.objects.filter(status="done", outcome="recovered").count() == 2
    client.post(undo_of(answer), headers=HTMX)
    assert Task.objects.filter(status="open").count() == 2
    assert client.post("/queue/back/nothing/?task=1", headers=HTMX).status_code == 404
    assert client.post("/queue/back/assign/?task=1-x", headers=HTMX).status_code == 404


def undo_of(answer: Any) -> str:
    found: str = answer.content.decode().partition('hx-post="')[2].partition('"')[0]
    return found.replace("&amp;", "&")


def test_task_that_is_not_needed_is_cancelled_and_taken_back(client: Client, csm: User) -> None:
    task = make_task(csm)

    answer = client.post(reverse("console:queue_cancel", args=[task.pk]), headers=HTMX)
    task.refresh_from_db()
    assert task.status == "cancelled"
    client.post(undo_of(answer), headers=HTMX)
    task.refresh_from_db()
    assert task.status == "open"


def test_woken_task_says_why_it_is_back(client: Client, csm: User) -> None:
    task = make_task(csm)
    Task.objects.filter(pk=task.pk).update(woken={"kind": "health", "from": 71.0, "to": 58.5, "at": ""})

    assert "Back because health fell from 71 to 58.5." in client.get("/queue/").content.decode()
    assert "Back because health fell" in client.get(reverse("console:queue_task", args=[task.pk])).content.decode()


def test_answer_to_done_carries_the_task_that_the_preview_shows_next(client: Client, csm: User) -> None:
    task, following = make_task(csm), make_task(csm, title="The next one", guidance="Ask who.")

    answer = client.post(reverse("console:queue_done", args=[task.pk]), {"open": following.pk}, headers=HTMX)
    page = answer.content.decode()
    assert '<div id="peek" hx-swap-oob="innerHTML">' in page
    assert "Ask who." in page


def test_page_of_a_task_goes_on_to_the_next_one(client: Client, csm: User) -> None:
    task, following = make_task(csm), make_task(csm)
    done = reverse("console:queue_done", args=[task.pk])

    answer = client.post(done, {"then": "next"}, headers=HTMX)
    assert answer["HX-Redirect"] == reverse("console:queue_task", args=[following.pk])
    last = client.post(reverse("console:queue_done", args=[following.pk]), {"then": "next"})
    assert last["Location"] == "/queue/"


def test_item_of_a_checklist_is_ticked_and_progress_shows(client: Client, csm: User) -> None:
    task = make_task(csm, checklist=["One", "Two"])

    answer = client.post(reverse("console:queue_tick", args=[task.pk, 1]), headers=HTMX)
    assert f'id="checklist-{task.pk}" hx-swap-oob="true"' in answer.content.decode()
    assert ">1/2</span>" in client.get("/queue/").content.decode()
    client.post(f"{reverse('console:queue_tick', args=[task.pk, 1])}?undo")
    assert ">0/2</span>" in client.get("/queue/").content.decode()
    assert client.post(reverse("console:queue_tick", args=[task.pk, 7]), headers=HTMX).status_code == 409


def test_empty_queue_says_what_was_done_and_what_comes_back(client: Client, csm: User) -> None:
    assert "Your first task will stand here" in client.get("/queue/").content.decode()

    done, sleeping = make_task(csm), make_task(csm)
    now = clock.now()
    complete_task(task=done, by=csm, outcome="", note="", now=now)
    snooze_task(task=sleeping, until=now + timedelta(days=3), by=csm, now=now)
    page = " ".join(client.get("/queue/").content.decode().split())

    assert "All done" in page
    assert "1 task was finished today. The next snoozed one comes back:" in page


def test_snoozed_task_is_offered_to_be_brought_back(client: Client, csm: User) -> None:
    task = make_task(csm)
    address = reverse("console:queue_snooze", args=[task.pk])
    assert "Bring it back now" not in client.get(address, headers=HTMX).content.decode()

    snooze_task(task=task, until=clock.now() + timedelta(days=3), by=csm, now=clock.now())

    assert "Bring it back now" in client.get(address, headers=HTMX).content.decode()
