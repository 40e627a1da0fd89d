import json
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
from health.models import HealthScore, Measure, NamedScore, Profile
from health.services import compute_health, open_draft, override_score, publish, update_measure
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    StageFactory,
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


def test_mover_says_when_its_score_rests_on_old_inputs(admin: Client, profile: Profile) -> None:
    a_week_later(AccountFactory(name="Falling", seats=90), 30)
    assert "older than" not in text_of(admin)

    HealthScore.objects.update(stale=1)

    assert "1 of 1 inputs is older than it should be" in text_of(admin)


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


def seat_scores(*seats: int | None) -> None:
    for one in seats:
        AccountFactory(seats=one)
    compute_health(scope=Scope.everything(), now=clock.now())


def links_of(client: Client, path: str) -> dict[str, str]:
    """The addresses that numbers lead to, by their text; the last of those with the same text."""
    page = client.get(path).content.decode()
    found = re.findall(r'<a class="cell-link[^"]*" href="([^"]+)">([^<]+)</a>', page)
    return {text: address.replace("&amp;", "&") for address, text in found}


def test_each_number_opens_just_its_accounts(admin: Client, profile: Profile) -> None:
    large = SegmentFactory(
        name="Large", key="large", priority=0, condition={"attribute": "seats", "operator": "gte", "value": 65}
    )
    ProfileMeasureFactory(profile=ProfileFactory(segment=large), measure=Measure.objects.get())
    seat_scores(95, 80, 66, 64, 50, 45, 41, 42, 20, None)

    words = text_of(admin)
    assert "Large good from 70, watch from 40 Accounts 3 Average 80 Good 2 Watch 1 Poor 0" in words
    assert "Everybody good from 70, watch from 40 Accounts 7 Average 44 Good 0 Watch 5 Poor 1" in words
    links = links_of(admin, "/health/")
    assert "of 5" in text_of(admin, links["5"])
    assert "of 7" in text_of(admin, links["7"])
    assert "of 3" in text_of(admin, links["3"])


def test_bands_are_told_by_csm_and_by_stage_too(admin: Client, profile: Profile) -> None:
    stage = StageFactory(name="Adoption", key="adoption")
    AccountFactory(seats=90, owner=UserFactory(name="Maya"), stage=stage)
    seat_scores(20)
    part = {"HX-Request": "true", "HX-Target": "health-groups"}

    assert "Maya Accounts 1 Average 90 Good 1 Watch 0 Poor 0" in text_of(admin, "/health/?by=csm", headers=part)
    assert "Nobody Accounts 1 Average 20" in text_of(admin, "/health/?by=csm", headers=part)
    words = text_of(admin, "/health/?by=stage", headers=part)
    assert "Adoption Accounts 1 Average 90" in words
    assert "No stage Accounts 1 Average 20" in words
    assert "Fell most" not in words


def test_accounts_are_followed_from_band_to_band(admin: Client, profile: Profile) -> None:
    now = clock.now()
    falling, gone = AccountFactory(seats=90), AccountFactory(seats=75)
    AccountFactory(seats=80)
    compute_health(scope=Scope.everything(), now=now - timedelta(days=30))
    Account.objects.filter(pk=falling.pk).update(seats=10)
    Account.objects.filter(pk=gone.pk).update(ended_at=now - timedelta(days=3))
    AccountFactory(seats=50)
    compute_health(scope=Scope.everything(), now=now)

    words = text_of(admin).replace("\xa0", " ")

    assert "A month ago Good Watch Poor left Good 3 1 33 % 0 1 33 % 1 33 % new since 1 0 1 100 %" in words


def test_history_of_a_month_that_is_missing_is_said(admin: Client, profile: Profile) -> None:
    seat_scores(90)

    assert "There is no history from a month ago yet." in text_of(admin)


def test_trend_marks_where_a_version_took_effect(admin: Client, profile: Profile) -> None:
    now = clock.now()
    AccountFactory(seats=60)
    for weeks in (4, 3, 2):
        compute_health(scope=Scope.everything(), now=now - timedelta(days=7 * weeks))
    then = now - timedelta(days=10)
    draft = open_draft(by=None, now=then)
    update_measure(measure=draft.measures.get(), now=then, curve=[[0, 0], [60, 100]])
    publish(draft=draft, by=None, note="More", now=then)
    for weeks in (1, 0):
        compute_health(scope=Scope.everything(), now=now - timedelta(days=7 * weeks))

    page = admin.get("/health/").content.decode()

    data = json.loads(re.findall(r'<script id="health-average-data"[^>]*>(.*?)</script>', page)[0])
    assert data["series"][0]["data"] == [60, 60, 60, 100, 100]
    assert [(mark["label"], 2 < mark["at"] < 3) for mark in data["marks"]] == [("Version 2", True)]
    assert "· Version 2 100" in text_of(admin)


def test_other_scores_have_their_own_overview(admin: Client, profile: Profile) -> None:
    named = NamedScore.objects.create(key="fit", label="Fit", position=1)
    assert "No profile for “Fit” is in force" in text_of(admin, "/health/?score=fit")
    other = ProfileFactory(name="Fit of all", named=named, segment=profile.segment)
    yes = MeasureFactory(label="Is here", attribute="is_live", curve={"true": 30, "false": 0})
    ProfileMeasureFactory(profile=other, measure=yes)
    seat_scores(90)

    words = text_of(admin, "/health/?score=fit")

    assert "Poor 1" in words
    assert "Is here" in words
    links = links_of(admin, "/health/?score=fit")
    assert "of 1" in text_of(admin, links["1"])


def test_old_inputs_are_counted(admin: Client, profile: Profile) -> None:
    Measure.objects.update(stale_after_days=5)
    old = AccountFactory(seats=50)
    Account.objects.filter(pk=old.pk).update(updated_at=clock.now() - timedelta(days=9))
    seat_scores(90)

    words = text_of(admin).replace("\xa0", " ")

    assert "With old inputs 50 % 1 have a source that was not heard in time" in words


def test_what_waits_and_what_is_worked_on_is_said(admin: Client, profile: Profile) -> None:
    seat_scores(90)
    assert "Change" in text_of(admin)
    draft = open_draft(by=None, now=clock.now())
    publish(draft=draft, by=None, note="Soon", now=clock.now(), effective_at=clock.now() + timedelta(days=3))
    open_draft(by=None, now=clock.now())

    words = text_of(admin)
    assert "Version 2 waits: it takes effect" in words
    assert "Draft" in words
    reader = text_of(signed_in(role=User.Role.VIEWER))
    assert "Take back" not in reader
    assert "Versions" in reader


def test_mover_that_a_person_moved_says_so(admin: Client, profile: Profile) -> None:
    account = AccountFactory(name="Lowered", seats=90)
    now = clock.now()
    compute_health(scope=Scope.everything(), now=now - timedelta(days=7))
    override_score(
        account=account,
        named=NamedScore.overall(),
        score=30,
        reason="They told us",
        expires_at=now + timedelta(days=9),
        by=UserFactory(role=User.Role.ADMIN),
        now=now,
    )

    assert "Lowered most by a score set by hand −60" in text_of(admin)
