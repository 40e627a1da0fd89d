"""An admin writes a playbook in a real browser: from nothing to published by the keyboard, and in another order."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from common import clock
from playbooks.models import Playbook
from playbooks.services import save_draft
from tests.console.browser import complaints_of, findings, sign_in
from tests.console.test_playbook_editor import WAYS
from tests.factories import PlaybookFactory, StageFactory, UserFactory
from tests.playbooks.cases import customer, messaging

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (390, 1440)


@pytest.fixture
def admin(live_server: LiveServer, page: Page) -> Page:
    """A browser in which an admin is signed in."""
    sign_in(page, live_server.url, UserFactory(role=User.Role.ADMIN))
    return page


@pytest.fixture
def playbook() -> Playbook:
    messaging()
    made: Playbook = PlaybookFactory(key="ours", name="Ours")
    return save_draft(playbook=made, definition=WAYS, number=0, by=None, now=clock.now())


def settled(page: Page) -> None:
    """Wait until what the server sent last is in its place."""
    expect(page.locator(".htmx-request, .htmx-added, .htmx-settling")).to_have_count(0)


def add(page: Page, words: str) -> None:
    """Choose a kind of step by typing, in the list that has just opened."""
    expect(page.get_by_label("Find a kind of step")).to_be_focused()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.locator(".part-form")).to_be_visible()
    settled(page)


def test_playbook_is_written_and_published_by_keyboard(live_server: LiveServer, admin: Page) -> None:
    customer(uses=2, name="Ostrava Steel")
    said = complaints_of(admin)
    admin.goto(f"{live_server.url}/playbooks/new/")
    admin.get_by_label("Name").fill("Quiet messaging")
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_text("A playbook watches for a situation")).to_be_visible()
    expect(admin.get_by_text("1 account may enter when it happens")).to_be_visible()

    admin.keyboard.press("j")  # the first card: who enters
    admin.keyboard.press("Enter")
    admin.get_by_label("Something becomes true").check()
    picker = admin.locator(".part-form input[role=combobox]").first
    expect(picker).to_be_visible()
    settled(admin)
    picker.click()
    admin.keyboard.type("messaging, 7")
    admin.keyboard.press("Enter")
    admin.get_by_label("How row 1 compares").select_option("lt")
    settled(admin)
    admin.get_by_label("Value of row 1").fill("10")
    expect(admin.get_by_text("1 account matches now, 1 would enter")).to_be_visible()
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_role("heading", name="Enters when this becomes true")).to_be_visible()
    settled(admin)

    admin.get_by_role("link", name="Add the first step").press("Enter")
    add(admin, "some time")
    admin.keyboard.type("-1")
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_text("Give a whole number from 1 to 3650.")).to_be_visible()
    settled(admin)
    admin.get_by_label("How long").fill("7")
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_role("link", name="Wait 7 days")).to_be_focused()
    settled(admin)
    admin.keyboard.press("i")
    add(admin, "task")
    admin.get_by_label("Title").fill("Ask why messaging is quiet")
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_role("link", name="Make the task")).to_be_focused()

    admin.get_by_role("link", name="Publish").press("Enter")
    expect(admin.get_by_text("It is new, with 2 steps.")).to_be_visible()
    admin.get_by_label("What changes, and why").fill("First version")
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_text("Version 1 of “Quiet messaging” is on.")).to_be_visible()
    version = Playbook.objects.get(key="quiet-messaging").versions.get()
    assert [step["kind"] for step in version.definition["steps"]] == ["wait", "task"]
    assert [words for words in said if "422" not in words] == []  # the browser tells of the refused form


def test_order_changes_by_key_by_hand_and_back(live_server: LiveServer, admin: Page, playbook: Playbook) -> None:
    said = complaints_of(admin)
    admin.set_viewport_size({"width": 1280, "height": 1800})
    admin.goto(f"{live_server.url}/playbooks/ours/edit/")
    titles = admin.locator(".step[data-step] .step-title a")

    admin.get_by_role("link", name="Talk to the sponsor").first.focus()
    admin.keyboard.press("Alt+ArrowUp")
    expect(titles.nth(4)).to_contain_text("Talk to the sponsor")
    settled(admin)
    expect(admin.locator("#card-talk")).to_have_class("step way-1 is-active")
    admin.keyboard.press("Alt+ArrowUp")
    expect(titles.nth(3)).to_contain_text("Talk to the sponsor")
    settled(admin)
    admin.locator("#card-note [data-step-handle]").drag_to(admin.locator("#card-calm [data-step-handle]"))
    expect(admin.get_by_text("ways can only lead further down")).to_be_visible()
    expect(titles.nth(6)).to_contain_text("Write it down")
    settled(admin)
    admin.locator("#card-calm [data-step-handle]").drag_to(admin.locator("#card-fork [data-step-handle]"))
    expect(titles.nth(0)).to_contain_text("Wait 30 days")
    settled(admin)

    admin.keyboard.press("z")
    expect(titles.nth(0)).to_contain_text("Go the first way that holds")
    playbook.refresh_from_db()
    assert playbook.draft is not None
    assert [step["id"] for step in playbook.draft["steps"]] == ["fork", "calm", "done", "talk", "call", "again", "note"]
    assert said == []


def test_what_is_typed_stays_when_the_steps_around_it_change(
    live_server: LiveServer, admin: Page, playbook: Playbook
) -> None:
    admin.goto(f"{live_server.url}/playbooks/ours/edit/")
    admin.locator("#edit-call").click()
    admin.get_by_label("Title").fill("Ring them up")

    admin.get_by_role("button", name="Move step 6 up").click()
    expect(admin.locator(".step[data-step] .step-title a").nth(4)).to_contain_text("Talk to the sponsor")
    settled(admin)
    expect(admin.get_by_label("Title")).to_have_value("Ring them up")
    admin.get_by_role("button", name="Save").click()

    expect(admin.get_by_role("link", name="Make the task “Ring them up”")).to_have_count(2)  # the card, and its way
    playbook.refresh_from_db()
    assert playbook.draft is not None
    assert [step["id"] for step in playbook.draft["steps"]] == ["fork", "calm", "done", "call", "talk", "again", "note"]
    assert playbook.draft["steps"][3]["title"] == "Ring them up"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_when_shown(
    live_server: LiveServer, admin: Page, playbook: Playbook, scheme: str
) -> None:
    StageFactory()
    admin.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    edit = f"{live_server.url}/playbooks/ours/edit"
    for path in (
        "/",
        "/entry/",
        "/rules/",
        "/step/?step=fork",
        "/step/?step=again",
        "/step/new/?after=calm",
        "/publish/",
        "/json/",
    ):
        admin.goto(f"{edit}{path}")
        settled(admin)
        for width in WIDTHS:
            admin.set_viewport_size({"width": width, "height": 900})
            assert findings(admin) == [], (path, width)
            assert admin.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
    customer(uses=2)
    for path in ("/playbooks/new/", "/playbooks/ours/edit/name/", "/accounts/playbook/"):
        admin.goto(f"{live_server.url}{path}")
        assert findings(admin) == [], path
