"""Home: one's book, what changed, and what cannot wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import Account, Contact, Ticket, User, Workspace
from accounts.services.ledger import record
from common import clock
from health.services import compute_health
from playbooks.services.tasks import create_task
from surveys.models import Survey
from surveys.services import answer
from tests.console.pages import client_of, only_own_book, queries_of, words_of
from tests.factories import (
    AccountFactory,
    ContactFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    SubscriptionFactory,
    SurveyFactory,
    TicketFactory,
    UserFactory,
)
from tests.surveys.invited import ask, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


def score_by_seats() -> None:
    profile = ProfileFactory(segment=SegmentFactory(key="all"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(attribute="seats"))
    compute_health(scope=Scope.everything(), now=clock.now())


def answered(survey: Survey, contact: Contact, score: int, comment: str = "") -> None:
    now = clock.now()
    token = token_of(ask(survey=survey, contact=contact, occasion="now", now=now))
    answer(token=token, score=score, comment=comment, now=now)


def moved(account: Account, before: str, now: str, *, days: float = 0) -> None:
    data = {"from": before, "to": now, "score": 30}
    record(account=account, kind="health.band_changed", happened_at=clock.now() - timedelta(days=days), data=data)


def test_book_is_counted_by_health_and_renewal_and_leads_to_its_lists(client: Client, csm: User) -> None:
    today = Workspace.current().day(clock.now())
    for seats, days, mrr in ((10, 20, 100), (12, 20, 300), (90, 60, 1000), (None, None, 40)):
        account = AccountFactory(owner=csm, seats=seats)
        renews_on = today + timedelta(days=days) if days else None
        SubscriptionFactory(account=account, mrr=mrr, renews_on=renews_on)
    SubscriptionFactory(account=AccountFactory(seats=5), mrr=9000)
    AccountFactory(owner=csm, ended_at=clock.now())
    score_by_seats()

    words = words_of(client, "/")
    page = client.get("/").content.decode()

    assert "Maya Lindholm · 4 accounts · $1.4k MRR" in words
    assert "Health 30 days 31–90 days 91–180 days Later No date All" in words
    assert "Poor 2 $400 · · · · 2 $400" in words
    assert "Good · 1 $1.0k · · · 1 $1.0k" in words
    assert "No score · · · · 1 $40 1 $40" in words
    assert "All 2 $400 1 $1.0k · · 1 $40 4 $1.4k" in words
    link = "/accounts/?csm=me&band=poor&renewal=30"
    assert link.replace("&", "&amp;") in page
    assert "1–2 of 2" in words_of(client, link)


def test_tasks_to_do_first_are_there_with_their_reason(client: Client, csm: User) -> None:
    now = clock.now()
    account = AccountFactory(owner=csm, name="Ostrava Steel")
    for n in range(6):
        create_task(account=account, owner=csm, title=f"Call {n}", due_at=now - timedelta(days=6 - n), now=now)
    create_task(account=account, owner=UserFactory(), title="Not mine", due_at=now, now=now)

    words = words_of(client, "/")

    assert "Call 0 Ostrava Steel" in words
    assert "Call 5" not in words
    assert "Not mine" not in words
    assert "The queue: 6 tasks · 6 overdue" in words


def test_changes_since_yesterday_are_told_worst_first_and_once_an_account(client: Client, csm: User) -> None:
    falling, rising, back, long_ago = (
        AccountFactory(owner=csm, name=name) for name in ("Falling", "Rising", "Back again", "Long ago")
    )
    moved(rising, "watch", "good")
    moved(falling, "good", "watch", days=0.01)
    moved(falling, "watch", "poor")
    moved(back, "good", "watch", days=0.01)
    moved(back, "watch", "good")
    moved(long_ago, "good", "poor", days=5)
    moved(AccountFactory(name="Not mine"), "good", "poor")

    words = words_of(client, "/")

    assert "Falling Good to Poor Rising Watch to Good" in words
    for absent in ("Back again", "Long ago", "Not mine"):
        assert absent not in words


def test_poor_answers_and_urgent_tickets_cannot_wait(client: Client, csm: User) -> None:
    survey = SurveyFactory(kind=Survey.Kind.NPS, is_live=True)
    account = AccountFactory(owner=csm, name="Ostrava Steel")
    answered(survey, ContactFactory(account=account, name="Jana Nováková"), 2, "Too slow")
    answered(survey, ContactFactory(account=account, name="Happy Henry"), 10, "Great")
    answered(survey, ContactFactory(account=AccountFactory(), name="Of others"), 0)
    TicketFactory(account=account, subject="All is down", priority=Ticket.Priority.URGENT)
    TicketFactory(account=account, subject="A wish", priority=Ticket.Priority.LOW)

    words = words_of(client, "/")

    assert "2 / 10 Ostrava Steel Jana Nováková: “Too slow”" in words
    assert "Urgent Ostrava Steel All is down" in words
    for absent in ("Great", "Of others", "A wish"):
        assert absent not in words
    assert "Promoters 1 · passives 0 · detractors 1" in words


def test_quiet_day_is_said(client: Client) -> None:
    words = words_of(client, "/")

    for told in (
        "Nothing to do now.",
        "No accounts in this book",
        "No poor answer and no score that fell far in seven days, and no urgent ticket is open.",
        "Every account is in the band it was in.",
        "Nobody has answered in 90 days.",
    ):
        assert told in words


def test_leader_sees_everybodys_book_and_may_ask_for_their_own() -> None:
    AccountFactory.create_batch(3)
    leader = UserFactory(role=User.Role.LEADER)
    AccountFactory(owner=leader)
    client = client_of(leader)

    assert "4 accounts" in words_of(client, "/")
    assert "All accounts" in words_of(client, "/")
    assert "1 account ·" in words_of(client, "/?whose=mine")
    assert "Your book" in words_of(client, "/?whose=mine")


def test_csm_cannot_ask_for_everybodys_book(client: Client) -> None:
    AccountFactory(name="Not mine")

    assert "No accounts in this book" in words_of(client, "/?whose=team")


def test_another_book_is_not_told_when_csms_see_only_their_own() -> None:
    account = AccountFactory(name="Not for you", owner=UserFactory())
    moved(account, "good", "poor")
    TicketFactory(account=account, priority=Ticket.Priority.URGENT)

    assert "Not for you" not in words_of(client_of(only_own_book()), "/")


def test_stranger_is_asked_to_sign_in() -> None:
    assert Client().get("/")["Location"].startswith("/user/login/")


def test_queries_stay_the_same_when_there_is_more_of_everything(client: Client, csm: User) -> None:
    now = clock.now()
    survey = SurveyFactory(kind=Survey.Kind.NPS, is_live=True)

    def more(count: int) -> None:
        for _ in range(count):
            account = AccountFactory(owner=csm)
            SubscriptionFactory(account=account)
            moved(account, "good", "poor")
            record(account=account, kind="health.dropped", happened_at=now, data={"points": 14})
            answered(survey, ContactFactory(account=account), 1)
            TicketFactory(account=account, priority=Ticket.Priority.URGENT)
            create_task(account=account, owner=csm, title="Call", due_at=now, now=now)

    more(5)
    queries_of(client, "/")
    few = queries_of(client, "/")
    more(45)

    assert queries_of(client, "/") == few
    assert few <= 22


def test_scores_that_fell_far_are_alerts_with_what_took_the_points(client: Client, csm: User) -> None:
    now = clock.now()
    fallen, gone = AccountFactory(owner=csm, name="Falling"), AccountFactory(owner=csm, name="Gone", ended_at=now)
    data = {"score": 68.9, "before": 82.9, "points": 14.0, "days": 7, "measure": "Messaging", "by": -9.5}
    for account, days in ((fallen, 1), (AccountFactory(name="Not mine"), 1), (gone, 1)):
        record(account=account, kind="health.dropped", happened_at=now - timedelta(days=days), data=data)
    old = AccountFactory(owner=csm, name="Long ago")
    record(account=old, kind="health.dropped", happened_at=now - timedelta(days=8), data=data)

    words = words_of(client, "/")

    assert "82 to 68 Falling Health fell 14 points in 7 days: most by Messaging, \u22129.5" in words
    for absent in ("Not mine", "Gone", "Long ago"):
        assert absent not in words


def test_new_formula_is_told_apart_from_what_customers_did(client: Client, csm: User) -> None:
    now = clock.now()
    for name in ("First", "Second"):
        data = {"from": "good", "to": "watch", "score": 50, "version": 3}
        record(account=AccountFactory(owner=csm, name=name), kind="health.band_restated", happened_at=now, data=data)
    record(account=AccountFactory(), kind="health.band_restated", happened_at=now, data=data)

    words = words_of(client, "/")

    assert "No account went to another band by itself." in words
    assert "A new formula moved 2 accounts to another band; nothing happened to them." in words
    for absent in ("First", "Second"):
        assert absent not in words.partition("Changed since yesterday")[2]
