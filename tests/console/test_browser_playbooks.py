"""An admin finds out why a playbook fired, in a real browser; the pages around it are accessible in both themes."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.attributes import Scope
from accounts.models import User
from common import clock
from health.services import compute_health
from playbooks.models import Task
from tests.factories import MeasureFactory, ProfileFactory, ProfileMeasureFactory, SegmentFactory, UserFactory
from tests.playbooks.cases import customer, pass_time, published

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ("/playbooks/", "/playbooks/low/", "/health/", "/surveys/", "/segments/", "/segments/all/")
WIDTHS = (360, 1440)


@pytest.fixture
def admin(live_server: LiveServer, page: Page) -> Page:
    """A browser in which an admin is signed in."""
    client = Client()
    client.force_login(UserFactory(role=User.Role.ADMIN))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


@pytest.fixture(autouse=True)
def _weeks() -> None:
    """An account whose messaging stayed low through the wait of the reference playbook, and has a health score."""
    now = clock.now()
    start = now - timedelta(days=8)
    profile = ProfileFactory(segment=SegmentFactory(key="all", name="Everybody"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory())
    customer(uses=2, name="Ostrava Steel", seats=40)
    published(key="low", name="Low messaging", now=start)
    pass_time(start, now)
    compute_health(scope=Scope.everything(), now=now)


def findings(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {violation['nodes'][0]['html']}" for violation in Axe().run(page).response["violations"]
    ]


def test_admin_reads_why_it_fired_when_opening_a_run(live_server: LiveServer, admin: Page) -> None:
    admin.goto(f"{live_server.url}/playbooks/")
    admin.get_by_role("link", name="Low messaging").click()
    expect(admin.get_by_text("Wait 7 days")).to_be_visible()

    admin.get_by_role("link", name="Recovered 0").click()
    expect(admin.get_by_text("No account is in this state")).to_be_visible()
    expect(admin).to_have_url(f"{live_server.url}/playbooks/low/?state=recovered")
    admin.get_by_role("link", name="Finished 1").click()
    admin.get_by_role("link", name="Ostrava Steel").click()

    expect(admin.get_by_role("heading", name="Ostrava Steel in “Low messaging”")).to_be_visible()
    expect(admin.get_by_text("It entered because")).to_be_visible()
    expect(admin.get_by_text("Messaging, 7 days was 2 (below 10).")).to_have_count(2)
    admin.get_by_role("link", name="Made the task").click()
    expect(admin).to_have_url(f"{live_server.url}/queue/{Task.objects.get().pk}/")


def test_admin_finds_the_account_that_they_wonder_about(live_server: LiveServer, admin: Page) -> None:
    customer(uses=400, name="Blue Harbor")
    admin.goto(f"{live_server.url}/playbooks/low/")
    admin.get_by_role("link", name="Why did it fire, or not?").click()
    expect(admin.get_by_role("link", name="Ostrava Steel")).to_be_visible()

    admin.get_by_role("searchbox").fill("harb")
    admin.get_by_role("link", name="Blue Harbor").click()

    expect(admin.get_by_role("heading", name="What stands in its way: Entry")).to_be_visible()
    expect(admin.get_by_text("Messaging, 7 days was 400 (not below 10).")).to_be_visible()
    assert findings(admin) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_when_shown(live_server: LiveServer, admin: Page, scheme: str) -> None:
    run = Task.objects.get().run
    assert run is not None
    admin.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in (*PAGES, f"/playbooks/runs/{run.pk}/", f"/playbooks/low/why/?account={run.account_id}"):
        admin.goto(f"{live_server.url}{path}")
        for width in WIDTHS:
            admin.set_viewport_size({"width": width, "height": 900})
            assert findings(admin) == [], (path, width)
            assert admin.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
