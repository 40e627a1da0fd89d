"""The health of an account in a real browser: accessible in both themes and widths, and of use without JavaScript."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User, Workspace
from common import clock
from tests.console.browser import complaints_of, findings
from tests.console.health_account import account_with_a_past
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def account(csm: User) -> Account:
    return account_with_a_past(owner=csm, now=clock.now())


@pytest.fixture
def cookie(csm: User) -> str:
    """The session of the CSM."""
    client = Client()
    client.force_login(csm)
    value: str = client.cookies["sessionid"].value
    return value


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_pages_about_health_are_accessible_and_fit(
    live_server: LiveServer, page: Page, account: Account, cookie: str, theme: str, width: int
) -> None:
    page.context.add_cookies(
        [
            {"name": "sessionid", "value": cookie, "url": live_server.url},
            {"name": "theme", "value": theme, "url": live_server.url},
        ]
    )
    page.set_viewport_size({"width": width, "height": 900})
    said = complaints_of(page)
    yesterday = Workspace.current().day(clock.now()) - timedelta(days=1)
    for address in ("", "health/", f"health/?on={yesterday}&since=2999-01-01", "health/?score=fit"):
        page.goto(f"{live_server.url}/accounts/{account.pk}/{address}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ostrava Steel")
        if SHOTS:
            name = address.partition("?")[0].strip("/") + str(len(address))
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{theme}.png", full_page=True)
        assert findings(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
    assert said == []


def test_two_days_are_compared_without_loading_the_page_again(
    live_server: LiveServer, page: Page, account: Account, cookie: str
) -> None:
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    page.evaluate("window.isFirstLoad = true")
    page.get_by_role("link", name="Health", exact=True).last.click()
    page.get_by_role("link", name="A week ago").click()

    expect(page.locator("#health-changes")).to_contain_text("The score is as it was on")
    page.get_by_role("link", name="Before version 2").click()
    expect(page.locator("#health-changes")).to_contain_text("version 2 (“Tickets are harder”)")
    day = Workspace.current().day(clock.now()) - timedelta(days=30)
    page.locator("[name=since]").fill(day.isoformat())
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(f"{live_server.url}/accounts/{account.pk}/health/?since={day}&until=")
    assert page.evaluate("window.isFirstLoad") is True
    page.get_by_role("button", name="Numbers").click()
    expect(page.get_by_role("row", name="Version 2 took effect")).to_be_visible()


def test_days_are_compared_and_explained_without_javascript(
    live_server: LiveServer, browser: Browser, account: Account, cookie: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/accounts/{account.pk}/health/")
    expect(page.get_by_role("img", name="Health rose from")).to_be_visible()
    day = Workspace.current().day(clock.now()) - timedelta(days=35)
    page.locator("[name=on]").fill(day.isoformat())
    page.get_by_role("button", name="Explain").click()

    expect(page.locator("#health-reasons")).to_contain_text("What made the score on")
    expect(page.locator("#health-reasons")).not_to_contain_text("Set by hand")
    context.close()
