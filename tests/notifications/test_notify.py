"""Who is told what, once, and how."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.translation import override

from accounts.models import Account, EventInbox, User
from accounts.services.ledger import record
from notifications.kinds import KINDS, Channel
from notifications.models import Digest, Notification
from notifications.services import consume_events, prune, send_digests, set_preferences
from outbox.models import Message
from playbooks.services import advance_due, create_task, evaluate_entries, reassign_task
from tests.factories import NOW, AccountFactory, UserFactory
from tests.playbooks.cases import DAY, customer, published, settle

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 16, 12, tzinfo=UTC)


def csm(**fields: Any) -> User:
    user: User = UserFactory(role=User.Role.CSM, **fields)
    return user


def tell(now: datetime = NOW) -> None:
    while consume_events(now=now, limit=100):
        pass


def told(user: User) -> list[str]:
    return [one.words for one in Notification.objects.filter(user=user).order_by("pk")]


def unhappy(account: Account, *, score: int = 2) -> None:
    data = {"survey": "nps", "kind": "nps", "score": score, "category": "detractor" if score < 7 else "promoter"}
    record(account=account, kind="survey.answered", happened_at=NOW, data=data)


def test_owner_is_told_of_an_unhappy_answer_in_the_app_and_by_mail_at_once() -> None:
    owner = csm(email="maya@example.com")
    account = AccountFactory(name="Acme", owner=owner)
    unhappy(account)
    tell()

    assert told(owner) == ["Somebody at Acme answered a survey with 2."]
    message = Message.objects.get()
    assert (message.recipient, message.subject) == ("maya@example.com", "Somebody at Acme answered a survey with 2.")
    assert f"/accounts/{account.pk}/" in message.payload["text"]
    assert "/notifications/choose/" in message.payload["headers"]["List-Unsubscribe"]


def test_nobody_is_told_of_what_they_did_themselves() -> None:
    owner, colleague = csm(), csm()
    account = AccountFactory(owner=owner)
    mine = create_task(account=account, owner=owner, title="Call", due_at=NOW + DAY, now=NOW, by=owner)
    tell()
    assert not Notification.objects.exists()

    reassign_task(task=mine, to=colleague, by=owner, now=NOW)
    tell()
    assert told(owner) == []
    assert [one.kind for one in Notification.objects.filter(user=colleague)] == ["task.handed"]


def test_words_are_of_the_readers_language() -> None:
    owner = csm(language="ru")
    unhappy(AccountFactory(name="Acme", owner=owner))
    tell()

    with override("ru"):
        russian = Notification.objects.get().words
    with override("en"):
        english = Notification.objects.get().words
    assert russian != english
    assert Message.objects.get().subject == russian


def test_choice_is_followed() -> None:
    owner = csm()
    set_preferences(user=owner, channels={"survey.detractor": Channel.APP, "task.new": Channel.OFF})
    account = AccountFactory(owner=owner)
    unhappy(account)
    create_task(account=account, owner=owner, title="Call", due_at=NOW + DAY, now=NOW)
    tell()

    assert [one.kind for one in Notification.objects.all()] == ["survey.detractor"]
    assert not Message.objects.exists()


def test_somebody_who_left_is_told_nothing() -> None:
    unhappy(AccountFactory(owner=csm(is_active=False)))
    unhappy(AccountFactory(owner=None))
    tell()

    assert not Notification.objects.exists()
    assert not EventInbox.objects.filter(consumer="notifications").exists()


@pytest.mark.django_db(transaction=True)
def test_each_is_told_once_when_two_workers_take_the_same_events() -> None:
    owner = csm()
    for _n in range(30):
        unhappy(AccountFactory(owner=owner))

    def work() -> int:
        try:
            return sum(iter(lambda: consume_events(now=NOW, limit=4), 0))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = sum(future.result() for future in [pool.submit(work) for _n in range(4)])

    assert taken == 30
    assert Notification.objects.count() == Message.objects.count() == 30


def test_parked_run_is_told_to_admins() -> None:
    admin = UserFactory(role=User.Role.ADMIN)
    playbook = published()
    customer(uses=3)
    evaluate_entries(now=NOW)
    settle(NOW)
    version = playbook.versions.get()
    version.definition["steps"][1]["condition"] = {"attribute": "gone.away", "operator": "is", "value": 1}
    version.save()
    for attempt in range(5):
        advance_due(now=NOW + 7 * DAY + timedelta(hours=attempt), limit=10)
    tell()

    [words] = told(admin)
    assert "cannot go on" in words
    assert "gone.away" in words


def notify_step(**fields: Any) -> dict[str, Any]:
    entry = {"kind": "condition", "condition": {"all": []}}
    step = {"id": "tell", "kind": "notify", "text": "Look at {{ account.name }}", **fields}
    return {"entry": entry, "steps": [step]}


def test_playbook_tells_the_owner_once() -> None:
    published(notify_step())
    owner = csm()
    AccountFactory(name="Acme", owner=owner)
    evaluate_entries(now=NOW)
    settle(NOW)
    settle(NOW)

    assert told(owner) == ["Look at Acme"]
    assert not Message.objects.exists()


def test_playbook_tells_leaders_who_may_see_the_account_also_by_mail() -> None:
    published(notify_step(whom="leaders", how="mail"))
    leaders = [UserFactory(role=User.Role.LEADER) for _n in range(2)]
    AccountFactory(owner=csm())
    evaluate_entries(now=NOW)
    settle(NOW)

    assert {one.user for one in Notification.objects.all()} == set(leaders)
    assert Message.objects.count() == 2


@pytest.fixture
def waiting() -> Callable[..., User]:
    """Somebody with two new tasks that wait for the daily mail."""

    def make(**fields: Any) -> User:
        user = csm(**fields)
        for name in ("Beta", "Acme"):
            account = AccountFactory(name=name, owner=user)
            create_task(account=account, owner=user, title=f"Call {name}", due_at=NOW + DAY, now=NOW)
        tell()
        return user

    return make


def test_daily_mail_comes_once_in_the_readers_morning(waiting: Callable[..., User]) -> None:
    user = waiting(time_zone="Asia/Shanghai")

    assert send_digests(now=datetime(2026, 3, 16, 23, 59, tzinfo=UTC)) == 0
    assert send_digests(now=datetime(2026, 3, 17, 0, 0, tzinfo=UTC)) == 1
    assert send_digests(now=datetime(2026, 3, 17, 0, 5, tzinfo=UTC)) == 0
    message = Message.objects.get()
    assert message.recipient == user.email
    assert message.subject == "2 things that you have not seen"
    assert message.payload["text"].index("Acme") < message.payload["text"].index("Beta")


def test_daily_mail_keeps_its_hour_when_the_clocks_change(waiting: Callable[..., User]) -> None:
    waiting(time_zone="Europe/Sofia")  # an hour ahead from March 29 on

    assert send_digests(now=datetime(2026, 3, 30, 4, 59, tzinfo=UTC)) == 0
    assert send_digests(now=datetime(2026, 3, 30, 5, 0, tzinfo=UTC)) == 1


def test_daily_mail_waits_over_a_weekend(waiting: Callable[..., User]) -> None:
    waiting()

    assert send_digests(now=datetime(2026, 3, 21, 9, tzinfo=UTC)) == 0
    assert send_digests(now=datetime(2026, 3, 23, 9, tzinfo=UTC)) == 1


def test_daily_mail_leaves_out_what_was_read_and_what_it_took_before(waiting: Callable[..., User]) -> None:
    user = waiting()
    Notification.objects.filter(user=user).update(read_at=NOW)
    assert send_digests(now=MONDAY) == 0

    create_task(account=AccountFactory(), owner=user, title="Write", due_at=NOW + DAY, now=NOW)
    tell()
    assert send_digests(now=MONDAY) == 1
    assert Message.objects.get().subject == "1 thing that you have not seen"
    assert send_digests(now=MONDAY + DAY) == 0


@pytest.mark.django_db(transaction=True)
def test_daily_mail_is_written_once_when_two_workers_write_it(waiting: Callable[..., User]) -> None:
    waiting()

    def work() -> int:
        try:
            return send_digests(now=MONDAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = [future.result() for future in [pool.submit(work) for _n in range(4)]]

    assert sum(written) == 1
    assert Message.objects.count() == Digest.objects.count() == 1


def test_what_is_old_is_deleted() -> None:
    owner = csm()
    for _n in range(3):
        unhappy(AccountFactory(owner=owner))
    tell()
    read, kept, old = Notification.objects.order_by("pk")
    Notification.objects.filter(pk=read.pk).update(read_at=NOW, created_at=NOW - 91 * DAY)
    Notification.objects.filter(pk=old.pk).update(created_at=NOW - 366 * DAY)

    assert prune(now=NOW) == 2
    assert Notification.objects.get() == kept


def test_every_kind_has_words_an_icon_and_a_page_in_every_language() -> None:
    account = AccountFactory(name="Acme")
    data = {
        "task": 1, "title": "Call", "run": 1, "name": "Low use", "error": "gone", "from_name": "", "text": "Look",
        "score": 5.0, "before": 9.0, "channel": "email", "recipient": "ana@acme.example",
    }  # fmt: skip
    for kind in KINDS.values():
        one = Notification(kind=kind.key, account=account, data=data)
        assert one.words
        assert one.page.startswith("/")
        assert str(kind.label)
