"""The pages where an admin changes the formula: the draft, publishing it, versions, and who may do what."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from accounts.attributes import Scope
from accounts.models import User
from common import clock
from health.models import HealthScore, NamedScore, Version
from health.services import compute_health, open_draft, publish, update_measure, update_profile
from tests.console.pages import HTMX, client_of, queries_of, words_of
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
def admin() -> Client:
    return client_of(UserFactory(role=User.Role.ADMIN, name="Ada Min"))


@pytest.fixture
def in_force() -> Version:
    """Large accounts and all others are each scored by their seats."""
    measure = MeasureFactory(key="seats", label="Seats taken")
    large = SegmentFactory(name="Large", priority=1, condition={"attribute": "seats", "operator": "gte", "value": 50})
    everybody = SegmentFactory(name="Everybody", priority=2)
    for segment in (large, everybody):
        ProfileMeasureFactory(profile=ProfileFactory(name=segment.name, segment=segment), measure=measure)
    return Version.objects.get()


def draft_of(client: Client) -> Version:
    client.post("/health/draft/open/")
    return Version.objects.draft().get()


PAGES = ("/health/draft/", "/health/draft/publish/", "/health/draft/discard/", "/health/draft/measures/new/")


@pytest.mark.parametrize("role", [User.Role.LEADER, User.Role.CSM, User.Role.VIEWER])
def test_others_read_versions_and_change_nothing(in_force: Version, role: str) -> None:
    draft = open_draft(by=None, now=clock.now())
    client = client_of(UserFactory(role=role))
    profile = draft.profiles.first()
    assert profile is not None

    for path in (
        *PAGES,
        "/health/draft/measure/seats/",
        f"/health/draft/profile/{profile.pk}/",
        "/health/draft/profiles/new/",
        "/health/scores/new/",
        "/health/score/overall/",
        "/health/versions/1/roll-back/",
    ):
        assert client.get(path).status_code == 403, path
        assert client.post(path).status_code in (403, 405), path
    for path in ("/health/draft/open/", "/health/versions/2/withdraw/", "/health/draft/measure/seats/delete/"):
        assert client.post(path).status_code == 403, path
    assert "First version" in words_of(client, "/health/versions/")
    assert Version.objects.draft().get() == draft


def test_page_says_how_to_begin_when_there_is_no_draft(admin: Client, in_force: Version) -> None:
    assert "Version 1 is in force, and there is no draft" in words_of(admin, "/health/draft/")

    response = admin.post("/health/draft/open/", follow=True)

    assert response.redirect_chain == [("/health/draft/", 302)]
    assert "Draft of version 2" in words_of(admin, "/health/draft/")
    assert "Nothing yet: it is the same as what is in force." in words_of(admin, "/health/draft/")


def test_profiles_say_for_how_many_each_decides(admin: Client, in_force: Version) -> None:
    for seats in (80, 60, 20):
        AccountFactory(seats=seats)
    AccountFactory(seats=90, ended_at=clock.now() - timedelta(days=1))
    draft_of(admin)

    words = words_of(admin, "/health/draft/")

    assert "1 Large Seats is at least 50 Measures 1 equal good from 70, watch from 40" in words
    assert "In the segment 2 Taken by an earlier one 0 Decided here 2" in words
    assert "In the segment 3 Taken by an earlier one 2 Decided here 1" in words
    assert "0 of 3 accounts are decided by none of them" in words


def test_profile_whose_segment_cannot_be_decided_is_said(admin: Client, in_force: Version) -> None:
    draft = draft_of(admin)
    profile = draft.profiles.get(name="Large")
    profile.segment.condition = {"attribute": "custom.gone", "operator": "is_known"}
    profile.segment.save()

    words = words_of(admin, "/health/draft/")

    assert "There is no attribute “custom.gone”." in words
    assert "In the segment – Taken by an earlier one – Decided here –" in words


def test_changes_are_said_measure_by_measure_and_profile_by_profile(admin: Client, in_force: Version) -> None:
    draft = draft_of(admin)
    now = clock.now()
    update_measure(
        measure=draft.measures.get(),
        now=now,
        label="Seats bought",
        curve={"below": 0, "steps": [[10, 100]]},
        missing="worst",
        stale_after_days=1,
        applies_when={"attribute": "is_live", "operator": "is", "value": True},
    )
    update_profile(profile=draft.profiles.get(name="Large"), now=now, good_from=80, weights={"seats": 2.5})

    words = words_of(admin, "/health/draft/")

    assert "What it changes 2" in words
    assert "changed Measure Seats bought Seats" in words
    assert "Name Seats taken now Seats bought" in words
    assert "Points by value 0 → 0 · 100 → 100 now below → 0 · from 10 → 100" in words
    assert "When missing Leave it out now Score it 0" in words
    assert "Stale after never now 1 day" in words
    assert "Applies everywhere now Is a customer is yes" in words
    assert "changed Profile Large Good from 70 now 80 Weight of Seats bought 1 now 2.5" in words


def test_draft_goes_only_when_that_is_confirmed(admin: Client, in_force: Version) -> None:
    draft = draft_of(admin)
    update_measure(measure=draft.measures.get(), now=clock.now(), label="Seats bought")

    assert "What would be lost changed Measure Seats bought" in words_of(admin, "/health/draft/discard/")
    assert Version.objects.draft().exists()
    admin.post("/health/draft/discard/")

    assert not Version.objects.draft().exists()
    assert "there is no draft" in words_of(admin, "/health/draft/")
    assert admin.get("/health/draft/publish/").status_code == 409


def test_publishing_needs_a_note_and_then_scores_follow(admin: Client, in_force: Version) -> None:
    account = AccountFactory(seats=60)
    compute_health(scope=Scope.everything(), now=clock.now())
    draft = draft_of(admin)
    update_measure(measure=draft.measures.get(), now=clock.now(), curve=[[0, 0], [60, 100]])

    refused = admin.post("/health/draft/publish/", {"note": "", "when": "now"})
    assert refused.status_code == 422
    assert "This field is required." in refused.content.decode()
    admin.post("/health/draft/publish/", {"note": "Sixty seats are plenty", "when": "now"})
    compute_health(scope=Scope.everything(), now=clock.now())

    assert HealthScore.objects.get(account=account).score == 100
    words = words_of(admin, "/health/versions/")
    assert "2 Sixty seats are plenty Ada Min In force since" in words
    assert "Moved to another band 1" in words


def test_version_waits_for_its_day_and_can_be_taken_back(admin: Client, in_force: Version) -> None:
    draft_of(admin)
    day = (clock.now() + timedelta(days=7)).date()

    asked = admin.post("/health/draft/publish/", {"note": "Next week", "when": "day"})
    assert "Choose the day from which it counts." in asked.content.decode()
    admin.post("/health/draft/publish/", {"note": "Next week", "when": "day", "day": day.isoformat()})

    version = Version.objects.get(number=2)
    assert version.effective_at == clock.start_of_day(day, ZoneInfo("UTC"))
    assert "Version 2 waits: it takes effect" in words_of(admin, "/health/draft/")
    assert "2 Next week Ada Min Waits" in words_of(admin, "/health/versions/")
    admin.post("/health/versions/2/withdraw/")
    assert Version.objects.draft().get() == version


def test_day_that_has_passed_is_refused_at_its_field(admin: Client, in_force: Version) -> None:
    draft_of(admin)

    refused = admin.post("/health/draft/publish/", {"note": "Too late", "when": "day", "day": "2020-01-01"})

    assert "This time has passed; choose a later one, or publish at once." in refused.content.decode()
    assert "Too late" in refused.content.decode()


def test_what_cannot_be_published_is_named_with_the_way_to_it(admin: Client, in_force: Version) -> None:
    draft = draft_of(admin)
    draft.measures.update(attribute="custom.gone")

    words = words_of(admin, "/health/draft/publish/")
    assert "Seats taken : There is no attribute “custom.gone”." in words
    refused = admin.post("/health/draft/publish/", {"note": "No use", "when": "now"})

    assert refused.status_code == 422
    assert "It cannot be published yet: correct what is named above first." in refused.content.decode()
    assert reverse("console:health_measure", args=["seats"]) in refused.content.decode()


def test_any_two_versions_are_compared_and_an_earlier_one_comes_back(admin: Client, in_force: Version) -> None:
    draft = draft_of(admin)
    update_measure(measure=draft.measures.get(), now=clock.now(), label="Seats bought")
    publish(draft=draft, by=None, note="Renamed", now=clock.now())

    words = words_of(admin, "/health/versions/")
    assert "Name Seats taken now Seats bought" in words
    part = words_of(admin, "/health/versions/?from=2&to=1", headers={**HTMX, "HX-Target": "health-comparison"})
    assert part == "changed Measure Seats taken Seats Name Seats bought now Seats taken"
    assert admin.get("/health/versions/2/roll-back/").status_code == 200
    assert admin.get("/health/versions/9/roll-back/").status_code == 404
    assert admin.post("/health/versions/1/roll-back/", {"note": ""}).status_code == 422
    admin.post("/health/versions/1/roll-back/", {"note": "People know the old name"})

    words = words_of(admin, "/health/versions/")
    assert "3 People know the old name Ada Min · a copy of version 1 In force" in words
    version = Version.objects.get(number=3)
    assert version.measures.get().label == "Seats taken"


def test_scores_beside_the_overall_one_are_added_and_renamed(admin: Client, in_force: Version) -> None:
    draft_of(admin)
    admin.post("/health/scores/new/", {"label": "Отношения", "description": "", "drop_points": "15"})
    admin.post("/health/scores/new/", {"label": "Product fit", "description": "", "drop_points": "12"})

    assert list(NamedScore.objects.values_list("key", "label", "drop_points")) == [
        ("overall", "Health", 10),
        ("score", "Отношения", 15),
        ("product-fit", "Product fit", 12),
    ]
    refused = admin.post("/health/score/product-fit/", {"label": "", "drop_points": "500"})
    assert refused.status_code == 422
    admin.post("/health/score/product-fit/", {"label": "Fit", "description": "How well", "drop_points": "9"})
    assert words_of(admin, "/health/draft/").count("No profile yet, so no account has this score.") == 2
    named = NamedScore.objects.get(key="product-fit")
    assert (named.label, named.description, named.drop_points) == ("Fit", "How well", 9)


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client, in_force: Version) -> None:
    def grow() -> None:
        draft = open_draft(by=None, now=clock.now())
        for n in range(3):
            measure = MeasureFactory(version=draft, key=f"more-{n}-{draft.pk}")
            profile = ProfileFactory(version=draft)
            ProfileMeasureFactory(profile=profile, measure=measure)

    grow()
    paths = [*PAGES, "/health/versions/?from=1&to=2"]
    for path in paths:
        admin.get(path)
    before = {path: queries_of(admin, path) for path in paths}
    publish(draft=Version.objects.draft().get(), by=None, note="More", now=clock.now())
    grow()
    AccountFactory.create_batch(5, seats=10)

    counted: dict[str, Any] = {path: queries_of(admin, path) for path in paths}
    assert counted == before
