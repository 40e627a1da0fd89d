import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Scope
from accounts.models import User, Workspace
from common import clock
from health.models import HealthScore
from health.services import compute_health
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.playbooks.cases import REFERENCE, published

pytestmark = pytest.mark.django_db

BIG = {"attribute": "seats", "operator": "gte", "value": 100}
ANY = {"all": []}


@pytest.fixture
def admin() -> Client:
    return signed_in(role=User.Role.ADMIN)


def signed_in(**fields: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**fields))
    return client


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_list_says_whom_each_holds_and_decides_for(admin: Client) -> None:
    SegmentFactory(key="big", name="Big", condition=BIG, priority=1)
    SegmentFactory(key="all", name="Everybody", condition=ANY, priority=2)
    big = AccountFactory(seats=200)
    SubscriptionFactory(account=big, mrr=4000)
    SubscriptionFactory(account=AccountFactory(seats=5), mrr=500)

    words = text_of(admin, "/segments/")

    assert "Seats is at least 100 Accounts 1 It decides for 1 MRR $4.0k" in words
    assert "every account Accounts 2 It decides for 1 MRR $4.5k" in words
    assert "0 of 2 accounts are in no segment." in words


def test_empty_list_says_how_to_begin(admin: Client) -> None:
    assert "No segments yet" in text_of(admin, "/segments/")


def test_broken_condition_is_said_and_the_others_are_counted(admin: Client) -> None:
    SegmentFactory(key="gone", name="Gone", condition={"attribute": "custom.gone", "operator": "is", "value": "x"})
    SegmentFactory(key="all", name="Everybody", condition=ANY)
    AccountFactory()

    words = text_of(admin, "/segments/")

    assert "There is no attribute “custom.gone”." in words
    assert "every account Accounts 1" in words
    assert "Nobody can tell who is in it" in text_of(admin, "/segments/gone/")


def test_segment_shows_accounts_and_who_uses_it(admin: Client) -> None:
    segment = SegmentFactory(key="big", name="Big", condition=BIG)
    ProfileFactory(name="Health of the big", segment=segment)
    inside = {"attribute": "segment", "operator": "in", "value": ["big"]}
    published({**REFERENCE, "audience": inside}, key="low", name="Low messaging")
    SegmentFactory(key="bigger", name="Bigger", condition={"all": [inside, BIG]})
    AccountFactory(name="Ostrava Steel", seats=200)
    AccountFactory(name="Too small", seats=2)

    page = admin.get("/segments/big/").content.decode()
    words = text_of(admin, "/segments/big/")

    assert "Seats is at least 100" in words
    assert "Ostrava Steel" in words
    assert "Too small" not in words
    for name in ("Health of the big", "Low messaging", "Bigger"):
        assert name in words
    link = re.search(r'href="(/accounts/\?condition=[^"]+)"', page)
    assert link
    listed = admin.get(link[1])
    assert listed.status_code == 200
    assert "Ostrava Steel" in listed.content.decode()
    assert "Too small" not in listed.content.decode()
    assert admin.get("/segments/nothing/").status_code == 404


def test_sample_says_when_a_score_rests_on_old_inputs(admin: Client) -> None:
    segment = SegmentFactory(key="big", name="Big", condition=BIG)
    ProfileMeasureFactory(profile=ProfileFactory(segment=segment), measure=MeasureFactory())
    AccountFactory(seats=200)
    compute_health(scope=Scope.everything(), now=clock.now())
    HealthScore.objects.update(stale=1)

    assert "1 of 1 inputs is older than it should be" in text_of(admin, "/segments/big/")


def test_another_book_is_not_counted_when_csms_see_only_their_own() -> None:
    SegmentFactory(key="all", name="Everybody", condition=ANY)
    AccountFactory(name="Not for you")
    Workspace.objects.filter(pk=Workspace.current().pk).update(csms_see_only_their_book=True)
    client = signed_in(role=User.Role.CSM)

    assert "Accounts 0 It decides for 0" in text_of(client, "/segments/")
    assert "Not for you" not in text_of(client, "/segments/all/")


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client) -> None:
    SegmentFactory(key="big", name="Big", condition=BIG)
    AccountFactory(seats=200)
    paths = ("/segments/", "/segments/big/")
    Workspace.current()
    before = [_queries(admin, path) for path in paths]

    SegmentFactory.create_batch(5, condition=BIG)
    AccountFactory.create_batch(8, seats=200)

    assert [_queries(admin, path) for path in paths] == before


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)
