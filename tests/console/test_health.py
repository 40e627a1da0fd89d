import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Scope
from accounts.models import Account, User, Workspace
from common import clock
from health.models import Measure, Profile
from health.services import compute_health
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    """Everybody's health is the number of seats."""
    made: Profile = ProfileFactory(name="Base", segment=SegmentFactory(name="Everybody", key="all"))
    ProfileMeasureFactory(profile=made, measure=MeasureFactory(key="seats", label="Seats taken"), weight=3)
    return made


@pytest.fixture
def admin() -> Client:
    return signed_in(role=User.Role.ADMIN)


def signed_in(**fields: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**fields))
    return client


def text_of(client: Client, path: str = "/health/", **extra: Any) -> str:
    response = client.get(path, **extra)
    assert response.status_code == 200, path
    page = response.content.decode()
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def a_week_later(account: Account, seats: int) -> None:
    compute_health(scope=Scope.everything(), now=clock.now() - timedelta(days=7))
    Account.objects.filter(pk=account.pk).update(seats=seats)
    compute_health(scope=Scope.everything(), now=clock.now())


def test_bands_are_counted_with_those_without_a_score(admin: Client, profile: Profile) -> None:
    for seats in (90, 80, 50, 10, None):
        AccountFactory(seats=seats)
    compute_health(scope=Scope.everything(), now=clock.now())
    AccountFactory(seats=70)

    words = text_of(admin)

    assert "Good 2" in words
    assert "Watch 1" in words
    assert "Poor 1" in words
    assert "No score 2" in words
    assert "Everybody good from 70, watch from 40 Accounts 5 Average 58 Good 2 Watch 1 Poor 1" in words


def test_movers_say_what_moved_them(admin: Client, profile: Profile) -> None:
    falling = AccountFactory(name="Falling", seats=90)
    AccountFactory(name="Steady", seats=60)
    a_week_later(falling, 30)

    words = text_of(admin)

    assert "Fell most in 7 days Falling most by Seats taken −60 90 → 30 Poor −60" in words
    assert "Nobody moved by a point or more." in words
    assert "Steady" not in words


def test_history_that_does_not_reach_back_is_said(admin: Client, profile: Profile) -> None:
    AccountFactory(seats=90)
    compute_health(scope=Scope.everything(), now=clock.now())

    assert "There is no history from a week ago yet." in text_of(admin)


def test_profile_shows_measures_with_curve_and_share(admin: Client, profile: Profile) -> None:
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(label="Half as heavy"), weight=1)
    yes_no = MeasureFactory(label="Unused", attribute="is_live", curve={"true": 100, "false": 0})

    words = text_of(admin)

    assert "Seats taken Seats Weight 3 Share 75 % 0 → 0 · 100 → 100" in words
    assert "Half as heavy" in words
    assert "Unused Usage Is a customer nowhere" in words
    other = ProfileFactory(name="Other", segment=SegmentFactory(name="Others"))
    ProfileMeasureFactory(profile=other, measure=yes_no)
    part = text_of(admin, f"/health/?profile={other.pk}", headers={"HX-Request": "true", "HX-Target": "health-profile"})
    assert "yes → 100 · no → 0" in part
    assert "Fell most" not in part


def test_broken_measure_is_said(admin: Client, profile: Profile) -> None:
    Measure.objects.update(attribute="custom.gone")

    words = text_of(admin)

    assert "“Seats taken” is left out of every score: There is no attribute “custom.gone”." in words
    assert "custom.gone, which is gone" in words


def test_empty_page_says_how_to_begin(admin: Client) -> None:
    assert "No health scores yet" in text_of(admin)


def test_another_book_is_hidden_when_csms_see_only_their_own(profile: Profile) -> None:
    theirs = AccountFactory(name="Not for you", seats=90)
    a_week_later(theirs, 30)
    Workspace.objects.filter(pk=Workspace.current().pk).update(csms_see_only_their_book=True)

    words = text_of(signed_in(role=User.Role.CSM))

    assert "Not for you" not in words
    assert "Accounts 0" in words


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client, profile: Profile) -> None:
    a_week_later(AccountFactory(seats=90), 30)
    before = _queries(admin)

    for _more in range(6):
        a_week_later(AccountFactory(seats=90), 30)
        ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())

    assert _queries(admin) == before


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/health/").status_code == 200
    return len(queries)
