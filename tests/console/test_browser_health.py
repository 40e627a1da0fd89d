"""An admin changes the formula in a real browser: the curve, the preview, publishing, and the score that follows."""

from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.attributes import Scope
from accounts.models import Account, User
from common import clock
from health.models import HealthScore, NamedScore, Version
from health.services import compute_health, open_draft
from tests.console.browser import complaints_of, findings
from tests.factories import (
    AccountFactory,
    FeatureFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (360, 1440)


@pytest.fixture(autouse=True)
def _company() -> None:
    """Forty accounts that are scored by their seats, one of which has left."""
    FeatureFactory(key="messaging", name="Messaging")
    profile = ProfileFactory(name="Base", segment=SegmentFactory(key="all", name="Everybody"))
    seats = MeasureFactory(key="seats", label="Seats taken")
    ProfileMeasureFactory(profile=profile, measure=seats)
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key="live", attribute="is_live", curve={"true": 50}))
    for place in range(40):
        AccountFactory(name=f"Customer {place:02}", seats=place * 3)
    gone = AccountFactory(name="Gone Ltd", seats=10)
    now = clock.now()
    compute_health(scope=Scope.everything(), now=now - timedelta(days=30))
    Account.objects.filter(pk=gone.pk).update(ended_at=now - timedelta(days=1))
    compute_health(scope=Scope.everything(), now=now)


def sign_in(page: Page, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(UserFactory(role=User.Role.ADMIN))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])


def test_score_follows_when_a_changed_curve_is_published(live_server: LiveServer, page: Page) -> None:
    sign_in(page, live_server)
    said = complaints_of(page)
    page.goto(f"{live_server.url}/health/")
    page.get_by_role("link", name="Change").click()
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Open a draft").click()
    expect(page.get_by_role("heading", name="Draft of version 2")).to_be_visible()
    expect(page.get_by_role("navigation", name="Where you are")).to_contain_text("Draft")
    assert page.evaluate("window.stayed") is True

    page.get_by_role("link", name="Seats taken").click()
    page.wait_for_load_state("load")
    page.get_by_label("Part of an account's name").fill("customer 20")
    page.get_by_role("button", name="Customer 20").click()
    row = page.get_by_role("row", name="Customer 20")
    expect(row).to_contain_text("60")
    handle = page.get_by_role("slider").last
    handle.focus()
    page.get_by_role("textbox", name="Value, row 2").fill("60")
    page.get_by_role("textbox", name="Value, row 2").blur()
    expect(row).to_contain_text("60 → 100")
    expect(row).to_contain_text("+20")

    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_text("“Seats taken” is kept in the draft.")).to_be_visible()
    expect(page.get_by_text("0 → 0 · 60 → 100")).to_be_visible()
    assert page.evaluate("window.stayed") is True
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("What changes, and why").fill("Sixty seats are plenty")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Versions of the formula")).to_be_visible()
    expect(page.get_by_text("Version 2 is in force; scores follow within minutes.")).to_be_visible()
    compute_health(scope=Scope.everything(), now=clock.now())

    account = Account.objects.get(name="Customer 20")
    assert HealthScore.objects.get(account=account).score == 75
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    expect(page.get_by_text("75").first).to_be_visible()
    page.goto(f"{live_server.url}/health/versions/")
    expect(page.get_by_role("row", name="Sixty seats are plenty")).to_contain_text("In force")
    assert [one for one in said if "422" not in one] == []


def test_another_fact_is_found_by_typing_and_brings_its_own_curve(live_server: LiveServer, page: Page) -> None:
    open_draft(by=None, now=clock.now())
    sign_in(page, live_server)
    said = complaints_of(page)
    page.goto(f"{live_server.url}/health/draft/measure/seats/")
    page.get_by_role("textbox", name="Name").fill("Way of working")
    picker = page.locator("input[role=combobox][aria-label='Taken from']")
    picker.fill("touch mo")
    page.keyboard.press("Enter")

    expect(page.get_by_role("rowheader", name="High-touch")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Way of working")
    expect(picker).to_be_focused()
    page.get_by_label("Where all of these hold").check()
    page.locator("input[role=combobox][aria-label='What row 1 looks at']").fill("seats")
    page.get_by_role("option", name="Seats Profile", exact=True).click()
    page.get_by_label("How row 1 compares").select_option("gte")
    page.get_by_label("Value of row 1").fill("5")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_text("“Way of working” is kept in the draft.")).to_be_visible()

    measure = Version.objects.draft().get().measures.get(key="seats")
    assert measure.attribute == "touch_model"
    assert measure.applies_when == {"attribute": "seats", "operator": "gte", "value": 5}
    assert said == []


def test_what_is_typed_while_an_answer_is_on_its_way_stays(live_server: LiveServer, page: Page) -> None:
    open_draft(by=None, now=clock.now())
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/health/draft/measure/seats/")
    page.get_by_label("Where all of these hold").check()
    page.locator("input[role=combobox][aria-label='What row 1 looks at']").fill("seats")
    page.get_by_role("option", name="Seats Profile", exact=True).click()
    operator, value = page.get_by_label("How row 1 compares"), page.get_by_label("Value of row 1")
    expect(operator).to_be_visible()
    # The scripts take the rows in hand a moment after they are shown.
    expect(page.locator(".htmx-added")).to_have_count(0)
    held: list[Route] = []
    shaping = 'name="do"\r\n\r\nshape', "do=shape"

    def hold(route: Route) -> None:
        if any(mark in (route.request.post_data or "") for mark in shaping):
            held.append(route)
        else:
            route.continue_()

    page.route("**/health/draft/measure/seats/", hold)
    with page.expect_request(lambda request: any(mark in (request.post_data or "") for mark in shaping)):
        operator.select_option("gte")
    value.fill("5")
    with page.expect_response(lambda response: response.request == held[0].request):
        held[0].continue_()

    expect(operator).to_have_value("gte")
    expect(value).to_have_value("5")
    expect(value).to_be_focused()


def test_profile_is_put_together_without_leaving_the_page(live_server: LiveServer, page: Page) -> None:
    draft = open_draft(by=None, now=clock.now())
    MeasureFactory(version=draft, key="spare", label="Spare part")
    profile = draft.profiles.get()
    sign_in(page, live_server)
    said = complaints_of(page)
    page.goto(f"{live_server.url}/health/draft/profile/{profile.pk}/")
    page.evaluate("window.stayed = true")
    page.get_by_label("Measure to add").select_option("spare")
    page.get_by_role("button", name="Add", exact=True).click()
    weight = page.get_by_label("Weight of Spare part")
    weight.fill("2")
    weight.blur()
    expect(page.get_by_role("row", name="Spare part")).to_contain_text("50")
    page.get_by_role("button", name="Move Spare part up").click()
    expect(page.get_by_role("row").nth(2)).to_contain_text("Spare part")
    page.get_by_label("Good from").fill("80")
    page.get_by_label("Good from").blur()
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_text("“Base” is kept in the draft.")).to_be_visible()

    assert page.evaluate("window.stayed") is True
    profile.refresh_from_db()
    parts = profile.profile_measures.order_by("id").values_list("measure__key", "weight")
    assert (profile.good_from, list(parts)) == (80, [("seats", 1), ("spare", 2), ("live", 1)])
    assert said == []


def test_measure_is_kept_without_scripts(live_server: LiveServer, browser: Browser) -> None:
    open_draft(by=None, now=clock.now())
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/health/draft/measures/new/")
    page.get_by_role("link", name="Add Open tickets").click()
    page.get_by_label("Part of an account's name").fill("customer 35")
    page.get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Customer 35").click()
    expect(page.get_by_role("row", name="Customer 35")).to_contain_text("100")
    page.get_by_role("textbox", name="Points, row 1").fill("90")
    page.get_by_role("button", name="Keep in the draft").click()

    expect(page.get_by_role("heading", name="Draft of version 2")).to_be_visible()
    measure = Version.objects.draft().get().measures.get(key="tickets-open")
    assert measure.curve == {"below": 100, "steps": [[1, 90], [3, 50], [6, 0]]}
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_when_shown(live_server: LiveServer, page: Page, scheme: str) -> None:
    NamedScore.objects.create(key="fit", label="Fit", position=1)
    draft = open_draft(by=None, now=clock.now())
    sign_in(page, live_server)
    said = complaints_of(page)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    paths = (
        "/health/",
        "/health/?by=csm",
        "/health/?score=fit",
        "/health/draft/",
        "/health/draft/publish/",
        "/health/draft/discard/",
        "/health/draft/measures/new/",
        "/health/draft/measures/new/feature-use/?feature=messaging",
        "/health/draft/measures/new/own/?attribute=touch_model",
        "/health/draft/measures/new/days-since-touch/",
        "/health/draft/measure/seats/",
        f"/health/draft/profile/{draft.profiles.get().pk}/",
        "/health/scores/new/",
        "/health/versions/",
        "/health/versions/1/roll-back/",
    )
    found = []
    for path in paths:
        page.goto(f"{live_server.url}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [(path, width, finding) for finding in findings(page)]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append((path, width, "wider than the window"))
    assert found == []
    assert said == []
