"""An admin tries a draft in a real browser: starts it, sees it end, follows a move to its accounts."""

from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from common import clock
from health.services import simulate_chunk
from tests.console.browser import complaints_of, findings
from tests.factories import AccountFactory, UserFactory
from tests.health.simulated import draft_of_half, first_version
from tests.health.test_backtest import lost, record
from tests.playbooks.cases import leaf, published

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (360, 1440)


@pytest.fixture
def address(live_server: LiveServer, page: Page) -> str:
    """Where the simulation is, in a browser in which an admin is signed in; twelve accounts, and two that were lost."""
    now = clock.now()
    profile = first_version(now=now - timedelta(days=300)).profiles.get()
    draft_of_half(now=now)
    for seats in range(40, 100, 5):
        account = AccountFactory(name=f"Seats {seats}.", seats=seats)
        record(account, profile, seats, day=now.date() - timedelta(days=40))
    for _n in range(2):
        record(lost(ended_at=now - timedelta(days=10)), profile, 10, day=now.date() - timedelta(days=40))
    condition = {"kind": "condition", "condition": leaf("health.band", "in", ["poor"])}
    step = {"id": "call", "kind": "task", "title": "Call them", "guidance": ""}
    published({"entry": condition, "audience": {"all": []}, "exit": None, "steps": [step]}, name="Save the poor")
    client = Client()
    client.force_login(UserFactory(role=User.Role.ADMIN))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return f"{live_server.url}/health/draft/simulation/"


def run_to_the_end() -> None:
    while simulate_chunk(now=clock.now()):
        pass


def test_admin_starts_it_and_reads_what_it_found(address: str, page: Page) -> None:
    said = complaints_of(page)
    page.goto(address)
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("The simulation is running")).to_be_visible()

    run_to_the_end()

    expect(page.get_by_text("12 of 12 accounts change band; 8 become poor.")).to_be_visible()
    expect(page.get_by_role("link", name="Save the poor")).to_be_visible()
    page.get_by_role("link", name="6 $0").first.click()
    expect(page.get_by_role("heading", name="Who moves, and why 6")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Seats 75.")).to_be_hidden()
    page.get_by_label("Band in force", exact=True).select_option("")
    expect(page.get_by_role("heading", name="Who moves, and why 8")).to_be_visible()
    page.get_by_label("Band in the draft", exact=True).select_option("")
    expect(page.get_by_role("heading", name="Who moves, and why 12")).to_be_visible()
    page.get_by_role("link", name="Next").first.click()
    expect(page.get_by_text("11–12 of 12")).to_be_visible()
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_fits_in_every_state(address: str, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def look(shown: str) -> None:
        expect(page.get_by_text(shown)).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert findings(page) == [], (shown, width)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (shown, width)

    page.goto(address)
    look("The draft was not simulated yet")
    page.get_by_role("button", name="Simulate").click()
    look("The simulation is running")
    run_to_the_end()
    look("12 of 12 accounts change band")
    expect(page.get_by_role("link", name="Save the poor")).to_be_visible()
    look("Would it have seen the accounts that were lost?")


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_all_of_it_is_read_without_scripts(address: str, page: Page) -> None:
    page.goto(address)
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("The simulation is running")).to_be_visible()
    run_to_the_end()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("12 of 12 accounts change band; 8 become poor.")).to_be_visible()

    page.get_by_label("Band in the draft", exact=True).select_option("poor")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Who moves, and why 8")).to_be_visible()
    page.get_by_role("link", name="Show what playbooks would do").click()
    expect(page.get_by_role("link", name="Save the poor")).to_be_visible()
