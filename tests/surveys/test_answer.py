from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from accounts.attributes import Catalogue, Context, read_facts
from accounts.models import Account, Event, EventInbox, Touched
from common.errors import DomainError, NotFound
from surveys.models import Response, Survey
from surveys.scales import SCALES
from surveys.services import answer
from tests.factories import NOW, AccountFactory, ContactFactory
from tests.surveys.invited import invited, token_of

pytestmark = pytest.mark.django_db


def test_an_answer_is_an_event_and_an_attribute_when_it_comes() -> None:
    invitation = invited()
    Touched.objects.all().delete()

    response = answer(token=token_of(invitation), score=9, comment=None, now=NOW)

    event = Event.objects.get(kind="survey.answered")
    assert event.data == {
        "survey": invitation.survey.key,
        "kind": "nps",
        "score": 9,
        "category": "promoter",
        "response": response.pk,
    }
    assert event.contact == invitation.contact
    assert EventInbox.objects.filter(event=event).exists()
    assert Touched.objects.filter(account=invitation.account).exists()


def test_nothing_happens_when_the_same_answer_is_sent_twice() -> None:
    token = token_of(invited())

    first = answer(token=token, score=9, comment="Good", now=NOW)
    second = answer(token=token, score=9, comment="Good", now=NOW + timedelta(hours=1))

    assert second.pk == first.pk
    assert second.changed_at is None
    assert Event.objects.filter(kind__startswith="survey.answered").count() == 1
    assert not Event.objects.filter(kind="survey.changed").exists()


def test_the_change_is_an_event_when_another_score_is_sent() -> None:
    token = token_of(invited())
    answer(token=token, score=9, comment="Good", now=NOW)

    response = answer(token=token, score=3, comment=None, now=NOW + timedelta(days=2))

    assert (response.score, response.comment) == (3, "Good")
    assert response.answered_at == NOW
    assert response.changed_at == NOW + timedelta(days=2)
    changed = Event.objects.get(kind="survey.changed")
    assert (changed.data["score"], changed.data["before"], changed.data["category"]) == (3, 9, "detractor")


def test_no_answer_counts_as_changed_when_only_the_comment_follows() -> None:
    token = token_of(invited())
    answer(token=token, score=9, comment=None, now=NOW)

    response = answer(token=token, score=9, comment="Good\r\nvery", now=NOW + timedelta(minutes=1))

    assert response.comment == "Good\nvery"
    assert response.changed_at is None
    assert not Event.objects.filter(kind="survey.changed").exists()


def test_the_answer_stays_when_a_change_comes_after_expiry() -> None:
    invitation = invited()
    answer(token=token_of(invitation), score=9, comment=None, now=invitation.expires_at - timedelta(seconds=1))

    with pytest.raises(NotFound):
        answer(token=token_of(invitation), score=1, comment=None, now=invitation.expires_at)

    assert Response.objects.get().score == 9


@pytest.mark.parametrize(("kind", "score"), [("nps", -1), ("nps", 11), ("csat", 0), ("csat", 6), ("ces", 8)])
def test_a_score_is_refused_when_it_is_off_the_scale(kind: str, score: int) -> None:
    with pytest.raises(DomainError) as refused:
        answer(token=token_of(invited(kind=kind)), score=score, comment=None, now=NOW)

    assert refused.value.code == "bad_score"
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    ("comment", "code"),
    [("x" * 10_001, "comment_too_long"), ("a\x00b", "bad_comment"), ("\ud83d", "bad_comment")],
)
def test_a_comment_is_refused_when_it_cannot_be_kept(comment: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        answer(token=token_of(invited()), score=5, comment=comment, now=NOW)

    assert refused.value.code == code
    assert "comment" in refused.value.fields
    assert not Response.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_answer_is_kept_when_several_arrive_at_once() -> None:
    token = token_of(invited())

    def send(_turn: int) -> None:
        try:
            answer(token=token, score=10, comment=None, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(8)))

    assert Response.objects.count() == 1
    assert Event.objects.filter(kind="survey.answered").count() == 1


@pytest.mark.parametrize(
    ("kind", "detractor", "passive", "promoter"),
    [("nps", range(7), (7, 8), (9, 10)), ("csat", (1, 2), (3,), (4, 5)), ("ces", (1, 2, 3), (4,), (5, 6, 7))],
)
def test_every_score_has_its_category_when_asked(
    kind: str, detractor: tuple[int], passive: tuple[int], promoter: tuple[int]
) -> None:
    scale = SCALES[Survey.Kind(kind)]
    found = {
        name: [s for s in scale.scores if scale.category(s) == name] for name in ("detractor", "passive", "promoter")
    }

    assert found == {"detractor": list(detractor), "passive": list(passive), "promoter": list(promoter)}


def facts(account: Account, *keys: str, days: int = 0) -> list[object]:
    catalogue = Catalogue()
    found = read_facts([catalogue[key] for key in keys], [account.pk], context=Context.at(NOW + timedelta(days=days)))
    return [found[account.pk][key].value for key in keys]


def test_the_latest_answer_of_anybody_counts_when_an_account_gave_several() -> None:
    account = AccountFactory()
    first = invited(account=account)
    second = invited(account=account, survey=first.survey)
    csat = invited(account=account, kind="csat")
    answer(token=token_of(first), score=9, comment=None, now=NOW)
    answer(token=token_of(second), score=7, comment=None, now=NOW + timedelta(days=1))
    answer(token=token_of(csat), score=4, comment=None, now=NOW + timedelta(days=2))
    keys = ("nps.last", "nps.last_category", "nps.days_since", "csat.last", "ces.last")

    assert facts(account, *keys, days=3) == [7, "passive", 2, 4, None]
    assert facts(account, *keys) == [9, "promoter", 0, None, None]

    answer(token=token_of(first), score=2, comment=None, now=NOW + timedelta(days=3))
    assert facts(account, *keys, days=3)[:3] == [2, "detractor", 0]


def test_there_is_no_value_when_nobody_answered() -> None:
    account = ContactFactory().account

    assert facts(account, "nps.last", "nps.last_category", "nps.days_since") == [None, None, None]
