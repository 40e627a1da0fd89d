"""The team's page, a person's page, leave, handing over, and giving accounts away from the pages."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from accounts.models import Account, Leave, User, Workspace
from common import clock
from playbooks.models import Assignment, Task
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import AccountFactory, LeaveFactory, SubscriptionFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def leader() -> User:
    made: User = UserFactory(role=User.Role.LEADER, name="Henrik")
    return made


def page(name: str, *args: Any) -> str:
    return reverse(f"console:{name}", args=args)


def task(owner: User | None, **fields: Any) -> Task:
    now = clock.now()
    made: Task = TaskFactory(owner=owner, created_at=now, **{"due_at": now - timedelta(days=1), **fields})
    return made


def done(by: User, outcome: str, days: int = 1) -> None:
    at = clock.now() - timedelta(days=days)
    Task.objects.filter(pk=task(by).pk).update(status="done", outcome=outcome, done_at=at, done_by=by)


def test_leader_reads_what_everybody_has_and_each_number_opens_to_what_made_it(leader: User) -> None:
    maya = UserFactory(name="Maya", is_senior=True)
    account = SubscriptionFactory(account=AccountFactory(owner=maya), mrr=1200).account
    task(maya, account=account, minutes=90)
    done(maya, "saved")
    done(maya, "saved", days=6)
    done(maya, "lost", days=8)
    client = client_of(leader)

    html = client.get(page("team")).content.decode()
    words = words_of(client, page("team"))

    assert "Maya" in words
    assert "senior" in words
    assert "1.5 h" in words
    assert "Saved 2" in words
    assert "Lost" not in words
    queue = f"{page('queue')}?whose=team&owner={maya.pk}"
    assert f'href="{page("accounts")}?{urlencode({"csm": maya.email})}"' in html
    escaped = queue.replace("&", "&amp;")
    assert f'href="{escaped}"' in html
    assert f'href="{escaped}&amp;due=overdue"' in html
    assert words_of(client, f"{queue}&due=overdue").count(account.name) >= 1
    assert account.name in words_of(client, f"{page('accounts')}?{urlencode({'csm': maya.email})}")
    assert "Call them" in words_of(client, page("team_member", maya.pk))


def test_only_overdue_tasks_are_in_the_queue_that_asks_for_them(leader: User) -> None:
    person = UserFactory()
    task(person, title="Late")
    task(person, title="Coming", due_at=clock.now() + timedelta(days=3))

    words = words_of(client_of(leader), f"{page('queue')}?whose=team&owner={person.pk}&due=overdue")

    assert "Late" in words
    assert "Coming" not in words


def test_work_of_who_left_is_nobodys(leader: User) -> None:
    task(UserFactory(is_active=False), title="Left behind")
    task(None, title="Never had")
    task(UserFactory(), title="In good hands")
    client = client_of(leader)

    words = words_of(client, f"{page('queue')}?whose=team&owner=nobody")

    assert "2 open tasks are nobody's" in words_of(client, page("team"))
    assert "Left behind" in words
    assert "Never had" in words
    assert "In good hands" not in words


def test_page_takes_as_many_statements_for_many_as_for_one(leader: User) -> None:
    client = client_of(leader)
    task(UserFactory())
    client.get(page("team"))
    before = queries_of(client, page("team"))
    for person in UserFactory.create_batch(6):
        task(person)
        done(person, "saved")
        LeaveFactory(user=person, cover=leader, starts_on=clock.now().date(), ends_on=clock.now().date())

    assert queries_of(client, page("team")) == before


def test_csm_reads_the_team_but_opens_only_their_own_queue() -> None:
    reader, other = UserFactory(name="Reader"), UserFactory(name="Other")
    task(reader)
    task(other)
    client = client_of(reader)

    html = client.get(page("team")).content.decode()

    assert f'href="{page("queue")}?due=overdue"' in html
    assert f"owner={other.pk}" not in html
    assert "hand-over" not in client.get(page("team_member", other.pk)).content.decode()
    assert client.get(page("team_hand_over", other.pk)).status_code == 403
    assert client.get(f"{page('queue')}?whose=team&owner={other.pk}").status_code == 403
    assert client.get(f"{page('queue')}?whose=team&owner=nobody").status_code == 403


def test_csm_finds_only_themselves_under_the_own_book_rule() -> None:
    other = UserFactory(name="Otherwise")
    client = client_of(only_own_book())

    assert "Otherwise" not in words_of(client, page("team"))
    assert client.get(page("team_member", other.pk)).status_code == 404


def test_leader_sets_hours_and_nobody_else(leader: User) -> None:
    person = UserFactory()
    address = page("team_member", person.pk)

    assert client_of(person).post(address, {"weekly_hours": 40}).status_code == 403
    assert client_of(leader).post(address, {"weekly_hours": 90}).status_code == 422
    assert client_of(leader).post(address, {"weekly_hours": 20, "is_senior": "on"}).status_code == 302

    person.refresh_from_db()
    assert (person.weekly_hours, person.is_senior) == (20, True)


def test_people_plan_leave_and_take_it_back() -> None:
    person, cover, other = UserFactory(), UserFactory(name="Wei"), UserFactory()
    day = clock.now().date() + timedelta(days=7)
    asked = {"starts_on": day, "ends_on": day + timedelta(days=4), "cover": cover.pk}
    client = client_of(person)

    assert client.post(page("team_leave", person.pk), asked).status_code == 302
    again = client.post(page("team_leave", person.pk), asked)
    wrong = client.post(page("team_leave", person.pk), {**asked, "ends_on": day - timedelta(days=1)})

    assert again.status_code == wrong.status_code == 422
    assert "is away on some of these days already" in again.content.decode()
    assert "not before the first" in wrong.content.decode()
    assert "Wei covers" in words_of(client, page("team"))
    leave = Leave.objects.get()
    assert client_of(other).post(page("team_leave", person.pk), asked).status_code == 403
    assert client_of(other).post(page("team_leave_delete", person.pk, leave.pk)).status_code == 403
    assert client.post(page("team_leave_delete", person.pk, leave.pk)).status_code == 302
    assert not Leave.objects.exists()


def test_leader_sees_who_would_get_what_hands_over_and_takes_it_back(leader: User) -> None:
    leaver, heir = UserFactory(name="Maya"), UserFactory(name="Wei")
    accounts = AccountFactory.create_batch(3, owner=leaver)
    task(leaver, account=accounts[0])
    client = client_of(leader)
    address = page("team_hand_over", leaver.pk)

    assert "Wei 3 1" in words_of(client, address)
    shown = client.post(address, {"preview": "1", "to": heir.pk})
    assert shown.status_code == 200
    assert not Assignment.objects.exists()
    client.post(address, {"to": heir.pk, "reason": "Moves on", "end_access": "on"})

    leaver.refresh_from_db()
    given = Assignment.objects.get()
    assert heir.book.count() == 3
    assert not leaver.is_active
    assert "Take the hand-over back" in words_of(client, page("team_member", leaver.pk))
    assert client.post(page("team_hand_over_undo", leaver.pk, given.pk)).status_code == 302
    leaver.refresh_from_db()
    assert leaver.is_active
    assert leaver.book.count() == 3


def test_hand_over_says_when_nobody_is_here(leader: User) -> None:
    leaver = UserFactory()

    refused = client_of(leader).get(page("team_hand_over", leaver.pk))

    assert refused.status_code == 422
    assert "Nobody is here" in refused.content.decode()
    assert client_of(leaver).post(page("team_hand_over_undo", leaver.pk, 1)).status_code == 403


def test_account_is_given_from_its_page_and_back() -> None:
    before, after = UserFactory(name="Maya"), UserFactory(name="Wei", weekly_hours=80)
    account = AccountFactory(owner=before)
    client = client_of(before)
    address = page("account_assign", account.pk)

    assert "Maya has it now" in client.get(address, headers=HTMX).content.decode()
    answer = client.post(address, {"to": "least_loaded", "move_open_work": "on"}, headers=HTMX)

    account.refresh_from_db()
    assert account.owner == after
    assert "1 account given: Wei" in answer.content.decode()
    assert client.post(page("assignment_undo", Assignment.objects.get().pk), headers=HTMX).status_code == 200
    account.refresh_from_db()
    assert account.owner == before
    words = words_of(client, page("account_timeline", account.pk))
    assert "Wei took over from Maya" in words
    assert "Given back to Maya" in words


def test_form_says_when_nothing_would_change_or_nobody_is_found() -> None:
    owner = UserFactory()
    account = AccountFactory(owner=owner)
    client = client_of(owner)
    address = page("account_assign", account.pk)

    for to, words in ((owner.email, "they have it already"), ("sales", "Nobody is found"), ("moon", "valid choice")):
        answer = client.post(address, {"to": to})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not Assignment.objects.exists()


def test_chosen_and_filtered_accounts_are_given_at_once() -> None:
    reader = UserFactory(weekly_hours=0)
    people = UserFactory.create_batch(2)
    accounts = AccountFactory.create_batch(4, name="Harbour")
    other = AccountFactory(name="Inland")
    client = client_of(reader)
    chosen = f"{page('accounts_assign')}?account={accounts[0].pk}&account={accounts[1].pk}"

    assert "Assign 2 accounts" in words_of(client, chosen)
    assert "2 accounts given" in client.post(chosen, {"to": "round_robin"}, headers=HTMX).content.decode()
    assert Account.objects.filter(owner=None).count() == 3
    client.post(f"{page('accounts_assign')}?q=Harbour", {"to": "least_loaded"})

    assert {person.book.count() for person in people} == {2}
    other.refresh_from_db()
    assert other.owner is None


def test_viewer_assigns_nothing_and_nobody_what_they_do_not_see() -> None:
    account = AccountFactory(owner=UserFactory())
    viewer = client_of(UserFactory(role=User.Role.VIEWER))

    assert viewer.get(page("account_assign", account.pk)).status_code == 403
    assert "Assign" not in words_of(viewer, page("account", account.pk))
    Workspace.current()
    client = client_of(only_own_book())
    assert client.get(page("account_assign", account.pk)).status_code == 404
    assert "No account is chosen" in words_of(client, f"{page('accounts_assign')}?account={account.pk}")


def test_task_says_how_it_came_and_how_long_it_takes() -> None:
    person, giver = UserFactory(), UserFactory(name="Maya")
    given = task(giver, minutes=45)
    client_of(giver).post(page("queue_assign", given.pk), {"to": person.pk, "note": "Speaks Greek"})

    words = words_of(client_of(person), page("queue_task", given.pk))

    assert "Given by Maya; Maya had it before: Speaks Greek" in words
    assert "45 minutes" in words
