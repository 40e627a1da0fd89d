"""Every way into a playbook, through it and out of it, as the engine takes it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account
from accounts.services.ledger import record
from common.errors import Conflict, NotAllowed
from playbooks.models import Playbook, Run, Task
from playbooks.queries import why_not, why_run
from playbooks.services import (
    advance_due,
    discard_draft,
    enter_accounts,
    evaluate_entries,
    publish,
    save_draft,
    wake_waiting,
)
from surveys.models import Invitation
from tests.factories import NOW, AccountFactory, ContactFactory, SubscriptionFactory, SurveyFactory, UserFactory
from tests.playbooks.cases import DAY, LOW, customer, leaf, now_uses, published, settle

pytestmark = pytest.mark.django_db

CALL = {"id": "call", "kind": "task", "title": "Call"}
WRITE = {"id": "write", "kind": "task", "title": "Write"}
ANYBODY: dict[str, Any] = {"entry": {"kind": "condition", "condition": {"all": []}}}


def renews(on: date) -> Account:
    account: Account = AccountFactory()
    SubscriptionFactory(account=account, renews_on=on)
    return account


def renewal_moves(account: Account, on: date) -> None:
    account.subscriptions.update(renews_on=on)


def run_of(account: Account) -> Run:
    return Run.objects.get(account=account)


def titles() -> list[str]:
    return sorted(Task.objects.values_list("title", flat=True))


def test_account_enters_once_when_its_date_comes() -> None:
    published(
        {"entry": {"kind": "date", "attribute": "renewal_on", "days": -90}, "reentry_after_days": 0, "steps": [CALL]}
    )
    account = renews(NOW.date() + 91 * DAY)

    assert evaluate_entries(now=NOW) == 0
    assert evaluate_entries(now=NOW + DAY) == 1
    settle(NOW + DAY)
    assert [evaluate_entries(now=NOW + n * DAY) for n in range(2, 20)] == [0] * 18
    assert run_of(account).state == Run.State.FINISHED


def test_account_does_not_enter_when_its_date_is_long_past() -> None:
    published({"entry": {"kind": "date", "attribute": "renewal_on", "days": -90}, "steps": [CALL]})
    just_in_time, too_late = renews(NOW.date() + 83 * DAY), renews(NOW.date() + 82 * DAY)

    evaluate_entries(now=NOW)

    assert Run.objects.filter(account=just_in_time).exists()
    assert not Run.objects.filter(account=too_late).exists()


def test_ladder_takes_each_rung_on_its_morning() -> None:
    steps = [
        {"id": "first", "kind": "task", "title": "120"},
        {"id": "wait", "kind": "wait_for_date", "attribute": "renewal_on", "days": -90},
        {"id": "second", "kind": "task", "title": "90"},
    ]
    published({"entry": {"kind": "date", "attribute": "renewal_on", "days": -120}, "steps": steps})
    account = renews(NOW.date() + 120 * DAY)

    evaluate_entries(now=NOW)
    settle(NOW)
    run = run_of(account)
    assert run.due_at == datetime(2026, 4, 15, 9, tzinfo=UTC)
    settle(run.due_at - timedelta(seconds=1))
    assert titles() == ["120"]
    settle(run.due_at)
    assert titles() == ["120", "90"]


def test_wait_for_a_date_follows_the_date_when_it_moves() -> None:
    wait = {"id": "wait", "kind": "wait_for_date", "attribute": "renewal_on", "days": -30}
    published({**ANYBODY, "steps": [wait, CALL]})
    account = renews(NOW.date() + 60 * DAY)
    evaluate_entries(now=NOW)
    settle(NOW)

    renewal_moves(account, NOW.date() + 70 * DAY)
    settle(NOW + 31 * DAY)
    assert titles() == []
    renewal_moves(account, NOW.date() + 62 * DAY)
    assert wake_waiting(now=NOW + 33 * DAY) == 1
    settle(NOW + 33 * DAY)
    assert titles() == ["Call"]


def test_wait_for_a_date_ends_when_the_date_is_not_known() -> None:
    published({**ANYBODY, "steps": [{"id": "wait", "kind": "wait_for_date", "attribute": "renewal_on"}, CALL]})
    account = AccountFactory()
    evaluate_entries(now=NOW)
    settle(NOW)

    assert titles() == ["Call"]
    assert "The date is not known, so it went on." in [line.words for line in why_run(run_of(account))]


WAIT_UNTIL = {"id": "wait", "kind": "wait_until", "condition": leaf("usage.messaging.7d", "gte", 10), "days": 7}


def test_run_goes_on_as_soon_as_what_it_waits_for_comes_true() -> None:
    published({**ANYBODY, "steps": [{**WAIT_UNTIL, "otherwise": "write"}, CALL, {"id": "end", "kind": "stop"}, WRITE]})
    account = customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)

    assert wake_waiting(now=NOW + DAY) == 0
    now_uses(account, 12)
    assert wake_waiting(now=NOW + 2 * DAY) == 1
    now_uses(account, 4)
    settle(NOW + 2 * DAY)  # not so any more when the turn looks: it waits on
    assert titles() == []
    assert run_of(account).due_at == NOW + 7 * DAY
    now_uses(account, 12)
    wake_waiting(now=NOW + 3 * DAY)
    settle(NOW + 3 * DAY)
    assert titles() == ["Call"]
    assert "It came true, so it went on." in [line.words for line in why_run(run_of(account))]


def test_run_goes_the_other_way_when_time_runs_out() -> None:
    published({**ANYBODY, "steps": [{**WAIT_UNTIL, "otherwise": "write"}, CALL, {"id": "end", "kind": "stop"}, WRITE]})
    account = customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    settle(NOW + 7 * DAY - timedelta(seconds=1))
    assert titles() == []
    settle(NOW + 7 * DAY)

    assert titles() == ["Write"]
    assert run_of(account).state == Run.State.FINISHED
    assert [len(task.why) for task in Task.objects.all()] == [1]


def test_branch_goes_the_first_way_that_holds() -> None:
    ways = [
        {"when": leaf("usage.messaging.7d", "lt", 5), "to": "call"},
        {"when": leaf("usage.messaging.7d", "lt", 10), "to": "write"},
    ]
    steps = [
        {"id": "which", "kind": "branch", "ways": ways},
        {"id": "none", "kind": "go", "to": "recovered"},
        CALL,
        {"id": "done", "kind": "go", "to": "finished"},
        WRITE,
    ]
    published({**ANYBODY, "steps": steps})
    few, some, many = customer(uses=1), customer(uses=7), customer(uses=40)
    evaluate_entries(now=NOW)
    settle(NOW)

    assert dict(Task.objects.values_list("account", "title")) == {few.pk: "Call", some.pk: "Write"}
    assert run_of(many).state == Run.State.RECOVERED


def test_run_leaves_when_its_goal_is_reached() -> None:
    wait = {"id": "wait", "kind": "wait", "days": 7}
    published({**ANYBODY, "goal": leaf("usage.messaging.7d", "gte", 10), "exit": {"not": LOW}, "steps": [wait, CALL]})
    account = customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    now_uses(account, 12)
    settle(NOW + 7 * DAY)

    run = run_of(account)
    assert (run.state, titles()) == (Run.State.REACHED, [])
    assert why_run(run)[-1].words == "Reached its goal, so it left."
    assert why_run(run)[-1].seen


@pytest.mark.parametrize(
    ("wanted", "enters"),
    [
        ({"score": 3}, True),
        ({"score": [1, 2]}, False),
        ({"score": [2, 3]}, True),
        ({"score": {"at_most": 6}}, True),
        ({"score": {"at_least": 4, "at_most": 6}}, False),
        ({"named": {"at_least": 1}}, False),
        ({"absent": 1}, False),
    ],
)
def test_event_lets_enter_when_its_data_is_as_wanted(wanted: dict[str, Any], enters: bool) -> None:
    published({"entry": {"kind": "event", "event": "survey.answered", "data": wanted}, "steps": [CALL]})
    record(account=customer(uses=1), kind="survey.answered", happened_at=NOW, data={"score": 3, "named": "x"})
    settle(NOW)

    assert titles() == (["Call"] if enters else [])


def test_account_is_in_one_playbook_with_a_priority_at_a_time_and_the_highest_goes_first() -> None:
    wait = {"id": "wait", "kind": "wait", "days": 7}
    low = published({**ANYBODY, "priority": 10, "steps": [wait]}, name="Low")
    high = published({**ANYBODY, "priority": 90, "steps": [wait]}, name="High")
    beside = published({**ANYBODY, "steps": [wait]}, name="Beside")
    account = customer(uses=1)

    evaluate_entries(now=NOW)
    assert set(account.runs.values_list("playbook", flat=True)) == {high.pk, beside.pk}
    assert enter_accounts(playbook=low, account_ids=[account.pk], now=NOW) == []
    hurdles = {hurdle.name: hurdle for hurdle in why_not(low, account, NOW)}
    assert "“High” has it" in hurdles["Free for it"].words[0]

    settle(NOW)
    settle(NOW + 7 * DAY)
    evaluate_entries(now=NOW + 7 * DAY)
    assert account.runs.filter(playbook=low).exists()


def test_draft_is_kept_and_gone_once_it_is_published() -> None:
    admin = UserFactory(role="admin")
    playbook = published()
    draft = {**ANYBODY, "steps": [CALL]}

    save_draft(playbook=playbook, definition=draft, number=playbook.draft_number, by=admin, now=NOW)
    assert (playbook.draft, playbook.draft_by, playbook.draft_at) == (draft, admin, NOW)
    assert playbook.live_version is not None
    assert playbook.live_version.definition != draft
    publish(playbook=playbook, definition=draft, author=admin, note="", now=NOW)
    assert playbook.draft is None


def test_draft_is_refused_when_somebody_else_saved_in_the_meantime() -> None:
    admin = UserFactory(role="admin", name="Maria")
    playbook = published()
    draft = {**ANYBODY, "steps": [CALL]}
    seen = playbook.draft_number
    save_draft(playbook=playbook, definition=draft, number=seen, by=admin, now=NOW)

    with pytest.raises(Conflict, match="Maria changed this draft"):
        save_draft(playbook=playbook, definition={**draft, "steps": [WRITE]}, number=seen, by=admin, now=NOW)
    with pytest.raises(NotAllowed):
        discard_draft(playbook=playbook, number=playbook.draft_number, by=UserFactory(role="csm"))
    assert Playbook.objects.get().draft == draft
    assert discard_draft(playbook=playbook, number=playbook.draft_number, by=admin).draft is None


def test_run_with_a_wait_that_cannot_be_looked_at_is_parked_when_its_time_is_up() -> None:
    published({**ANYBODY, "steps": [{**WAIT_UNTIL, "otherwise": "exited"}, CALL]})
    account = customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    run = run_of(account)
    run.version.definition["steps"][0]["condition"] = leaf("moon", "gt", 1)
    run.version.save()

    assert wake_waiting(now=NOW + DAY) == 0
    now = NOW + 7 * DAY
    for _attempt in range(6):
        advance_due(now=now, limit=100)
        now += DAY
    assert run_of(account).state == Run.State.PARKED


@pytest.mark.parametrize(
    ("zone", "goes_on"),
    [
        ("Europe/Sofia", datetime(2026, 3, 29, 5, tzinfo=UTC)),  # the night of the change is an hour shorter
        ("America/New_York", datetime(2026, 3, 28, 21, tzinfo=UTC)),  # it is afternoon there
        ("Asia/Tokyo", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("account", datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),  # the account's, in Kolkata
        ("", datetime(2026, 3, 29, 8, tzinfo=UTC)),  # the workspace's
    ],
)
def test_letter_waits_for_morning_where_its_reader_is(zone: str, goes_on: datetime) -> None:
    SurveyFactory(key="nps", is_live=True)
    quiet = {"from": 20, "to": 8, "weekends": False}
    published({**ANYBODY, "quiet_hours": quiet, "steps": [{"id": "ask", "kind": "survey", "survey": "nps"}]})
    account = AccountFactory(time_zone="Asia/Kolkata" if zone else "")
    ContactFactory(account=account, time_zone="Pacific/Auckland")  # not the champion, who is asked first
    ContactFactory(account=account, time_zone="" if zone == "account" else zone, role="champion")
    evening = datetime(2026, 3, 28, 21, tzinfo=UTC)
    evaluate_entries(now=evening)
    settle(evening)

    assert run_of(account).due_at == goes_on
    settle(goes_on)
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("hours", [1, 4])
def test_letter_after_a_wait_for_a_condition_minds_its_reader_too(hours: int) -> None:
    SurveyFactory(key="nps", is_live=True)
    until = {
        "id": "until",
        "kind": "wait_until",
        "condition": leaf("seats", "gte", 9),
        "hours": hours,
        "otherwise": "ask",
    }
    steps = [until, {"id": "ask", "kind": "survey", "survey": "nps"}]
    published({**ANYBODY, "quiet_hours": {"from": 20, "to": 8, "weekends": False}, "steps": steps})
    account = AccountFactory(seats=1)
    ContactFactory(account=account, time_zone="America/New_York", role="champion")
    evening = datetime(2026, 3, 28, 20, tzinfo=UTC)
    evaluate_entries(now=evening)
    settle(evening)
    later = evening + timedelta(hours=1)
    Account.objects.update(seats=9 if hours > 1 else 1)
    wake_waiting(now=later)
    settle(later)

    assert Invitation.objects.count() == 1


def test_zones_of_many_readers_are_looked_up_at_once(django_assert_max_num_queries: Any) -> None:
    SurveyFactory(key="nps", is_live=True)
    quiet = {"from": 20, "to": 8, "weekends": False}
    published({**ANYBODY, "quiet_hours": quiet, "steps": [{"id": "ask", "kind": "survey", "survey": "nps"}]})
    for _n in range(30):
        ContactFactory(account=AccountFactory(), role="champion")
    night = datetime(2026, 3, 28, 21, tzinfo=UTC)
    evaluate_entries(now=night)

    with django_assert_max_num_queries(45):
        settle(night)
    assert Run.objects.filter(due_at=datetime(2026, 3, 29, 8, tzinfo=UTC)).count() == 30
