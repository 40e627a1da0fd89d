"""What happens to runs while others change what they are about, in real connections at the same time."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Account, User, Workspace
from playbooks.models import Run, Task
from playbooks.services import advance_due, evaluate_entries, publish
from playbooks.services.leaving import hand_over
from tests.factories import NOW, AccountFactory, UserFactory
from tests.playbooks.cases import DAY, REFERENCE, customer, published

pytestmark = pytest.mark.django_db(transaction=True)

ANYBODY = {"kind": "condition", "condition": {"all": []}}
CALL = {"id": "call", "kind": "task", "title": "Call"}
ACCOUNTS = 30


def together(*acts: Callable[[], object]) -> None:
    """Do all at the same time, each in a connection of its own; the first error is raised here."""
    errors: list[Exception] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001  # handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def delete(accounts: Sequence[Account]) -> None:
    """Delete them one by one; when a worker has just written about one, the database refuses; then again."""
    for account in accounts:
        while Account.objects.filter(pk=account.pk).exists():
            with suppress(IntegrityError), transaction.atomic():
                Account.objects.filter(pk=account.pk).delete()


def advance_all(now: datetime) -> None:
    while advance_due(now=now, limit=3):
        pass


def test_accounts_are_deleted_while_workers_take_their_turns() -> None:
    published({"entry": ANYBODY, "steps": [CALL, {"id": "wait", "kind": "wait", "days": 1}, {**CALL, "id": "again"}]})
    accounts = [AccountFactory(owner=UserFactory()) for _n in range(ACCOUNTS)]
    evaluate_entries(now=NOW)

    together(lambda: delete(accounts[::2]), lambda: advance_all(NOW), lambda: advance_all(NOW))
    together(lambda: advance_all(NOW + DAY), lambda: advance_all(NOW + DAY))
    advance_all(NOW + 2 * DAY)

    left = {account.pk for account in accounts[1::2]}
    assert set(Run.objects.values_list("account", "state")) == {(pk, Run.State.FINISHED) for pk in left}
    assert set(Task.objects.values_list("account", flat=True)) == left
    assert Task.objects.count() == 2 * len(left)


def test_account_is_deleted_while_entries_are_evaluated() -> None:
    published()
    accounts = [customer(uses=3) for _n in range(ACCOUNTS)]

    together(lambda: delete(accounts[::2]), lambda: evaluate_entries(now=NOW))
    evaluate_entries(now=NOW)

    assert set(Run.objects.values_list("account", flat=True)) == {account.pk for account in accounts[1::2]}


def test_csm_leaves_while_playbooks_give_them_work() -> None:
    published({"entry": ANYBODY, "steps": [CALL]})
    leaver, heir = UserFactory(role=User.Role.CSM), UserFactory(role=User.Role.CSM)
    leader = UserFactory(role=User.Role.LEADER)
    for _n in range(ACCOUNTS):
        AccountFactory(owner=leaver)
    evaluate_entries(now=NOW)

    def leave() -> None:
        hand_over(leaver=User.objects.get(pk=leaver.pk), by=leader, now=NOW, to=heir, reason="", end_access=True)

    together(leave, lambda: advance_all(NOW), lambda: advance_all(NOW))
    advance_all(NOW + DAY)
    evaluate_entries(now=NOW + DAY)

    assert not Account.objects.filter(owner=leaver).exists()
    assert Task.objects.count() == ACCOUNTS
    assert not Task.objects.filter(owner=None).exists()


def test_new_version_is_published_while_accounts_enter_and_runs_go_on() -> None:
    playbook = published({**REFERENCE, "entry": ANYBODY, "steps": [CALL]})
    for _n in range(ACCOUNTS):
        AccountFactory(owner=UserFactory())
    second = {**REFERENCE, "entry": ANYBODY, "steps": [{**CALL, "title": "Write"}]}

    together(
        lambda: publish(playbook=playbook, definition=second, author=None, note="", now=NOW),
        lambda: evaluate_entries(now=NOW),
        lambda: advance_all(NOW),
    )
    evaluate_entries(now=NOW)
    advance_all(NOW)

    assert Run.objects.filter(state=Run.State.FINISHED).count() == ACCOUNTS
    titles = {1: "Call", 2: "Write"}
    made = Task.objects.values_list("run__version__number", "title")
    assert len(made) == ACCOUNTS
    assert all(titles[number] == title for number, title in made)


@pytest.mark.parametrize(
    ("zone", "entered", "due"),
    [
        # Three o'clock in the morning, a day before clocks go forward: the day has 23 hours.
        ("Europe/Sofia", datetime(2026, 3, 28, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Sofia", datetime(2026, 3, 28, 10, tzinfo=UTC), datetime(2026, 3, 29, 9, tzinfo=UTC)),
        # Clocks go back: the day has 25 hours.
        ("America/New_York", datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 1, 17, tzinfo=UTC)),
        # They change by half an hour.
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 1, tzinfo=UTC), datetime(2026, 4, 5, 1, 30, tzinfo=UTC)),
    ],
)
def test_wait_of_a_day_ends_by_the_clock_on_the_wall_when_clocks_change(
    zone: str, entered: datetime, due: datetime
) -> None:
    Workspace.current()
    Workspace.objects.update(time_zone=zone)
    published({"entry": ANYBODY, "steps": [{"id": "wait", "kind": "wait", "days": 1}, CALL]}, now=entered)
    AccountFactory()
    evaluate_entries(now=entered)
    advance_all(entered)

    assert Run.objects.get().due_at == due
    advance_all(due)
    assert Task.objects.count() == 1
