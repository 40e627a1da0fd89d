"""A customer with a phone, with and without scripts, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Contact, Workspace
from common import clock
from outbox.models import Message
from surveys.models import Invitation, Response
from tests.surveys.invited import invited, page_of

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def invitation() -> Invitation:
    Workspace.objects.update_or_create(id=1, defaults={"name": "Meridian"})
    return invited(name="Ana", now=clock.now())


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page on a phone-sized screen."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=request.param)
    with context:
        yield context.new_page()


def test_a_customer_answers_with_the_thumb_when_they_open_the_link(
    live_server: LiveServer, phone: Page, invitation: Invitation
) -> None:
    phone.goto(f"{live_server.url}{page_of(invitation, '?score=9')}")
    expect(phone.get_by_role("group", name="How likely are you to recommend Meridian")).to_be_visible()
    expect(phone.get_by_role("radio", name="9")).to_be_checked()
    assert not Response.objects.exists()

    phone.get_by_role("radio", name="10").check()
    phone.get_by_role("button", name="Send").tap()
    expect(phone.get_by_label("What do you like most?")).to_be_visible()
    assert Response.objects.get().score == 10

    phone.get_by_label("What do you like most?").fill("The people")
    phone.get_by_role("button", name="Finish").tap()
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Response.objects.get().comment == "The people"


def test_the_answer_can_be_changed_when_the_customer_goes_back(
    live_server: LiveServer, phone: Page, invitation: Invitation
) -> None:
    phone.goto(f"{live_server.url}{page_of(invitation, '?score=9')}")
    phone.get_by_role("button", name="Send").tap()
    expect(phone.get_by_label("What do you like most?")).to_be_visible()

    phone.go_back()
    phone.get_by_role("radio", name="3").check()
    phone.get_by_role("button", name="Send").tap()
    expect(phone.get_by_label("What went wrong?")).to_be_visible()
    phone.get_by_role("button", name="Finish").tap()
    phone.get_by_role("link", name="Change my answer").tap()

    expect(phone.get_by_role("radio", name="3")).to_be_checked()
    assert Response.objects.get().score == 3


def test_a_sentence_is_shown_when_no_number_was_chosen(
    live_server: LiveServer, phone: Page, invitation: Invitation
) -> None:
    phone.goto(f"{live_server.url}{page_of(invitation)}")
    phone.get_by_role("button", name="Send").tap()

    expect(phone.get_by_text("Choose a number from 0 to 10.")).to_be_visible()


def test_a_customer_unsubscribes_when_they_want_no_more(
    live_server: LiveServer, phone: Page, invitation: Invitation
) -> None:
    phone.goto(f"{live_server.url}{page_of(invitation)}")
    phone.get_by_role("link", name="Unsubscribe").tap()
    phone.get_by_role("button", name="Unsubscribe").tap()

    expect(phone.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert Contact.objects.get().unsubscribed_at is not None


def test_the_scale_is_worked_by_keys_when_there_is_a_keyboard(
    live_server: LiveServer, page: Page, invitation: Invitation
) -> None:
    page.goto(f"{live_server.url}{page_of(invitation, '?score=6')}")
    page.get_by_role("radio", name="6").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(page.get_by_label("What should we improve first?")).to_be_visible()
    assert Response.objects.get().score == 7


WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def violations(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    found: dict[str, Any] = Axe().run(page, options=options).response
    return [f"{violation['id']}: {violation['nodes'][0]['html']}" for violation in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_when_it_reads_every_page(
    live_server: LiveServer, page: Page, invitation: Invitation, scheme: str
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    address = f"{live_server.url}{page_of(invitation)}"

    def read(what: str) -> None:
        assert violations(page) == [], what
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), what

    page.goto(f"{address}?score=9")
    read("question")
    page.get_by_role("button", name="Send").click()
    read("comment")
    page.get_by_role("button", name="Finish").click()
    read("thanks")
    page.goto(f"{address}unsubscribe/")
    read("unsubscribe")
    page.get_by_role("button", name="Unsubscribe").click()
    read("unsubscribed")
    assert complaints == []
    page.goto(f"{live_server.url}/s/forged/")
    read("gone")
    # A mail has no landmarks for axe's own good practice, and its styles are inline.
    page.goto("about:blank")
    page.set_content(Message.objects.get().payload["html"])
    assert violations(page, WCAG) == []
