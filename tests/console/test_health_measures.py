"""The editors of measures and profiles: what is typed is kept, what is wrong is said at its place, and the preview."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import Account, User
from common import clock
from health.models import Measure, NamedScore, Version
from health.services import compute_health, open_draft
from tests.console.pages import HTMX, client_of, words_of
from tests.factories import (
    AccountFactory,
    FeatureFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PREVIEW = {**HTMX, "HX-Target": "measure-preview"}


@pytest.fixture
def admin() -> Client:
    return client_of(UserFactory(role=User.Role.ADMIN))


@pytest.fixture
def draft() -> Version:
    """Everybody is scored by their seats, in force and in the draft."""
    profile = ProfileFactory(name="Base", segment=SegmentFactory(name="Everybody", key="all"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key="seats", label="Seats taken"))
    return open_draft(by=None, now=clock.now())


def sent(draft: Version, **changes: Any) -> dict[str, Any]:
    """What the form of the measure of seats sends."""
    data = {
        "label": "Seats taken",
        "description": "",
        "group": "usage",
        "attribute": "seats",
        "curve_for": "seats",
        "curve_shape": "line",
        "curve_value": ["0", "100"],
        "curve_points": ["0", "100"],
        "curve_below": "",
        "direction": "higher",
        "missing": "leave_out",
        "stale_after_days": "",
        "when": "everywhere",
        f"counts_{draft.profiles.get().pk}": "1",
    }
    return {**data, **changes}


def test_library_shows_what_is_known_of_the_companys_own_accounts(admin: Client, draft: Version) -> None:
    AccountFactory(seats=10)
    AccountFactory(seats=None)

    words = words_of(admin, "/health/draft/measures/new/")

    assert "Seats in use" in words
    assert "known of 0 of 2 accounts" in words
    assert "known of 2 of 2 accounts" in words
    assert "No feature is known yet" in words


def test_ready_measure_opens_filled_in_and_is_kept_where_it_counts(admin: Client, draft: Version) -> None:
    page = admin.get("/health/draft/measures/new/onboarding-progress/").content.decode()
    assert "Onboarding progress" in page
    assert "Days as a customer" in page
    profile = draft.profiles.get()
    data = sent(
        draft,
        label="Onboarding progress",
        attribute="onboarding.progress",
        curve_for="onboarding.progress",
        missing="worst",
        when="all",
        when_attribute_0="customer_days",
        when_operator_0="lte",
        when_value_0="90",
    )

    response = admin.post("/health/draft/measures/new/onboarding-progress/", data)

    assert response.status_code == 302
    measure = Measure.objects.get(version=draft, key="onboarding-progress")
    assert measure.applies_when == {"attribute": "customer_days", "operator": "lte", "value": 90}
    assert measure.missing == "worst"
    assert set(profile.profile_measures.values_list("measure__key", "weight")) == {
        ("seats", 1),
        ("onboarding-progress", 1),
    }
    assert "in the draft" in words_of(admin, "/health/draft/measures/new/")


def test_measure_of_a_feature_is_about_the_one_that_was_chosen(admin: Client, draft: Version) -> None:
    FeatureFactory(key="messaging", name="Messaging")

    page = admin.get("/health/draft/measures/new/feature-use/?feature=messaging").content.decode()

    assert 'value="Messaging: Use of one feature"' in page
    assert '<option value="usage.messaging.28d" selected>' in page
    assert admin.get("/health/draft/measures/new/feature-use/?feature=none").status_code == 404
    assert admin.get("/health/draft/measures/new/unheard-of/").status_code == 404


def test_own_measure_begins_with_a_curve_over_the_accounts(admin: Client, draft: Version) -> None:
    AccountFactory.create_batch(30, seats=10)
    AccountFactory.create_batch(30, seats=200)

    page = admin.get("/health/draft/measures/new/own/?attribute=seats").content.decode()
    assert '<option value="seats" selected>' in page
    assert 'value="200"' in page
    data = sent(draft, label="Места")
    assert admin.post("/health/draft/measures/new/own/", data).status_code == 302

    assert set(draft.measures.values_list("key", "label")) == {("seats", "Seats taken"), ("measure", "Места")}


def test_nothing_typed_is_lost_and_mistakes_stand_at_their_fields(admin: Client, draft: Version) -> None:
    profile = draft.profiles.get()
    data = sent(
        draft,
        label="Kept as typed",
        direction="lower",
        when="all",
        when_attribute_0="seats",
        when_operator_0="gte",
        when_value_0="many",
        **{f"counts_{profile.pk}": "heavy"},
    )

    response = admin.post("/health/draft/measure/seats/", data)

    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="Kept as typed"' in page
    assert "Lower is better here, so the points must not rise" in page
    assert "Give a number." in page
    assert 'value="many"' in page
    assert 'value="heavy"' in page
    assert draft.measures.get().label == "Seats taken"

    corrected = {**data, "direction": "higher", "when_value_0": "5"}
    page = admin.post("/health/draft/measure/seats/", corrected).content.decode()
    assert "Give a weight above 0" in page
    assert draft.measures.get().label == "Seats taken"


def test_buttons_inside_the_form_keep_nothing(admin: Client, draft: Version) -> None:
    data = sent(draft, label="Typed", when="any", when_attribute_0="touch_model")

    shaped = admin.post("/health/draft/measure/seats/", {**data, "do": "shape"}).content.decode()
    assert '<option value="is_not">' in shaped
    assert '<option value="high_touch">High-touch</option>' in shaped
    added = admin.post("/health/draft/measure/seats/", {**data, "do": "add-when"}).content.decode()
    assert 'name="when_attribute_1"' in added
    dropped = admin.post("/health/draft/measure/seats/", {**data, "do": "drop-when-0"}).content.decode()
    assert '<option value="touch_model" selected>' not in dropped
    rows = admin.post("/health/draft/measure/seats/", {**data, "curve_rows": "add"}).content.decode()
    assert rows.count('name="curve_value"') > 4
    for page in (shaped, added, dropped, rows):
        assert 'value="Typed"' in page

    assert draft.measures.get().label == "Seats taken"


def test_another_attribute_gets_another_curve_and_is_looked_at_before_it_is_kept(admin: Client, draft: Version) -> None:
    data = sent(draft, label="Typed", attribute="touch_model")

    response = admin.post("/health/draft/measure/seats/", data)

    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="Typed"' in page
    assert 'name="curve_value" value="high_touch"' in page
    assert draft.measures.get().attribute == "seats"


def test_condition_that_rows_cannot_show_stays_as_it_is_written(admin: Client, draft: Version) -> None:
    nested = {"not": {"attribute": "seats", "operator": "gte", "value": 5}}
    Measure.objects.filter(version=draft).update(applies_when=nested)

    page = admin.get("/health/draft/measure/seats/").content.decode()
    assert 'name="when_json"' in page
    data = sent(draft, when="json", when_json='{"not": {"attribute": "seats", "operator": "gte", "value": 6}}')
    admin.post("/health/draft/measure/seats/", data)

    assert draft.measures.get().applies_when == {"not": {"attribute": "seats", "operator": "gte", "value": 6}}
    refused = admin.post("/health/draft/measure/seats/", {**data, "when_json": "{"})
    assert "This is not JSON" in refused.content.decode()


def test_preview_shows_value_points_and_score_before_and_after(admin: Client, draft: Version) -> None:
    now = clock.now()
    good, gone = AccountFactory(name="Goodwin", seats=80), AccountFactory(name="Gone Ltd", seats=20)
    other = AccountFactory(name="Otherside", seats=50)
    compute_health(scope=Scope.everything(), now=now - timedelta(days=2))
    Account.objects.filter(pk=gone.pk).update(ended_at=now - timedelta(days=1))
    compute_health(scope=Scope.everything(), now=now)

    words = words_of(admin, "/health/draft/measure/seats/")
    assert "Goodwin 80 80 80 Good" in words
    assert "Gone Ltd left; as seen on" in words
    data = sent(draft, curve_value=["0", "40"], account=[str(good.pk), str(gone.pk)])
    shown = admin.post("/health/draft/measure/seats/", data, headers=PREVIEW)
    words = " ".join(shown.content.decode().split())

    assert shown.status_code == 200
    assert "80 →" in words
    assert "+20" in words
    assert "+30" in words
    assert "Otherside" not in words
    found = admin.post("/health/draft/measure/seats/", {**data, "find": "others"}, headers=PREVIEW)
    assert f'value="look-{other.pk}"' in found.content.decode()
    added = admin.post("/health/draft/measure/seats/", {**data, "do": f"look-{other.pk}"}, headers=PREVIEW)
    assert f'name="account" value="{other.pk}"' in added.content.decode()
    assert draft.measures.get().curve == [[0, 0], [100, 100]]


def test_preview_says_what_to_correct_first(admin: Client, draft: Version) -> None:
    account = AccountFactory(seats=10)
    data = sent(draft, curve_points=["0", "abc"], account=[str(account.pk)])

    page = admin.post("/health/draft/measure/seats/", data, headers=PREVIEW).content.decode()

    assert "Correct this, and the accounts show what it does:" in page
    assert f'name="account" value="{account.pk}"' in page


def test_measure_goes_only_where_no_profile_has_it(admin: Client, draft: Version) -> None:
    assert admin.post("/health/draft/measure/seats/delete/").status_code == 409
    MeasureFactory(version=draft, key="spare")
    assert admin.post("/health/draft/measure/spare/delete/").status_code == 302
    assert set(draft.measures.values_list("key", flat=True)) == {"seats"}


def profile_sent(draft: Version, **changes: Any) -> dict[str, Any]:
    data = {
        "segment": str(draft.profiles.get().segment_id),
        "name": "Base",
        "good_from": "70",
        "watch_from": "40",
        "measure": ["seats"],
        "weight_seats": "1",
    }
    return {**data, **changes}


def test_profile_keeps_measures_in_order_with_weights_and_bands(admin: Client, draft: Version) -> None:
    MeasureFactory(version=draft, key="spare", label="Spare")
    profile = draft.profiles.get()
    url = f"/health/draft/profile/{profile.pk}/"

    assert "equal weights: the plain mean" in words_of(admin, url)
    data = profile_sent(draft, measure=["spare", "seats"], weight_spare="3", good_from="80")
    looked = admin.post(url, {**data, "do": "look"}).content.decode()
    assert "75" in looked
    assert "equal weights" not in looked
    assert admin.post(url, data).status_code == 302

    profile.refresh_from_db()
    parts = profile.profile_measures.order_by("id").values_list("measure__key", "weight")
    assert (profile.good_from, list(parts)) == (80, [("spare", 3), ("seats", 1)])


def test_buttons_of_a_profile_change_its_rows_and_keep_nothing(admin: Client, draft: Version) -> None:
    MeasureFactory(version=draft, key="spare", label="Spare")
    url = f"/health/draft/profile/{draft.profiles.get().pk}/"
    data = profile_sent(draft, measure=["seats", "spare"], weight_seats="2", weight_spare="1")
    part = {**HTMX, "HX-Target": "profile-form"}

    def rows(do: str, **more: str) -> list[str]:
        page = admin.post(url, {**data, "do": do, **more}, headers=part).content.decode()
        return [piece.partition('"')[0] for piece in page.split('name="measure" value="')[1:]]

    assert rows("down-seats") == ["spare", "seats"]
    assert rows("up-seats") == ["seats", "spare"]
    assert rows("drop-seats") == ["spare"]
    assert rows("add", new_measure="spare") == ["seats", "spare"]
    assert "equal weights: the plain mean" in admin.post(url, {**data, "do": "equal"}).content.decode()
    assert list(draft.profiles.get().profile_measures.values_list("measure__key", flat=True)) == ["seats"]


def test_new_profile_copies_another_and_mistakes_stand_at_their_fields(admin: Client, draft: Version) -> None:
    NamedScore.objects.create(key="fit", label="Fit", position=1)
    url = "/health/draft/profiles/new/?score=fit"
    base = draft.profiles.get()
    data = profile_sent(draft, name="", measure=[], good_from="30", watch_from="60")

    copied = admin.post(url, {**data, "do": "copy", "copy_from": str(base.pk)}).content.decode()
    assert 'name="measure" value="seats"' in copied
    assert 'name="good_from" value="70"' in copied
    wrong = admin.post(url, {**data, "measure": ["seats"], "weight_seats": "none"}).content.decode()
    assert "“Watch” must begin below “good”." in wrong
    assert "Give a weight above 0" in wrong
    assert 'value="none"' in wrong
    empty = admin.post(url, {**data, "good_from": "70", "watch_from": "40"}).content.decode()
    assert "Give at least one measure and its weight." in empty
    assert admin.post(url, profile_sent(draft, name="")).status_code == 302

    kept = draft.profiles.get(named__key="fit")
    assert (kept.name, kept.segment) == ("Everybody", base.segment)
    again = admin.post(url, data | {"measure": ["seats"], "good_from": "70", "watch_from": "40"})
    assert "has a profile already" in again.content.decode()
    admin.post(f"/health/draft/profile/{kept.pk}/delete/")
    assert draft.profiles.get() == base


def test_bands_are_counted_over_the_scores_of_now(admin: Client, draft: Version) -> None:
    for seats in (95, 72, 71, 30):
        AccountFactory(seats=seats)
    compute_health(scope=Scope.everything(), now=clock.now())
    url = f"/health/draft/profile/{draft.profiles.get().pk}/"

    assert "Good 3 Watch 0 Poor 1" in words_of(admin, url)
    looked = admin.post(url, profile_sent(draft, good_from="72", watch_from="71", do="look")).content.decode()
    words = " ".join(re.sub(r"<[^>]+>", " ", looked).split())
    assert "Good 2 Watch 1 Poor 1" in words


def test_condition_stays_as_it_was_written_when_the_form_says_the_same(admin: Client, draft: Version) -> None:
    written = {"all": [{"attribute": "seats", "operator": "gte", "value": 5}]}
    Measure.objects.filter(version=draft).update(applies_when=written)
    data = sent(draft, label="Renamed", when="all", when_attribute_0="seats", when_operator_0="gte", when_value_0="5")

    admin.post("/health/draft/measure/seats/", data)

    assert (draft.measures.get().label, draft.measures.get().applies_when) == ("Renamed", written)
