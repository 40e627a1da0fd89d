"""Accounts and tasks change hands: by each rule, around leave, of somebody who leaves, and back again."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.calendar import Calendar
from accounts.models import Account, AccountTeamMember, Event, Leave, User, Workspace
from accounts.models.leave import follow_covers
from accounts.services.staff import delete_leave, save_leave, set_capacity
from common.errors import Conflict, DomainError, NotAllowed
from playbooks.capacity import Load, Week, spread, take_turns
from playbooks.handing import told
from playbooks.models import Assignment, Task
from playbooks.queries.capacity import staff_loads
from playbooks.rules import ACCOUNT_RULES, Rule, RuleError
from playbooks.services import create_task, reassign_task
from playbooks.services.assigning import assign_account, assign_accounts, undo_assignment
from playbooks.services.choosing import choose_owner, choose_owners
from playbooks.services.leaving import hand_over, plan_hand_over
from tests.factories import NOW, AccountFactory, LeaveFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
"""Before anybody works, a week without holidays; NOW is noon of that day."""
LEAST, TURNS = Rule("least_loaded"), Rule("round_robin")


def busy(user: User, minutes: int, **fields: Any) -> Task:
    task: Task = TaskFactory(owner=user, minutes=minutes, **{"due_at": MONDAY + timedelta(days=2), **fields})
    return task


def left(user: User, now: datetime = MONDAY) -> int:
    return staff_loads(now)[user.pk].left


def calendar(zone: str = "UTC", country: str = "") -> None:
    Workspace.current()
    Workspace.objects.update(time_zone=zone, holiday_country=country)


def chosen(rule: Rule, account: Account | None = None, now: datetime = MONDAY) -> User | None:
    choice = choose_owner(rule=rule, account=account or AccountFactory(), now=now)
    return choice.user if choice else None


# --- hours left -------------------------------------------------------------------------------------------------------


def test_hours_left_are_the_week_less_what_is_due_in_it() -> None:
    person = UserFactory(weekly_hours=30)
    busy(person, 60)
    busy(person, 45, due_at=MONDAY - timedelta(days=20))
    busy(person, 500, due_at=MONDAY + timedelta(days=7))
    busy(person, 500, snoozed_until=MONDAY + timedelta(days=9))
    busy(person, 500, status=Task.Status.CANCELLED)

    load = staff_loads(MONDAY)[person.pk]

    assert (load.works, load.due, load.left) == (30 * 60, 105, 1695)
    assert (load.open, load.overdue) == (3, 1)


def test_today_counts_with_the_part_of_it_that_lies_ahead() -> None:
    person = UserFactory(weekly_hours=40)

    assert left(person, MONDAY.replace(hour=13)) == 40 * 60 - 4 * 60
    assert left(person, MONDAY.replace(hour=18)) == 32 * 60
    assert left(person, MONDAY + timedelta(days=4, hours=3)) == 6 * 60


def test_next_week_is_asked_when_nothing_of_this_one_is_left() -> None:
    person = UserFactory(weekly_hours=40)
    busy(person, 60, due_at=MONDAY + timedelta(days=8))

    assert left(person, MONDAY + timedelta(days=4, hours=10)) == 40 * 60 - 60
    assert left(person, MONDAY + timedelta(days=6)) == 40 * 60 - 60


def test_holidays_and_leave_take_days_off() -> None:
    calendar("Europe/Sofia", "BG")
    person, away = UserFactory(weekly_hours=40), UserFactory(weekly_hours=40)
    monday = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # Tuesday, 3 March, is a holiday in Bulgaria
    LeaveFactory(user=away, starts_on=date(2026, 3, 3), ends_on=date(2026, 3, 5))

    assert (left(person, monday), left(away, monday)) == (32 * 60, 16 * 60)


def test_week_over_a_change_of_clocks_has_as_many_hours() -> None:
    """On Sunday, 29 March 2026, clocks go forward in Sofia: the week ends an hour earlier in UTC."""
    sofia = Calendar(zone=Workspace(time_zone="Europe/Sofia").zone)
    monday = datetime(2026, 3, 23, 6, 0, tzinfo=UTC)

    week, after = Week.at(monday, sofia), Week.at(monday + timedelta(days=7, hours=4), sofia)

    assert sum(week.days.values()) == 5
    assert week.ends_at == datetime(2026, 3, 29, 21, 0, tzinfo=UTC)
    assert after.days[date(2026, 3, 30)] == 0.5  # 10:00 UTC is 13:00 there


def test_week_without_a_working_day_is_passed_by() -> None:
    class Closed(Calendar):
        def is_business_day(self, day: date) -> bool:
            return day >= date(2027, 1, 4)

    week = Week.at(datetime(2026, 12, 23, tzinfo=UTC), Closed(zone=Workspace(time_zone="UTC").zone))

    assert week.first == date(2027, 1, 4)


def test_hours_left_of_everybody_take_one_query(django_assert_num_queries: Any) -> None:
    Workspace.current()
    for person in UserFactory.create_batch(5):
        busy(person, 30)

    with django_assert_num_queries(3):  # the workspace for its calendar and for its day, and the loads
        staff_loads(MONDAY)


# --- rules ------------------------------------------------------------------------------------------------------------


def load(user_id: int, works: int, accounts: int = 0) -> Load:
    return Load(user_id, False, False, works, 0, accounts, 0, 0)


def test_work_spread_goes_to_who_has_most_left_then_fewest_accounts() -> None:
    people = [load(1, 100), load(2, 100, accounts=5), load(3, 160)]

    assert [one.user_id for one in spread([60, 30, 30, 30, 30], people)] == [3, 1, 3, 2, 1]


def test_turns_go_round_and_begin_after_the_last() -> None:
    assert take_turns(5, [30, 10, 20], 10) == [20, 30, 10, 20, 30]
    assert take_turns(2, [10, 30], 20) == [30, 10]
    assert take_turns(1, [10, 30], 99) == [10]


def test_least_loaded_has_most_hours_left() -> None:
    loaded, free = UserFactory(), UserFactory()
    busy(loaded, 200)
    busy(free, 100)
    UserFactory(role=User.Role.LEADER)
    UserFactory(is_active=False)
    LeaveFactory(user=UserFactory(), starts_on=MONDAY.date(), ends_on=MONDAY.date())

    assert chosen(LEAST) == free


def test_rule_looks_among_the_named_only() -> None:
    UserFactory()
    leader = UserFactory(role=User.Role.LEADER)

    assert chosen(Rule("least_loaded", among=(leader.email.upper(),))) == leader
    assert chosen(Rule("round_robin", among=(leader.email,))) == leader


def test_turns_are_taken_one_after_the_other_and_leave_out_who_is_away() -> None:
    first, away, third = UserFactory(), UserFactory(), UserFactory()
    LeaveFactory(user=away, starts_on=MONDAY.date(), ends_on=MONDAY.date())

    assert [chosen(TURNS) for _turn in range(3)] == [first, third, first]
    assert chosen(TURNS, now=MONDAY + timedelta(days=1)) == away


def test_owner_role_and_person_are_found() -> None:
    owner, helper = UserFactory(), UserFactory()
    account = AccountFactory(owner=owner)
    AccountTeamMember.objects.create(account=account, user=helper, role="support")

    assert chosen(Rule("owner"), account) == owner
    assert chosen(Rule("support"), account) == helper
    assert chosen(Rule(helper.email.upper()), account) == helper
    assert chosen(Rule("sales"), account) is None


def test_senior_gets_the_difficult_account_and_the_others_go_elsewhere() -> None:
    senior, junior = UserFactory(is_senior=True), UserFactory()
    busy(senior, 100)
    hard, easy = AccountFactory(seats=500), AccountFactory(seats=5)
    rule = Rule("senior", difficult={"attribute": "seats", "operator": "gt", "value": 100})

    choices = choose_owners(rule=rule, accounts=[hard, easy], now=MONDAY)

    assert {pk: choice.user for pk, choice in choices.items()} == {hard.pk: senior, easy.pk: junior}


def test_rule_is_refused_when_it_names_what_is_not_there() -> None:
    for rule, field in (
        (Rule("nonsense"), "to"),
        (Rule("owner"), "to"),
        (Rule("nobody@example.com"), "to"),
        (Rule(UserFactory(role=User.Role.VIEWER).email), "to"),
        (Rule("least_loaded", among=("nobody@example.com",)), "among"),
        (Rule("senior", otherwise="senior"), "otherwise"),
        (Rule("senior", difficult={"attribute": "moon"}), "difficult"),
    ):
        with pytest.raises(RuleError) as refused:
            rule.check(ACCOUNT_RULES)
        assert list(refused.value.fields) == [field]


@pytest.mark.django_db(transaction=True)
def test_two_who_choose_at_once_get_two_people() -> None:
    people = UserFactory.create_batch(4)
    accounts = AccountFactory.create_batch(8)
    together = Barrier(8)
    got: list[Any] = []

    def run(account: Account) -> None:
        together.wait()
        try:
            with transaction.atomic():
                got.append(chosen(TURNS, account))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(user.pk for user in got) == sorted([user.pk for user in people] * 2)


# --- leave ------------------------------------------------------------------------------------------------------------


def test_covers_are_followed_and_circles_end() -> None:
    assert follow_covers(1, {}) == 1
    assert follow_covers(1, {1: 2}) == 2
    assert follow_covers(1, {1: 2, 2: 3}) == 3
    assert follow_covers(1, {1: 2, 2: 1}) is None
    assert follow_covers(1, {1: 2, 2: None}) is None


def test_cover_gets_what_was_meant_for_somebody_away() -> None:
    away, also_away, here = UserFactory(name="Maya"), UserFactory(), UserFactory()
    LeaveFactory(user=away, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20), cover=also_away)
    LeaveFactory(user=also_away, starts_on=date(2026, 3, 16), ends_on=date(2026, 3, 16), cover=here)
    account = AccountFactory()

    choice = choose_owner(rule=Rule(away.email), account=account, now=MONDAY)
    assign_accounts(rule=Rule(away.email), accounts=[account], by=None, now=MONDAY)

    assert choice is not None
    assert choice.cover is not None
    assert (choice.user, choice.cover.instead_of, choice.cover.until) == (here, away, date(2026, 3, 20))
    account.refresh_from_db()
    assert account.owner == here
    assert Event.objects.get(kind="account.assigned").data["cover"] == {
        "how": "cover",
        "name": "Maya",
        "until": "2026-03-20",
    }


def test_person_away_keeps_it_when_covers_go_in_a_circle_or_left() -> None:
    one, other = UserFactory(), UserFactory()
    for user, cover in ((one, other), (other, one)):
        LeaveFactory(user=user, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20), cover=cover)
    gone = UserFactory()
    LeaveFactory(user=gone, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20), cover=UserFactory(is_active=False))

    assert chosen(Rule(one.email)) == one
    assert chosen(Rule(gone.email)) == gone


def test_urgent_task_due_during_leave_goes_to_the_cover_and_says_for_whom() -> None:
    away, cover = UserFactory(name="Maya"), UserFactory()
    LeaveFactory(user=away, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20), cover=cover)
    account = AccountFactory(owner=away)

    def made(severity: int, due: datetime, by: User | None = None) -> Task:
        return create_task(account=account, owner=away, title="Call", severity=severity, due_at=due, by=by, now=MONDAY)

    urgent = made(4, datetime(2026, 3, 20, 23, 0, tzinfo=UTC))

    assert urgent.owner == cover
    assert told(urgent.handed) == ["Covering for Maya until March 20, 2026"]
    assert made(4, datetime(2026, 3, 21, 0, 30, tzinfo=UTC)).owner == away
    assert made(2, MONDAY).owner == away
    assert made(4, MONDAY, by=away).owner == away


def test_leave_is_refused_when_it_overlaps_or_has_its_days_or_cover_wrong() -> None:
    person, leader = UserFactory(), UserFactory(role=User.Role.LEADER)
    viewer = UserFactory(role=User.Role.VIEWER)

    def ask(first: int, last: int, by: User = person, cover: User | None = None) -> Leave:
        leave = Leave(user=person, starts_on=date(2026, 5, first), ends_on=date(2026, 5, last), cover=cover)
        return save_leave(leave=leave, by=by)

    kept = ask(4, 8, cover=leader)
    with pytest.raises(Conflict):
        ask(8, 9)
    for refused in ({"first": 20, "last": 19}, {"first": 20, "last": 21, "cover": person}):
        with pytest.raises(DomainError):
            ask(**refused)  # type: ignore[arg-type]
    with pytest.raises(DomainError):
        ask(20, 21, cover=viewer)
    with pytest.raises(NotAllowed):
        ask(20, 21, by=UserFactory())
    ask(9, 9, by=leader)
    with pytest.raises(NotAllowed):
        delete_leave(leave=kept, by=UserFactory())
    delete_leave(leave=kept, by=person)

    assert Leave.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        LeaveFactory(user=person, starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 9))


def test_only_leaders_set_hours() -> None:
    person, leader = UserFactory(), UserFactory(role=User.Role.LEADER)

    set_capacity(user=person, weekly_hours=20, is_senior=True, by=leader)

    person.refresh_from_db()
    assert (person.weekly_hours, person.is_senior) == (20, True)
    with pytest.raises(NotAllowed):
        set_capacity(user=person, weekly_hours=40, is_senior=True, by=person)
    with pytest.raises(DomainError):
        set_capacity(user=person, weekly_hours=81, is_senior=True, by=leader)


def test_cover_sees_the_accounts_of_who_is_away_under_the_own_book_rule() -> None:
    away, cover, other = UserFactory(), UserFactory(), UserFactory()
    account = AccountFactory(owner=away)
    Workspace.current()
    Workspace.objects.update(csms_see_only_their_book=True)
    today = datetime.now(UTC).date()

    leave = LeaveFactory(user=away, starts_on=today, ends_on=today, cover=cover)

    assert list(Account.objects.visible_to(cover)) == [account]
    assert not Account.objects.visible_to(other).exists()
    leave.delete()
    assert not Account.objects.visible_to(cover).exists()


# --- giving and taking back -------------------------------------------------------------------------------------------


def test_account_goes_with_its_open_tasks_and_a_note_on_each() -> None:
    before, after, leader = UserFactory(name="Maya"), UserFactory(name="Tomás"), UserFactory(name="Henrik")
    account = AccountFactory(owner=before)
    open_task, done = TaskFactory(account=account, owner=before), TaskFactory(account=account, owner=before)
    Task.objects.filter(pk=done.pk).update(status="done", done_at=NOW)
    others = TaskFactory(account=account)

    assign_account(account=account, to=after, by=leader, now=NOW, reason="New region")

    account.refresh_from_db()
    open_task.refresh_from_db()
    assert (account.owner, open_task.owner) == (after, after)
    assert told(open_task.handed) == ["Came from Maya with the account: New region"]
    assert Task.objects.get(pk=done.pk).owner == before
    assert Task.objects.get(pk=others.pk).owner == others.owner
    event = Event.objects.get(kind="account.assigned")
    assert (event.data["from_name"], event.data["name"], event.data["tasks"]) == ("Maya", "Tomás", 1)
    assert (event.data["reason"], event.user) == ("New region", leader)


def test_open_work_stays_when_it_is_not_to_move() -> None:
    task = TaskFactory()
    account = task.account
    Account.objects.update(owner=task.owner)

    assign_account(account=account, to=UserFactory(), by=None, now=NOW, move_open_work=False)

    assert Task.objects.get().owner == task.owner


def test_work_of_nobody_goes_to_the_first_owner() -> None:
    account, owner = AccountFactory(owner=None), UserFactory()
    task = TaskFactory(account=account, owner=None)

    assign_account(account=account, to=owner, by=None, now=NOW)

    task.refresh_from_db()
    assert task.owner == owner
    assert told(task.handed) == ["Came with the account"]


def test_nothing_is_kept_when_nothing_changes_hands() -> None:
    account = AccountFactory(owner=UserFactory())

    assert assign_account(account=account, to=account.owner, by=None, now=NOW) is None
    assert not Assignment.objects.exists()
    assert not Event.objects.exists()


def test_assignment_is_taken_back_but_for_what_changed_hands_again() -> None:
    before, after, third = UserFactory(), UserFactory(), UserFactory()
    accounts = AccountFactory.create_batch(2, owner=before)
    tasks = [TaskFactory(account=accounts[0], owner=before) for _number in range(2)]
    given, _choices = assign_accounts(rule=Rule(after.email), accounts=accounts, by=before, now=NOW)
    assert given is not None
    tasks[1].refresh_from_db()
    reassign_task(task=tasks[1], to=third, by=before, now=NOW, note="Speaks Greek")
    assign_account(account=accounts[1], to=third, by=before, now=NOW)

    undo_assignment(assignment=given, by=before, now=NOW)

    assert [Account.objects.get(pk=one.pk).owner for one in accounts] == [before, third]
    first, second = (Task.objects.get(pk=one.pk) for one in tasks)
    assert (first.owner, first.handed) == (before, [])
    assert second.owner == third
    assert told(second.handed)[-1] == f"Given by {before.name}; {after.name} had it before: Speaks Greek"
    assert Event.objects.filter(kind="account.assigned", data__undone=True).count() == 1
    with pytest.raises(Conflict):
        undo_assignment(assignment=given, by=before, now=NOW)


def test_viewers_assign_nothing() -> None:
    viewer, account = UserFactory(role=User.Role.VIEWER), AccountFactory()

    with pytest.raises(NotAllowed):
        assign_account(account=account, to=UserFactory(), by=viewer, now=NOW)
    with pytest.raises(DomainError):
        assign_account(account=account, to=UserFactory(), by=None, now=NOW, reason="x" * 301)


def test_many_accounts_are_spread_in_as_many_queries_as_one() -> None:
    people = UserFactory.create_batch(3)
    accounts = AccountFactory.create_batch(31)
    Workspace.current()

    with CaptureQueriesContext(connection) as one:
        assign_accounts(rule=LEAST, accounts=accounts[:1], by=None, now=MONDAY)
    with CaptureQueriesContext(connection) as many:
        assign_accounts(rule=LEAST, accounts=accounts[1:], by=None, now=MONDAY)

    assert len(many) == len(one)
    loads = staff_loads(MONDAY)
    assert sorted(loads[person.pk].accounts for person in people) == [10, 10, 11]


# --- somebody leaves --------------------------------------------------------------------------------------------------


def test_work_of_who_leaves_is_spread_and_comes_back_when_undone() -> None:
    leaver, leader = UserFactory(name="Maya"), UserFactory(role=User.Role.LEADER)
    full, free = UserFactory(weekly_hours=10), UserFactory(weekly_hours=30)
    accounts = AccountFactory.create_batch(4, owner=leaver)
    own = TaskFactory(account=accounts[0], owner=leaver)
    on_anothers = TaskFactory(account__owner=full, owner=leaver, title="Help out")
    loose = TaskFactory(account__owner=None, owner=leaver)

    plan = plan_hand_over(leaver=leaver, now=MONDAY)
    given = hand_over(leaver=leaver, by=leader, now=MONDAY, reason="Leaves in March", end_access=True)

    assert given is not None
    assert {share.user: (share.accounts, share.tasks) for share in plan.shares} == {full: (0, 1), free: (4, 2)}
    assert set(Account.objects.filter(pk__in=[one.pk for one in accounts]).values_list("owner", flat=True)) == {free.pk}
    assert [Task.objects.get(pk=one.pk).owner for one in (own, on_anothers, loose)] == [free, full, free]
    assert told(Task.objects.get(pk=loose.pk).handed) == [
        f"Given by {leader.name}; Maya had it before: Leaves in March"
    ]
    leaver.refresh_from_db()
    assert not leaver.is_active

    undo_assignment(assignment=given, by=leader, now=MONDAY)

    leaver.refresh_from_db()
    assert leaver.is_active
    assert leaver.book.count() == 4
    assert set(leaver.tasks.all()) == {own, on_anothers, loose}


def test_work_of_who_leaves_goes_to_the_one_named() -> None:
    leaver, leader, heir = UserFactory(), UserFactory(role=User.Role.LEADER), UserFactory()
    UserFactory()
    AccountFactory.create_batch(3, owner=leaver)

    hand_over(leaver=leaver, by=leader, now=MONDAY, to=heir)

    assert heir.book.count() == 3


def test_hand_over_is_refused_when_nobody_is_there_or_nobody_leads() -> None:
    leaver, leader = UserFactory(), UserFactory(role=User.Role.LEADER)

    with pytest.raises(DomainError, match="Nobody is here"):
        hand_over(leaver=leaver, by=leader, now=MONDAY)
    with pytest.raises(NotAllowed):
        hand_over(leaver=leaver, by=leaver, now=MONDAY)
    with pytest.raises(NotAllowed):
        hand_over(leaver=leader, by=leader, now=MONDAY, end_access=True)
    with pytest.raises(NotAllowed):
        hand_over(leaver=UserFactory(role=User.Role.ADMIN), by=leader, now=MONDAY, end_access=True)
