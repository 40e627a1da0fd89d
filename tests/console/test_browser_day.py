"""A CSM's day by the keyboard alone: nothing here clicks, and nothing sets the focus but keys."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Touchpoint, User
from common import clock
from console.forms.work import SnoozeForm
from console.models import SavedView
from playbooks.models import Task, TaskSeries
from playbooks.services.tasks import create_task
from tests.console.browser import complaints_of, findings, sign_in
from tests.factories import PASSWORD, AccountFactory, SubscriptionFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

TITLES = (
    "Call Acme",
    "Write to Borealis",
    "Visit Cedar",
    "Thank Delta",
    "Train Elm",
    "Ask Fjord",
    "Greet Grove",
    "Warn Heron",
)


@pytest.fixture
def csm() -> User:
    return UserFactory(name="Maya Lindholm")


@pytest.fixture
def tasks(csm: User) -> dict[str, Task]:
    """The tasks of the day by the first word of their title, in the order of the queue."""
    now = clock.now()
    made = {}
    for place, title in enumerate(TITLES):
        account = AccountFactory(name=title.split()[-1], owner=csm)
        SubscriptionFactory(account=account, mrr=9000 - 1000 * place)
        made[title.split()[0]] = create_task(
            account=account,
            owner=csm,
            title=title,
            severity=4 if place < 5 else 2,
            checklist=["Numbers", "Greeting"] if place == 1 else [],
            due_at=now + timedelta(days=1),
            now=now,
        )
    return made


class Desk:
    """The page as somebody without a mouse has it: keys go in, and what stands there is looked at."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator("#tasks tr[data-row]")
        self.active = page.locator("#tasks tr.is-active")
        self.peek = page.locator("#peek")
        self.sheet = page.locator("#task-form")
        self.toasts = page.locator("#toasts")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def settled(self) -> None:
        """What was swapped in is in its place."""
        expect(self.page.locator(".htmx-added, .htmx-swapping, .htmx-request")).to_have_count(0)

    def arrived(self, rows: int) -> None:
        """Another page is there, with so many rows, and listens to keys."""
        expect(self.rows).to_have_count(rows)
        self.page.wait_for_load_state()

    def stands_on(self, title: str) -> None:
        """The active row, which has the focus too."""
        expect(self.active).to_contain_text(title)
        expect(self.active.locator("[data-row-link]")).to_be_focused()

    def asked(self, words: str) -> Locator:
        """The dialog, once it is there."""
        expect(self.sheet).to_be_visible()
        expect(self.sheet).to_contain_text(words)
        self.settled()
        return self.sheet

    def focused(self) -> Locator:
        return self.page.locator(":focus")

    def tab_to(self, name: str) -> None:
        """Go on with Tab until the control with these words has the focus."""
        focused = "document.activeElement"
        script = f"{focused}.getAttribute('aria-label') ?? ({focused}.labels?.[0] ?? {focused}).textContent.trim()"
        for _ in range(40):
            self.press("Tab")
            if self.page.evaluate(script).partition("\n")[0].removesuffix("(optional)").strip() == name:
                return
        raise AssertionError(f"Tab does not come to “{name}”")


def test_a_day_is_worked_without_a_mouse(
    live_server: LiveServer, page: Page, csm: User, tasks: dict[str, Task]
) -> None:
    colleague = UserFactory(name="Noor Haddad")
    said = complaints_of(page)
    desk = Desk(page)
    page.goto(f"{live_server.url}/user/login/")
    desk.tab_to("Email")
    desk.type(csm.email)
    desk.tab_to("Password")
    desk.type(PASSWORD)
    desk.press("Enter")
    page.wait_for_url(f"{live_server.url}/")

    desk.press("g", "q")
    expect(page).to_have_url(f"{live_server.url}/queue/")
    desk.arrived(8)
    _moves_and_finishes(desk, tasks)
    _snoozes(desk, tasks)
    _logs_and_ticks(desk, tasks)
    _acts_on_several(desk, tasks)
    _reassigns(desk, tasks, colleague)
    _makes_tasks(desk)
    _goes_to_an_account_and_back(desk)
    _narrows_and_keeps_views(desk)
    _brings_back(desk, tasks)
    assert said == []


def _moves_and_finishes(desk: Desk, tasks: dict[str, Task]) -> None:
    desk.press("j", "j", "k")
    desk.stands_on("Call Acme")
    desk.press("Space")
    expect(desk.peek).to_contain_text("Call Acme")
    desk.press("2")
    expect(desk.toasts).to_contain_text("Done: Call Acme")
    expect(desk.peek.locator("h2").first).to_have_text("Write to Borealis")
    desk.stands_on("Write to Borealis")
    tasks["Call"].refresh_from_db()
    assert (tasks["Call"].status, tasks["Call"].outcome) == ("done", "saved")
    desk.settled()
    desk.press("z")
    expect(desk.rows).to_have_count(8)
    desk.press("Escape")
    expect(desk.peek.locator("> *")).to_have_count(0)
    desk.stands_on("Write to Borealis")

    # Opened whole, it is finished on its own page, and the next one is there.
    desk.press("k")
    desk.stands_on("Call Acme")
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Call Acme")
    desk.page.wait_for_load_state()
    desk.press("e")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Write to Borealis")
    expect(desk.toasts).to_contain_text("Done: Call Acme")
    desk.page.wait_for_load_state()
    desk.press("z")
    expect(desk.toasts).to_contain_text("Open again: Call Acme")
    desk.press("g", "q")
    desk.arrived(8)


def _snoozes(desk: Desk, tasks: dict[str, Task]) -> None:
    desk.press("j", "h")
    desk.asked("Snooze “Call Acme”")
    desk.press("1")
    expect(desk.toasts).to_contain_text("Snoozed: Call Acme")
    expect(desk.sheet).not_to_be_visible()
    desk.stands_on("Write to Borealis")
    tasks["Call"].refresh_from_db()
    assert tasks["Call"].snoozed_until is not None
    assert timezone.localdate(tasks["Call"].snoozed_until) == SnoozeForm.suggestions()[0][1]

    desk.press("h")
    desk.asked("Snooze “Write to Borealis”")
    desk.press("Escape")
    expect(desk.sheet).not_to_be_visible()
    desk.stands_on("Write to Borealis")
    desk.press("h")
    desk.asked("Snooze “Write to Borealis”")
    desk.press("w")
    expect(desk.toasts).to_contain_text("Snoozed: Write to Borealis")
    tasks["Write"].refresh_from_db()
    assert tasks["Write"].snoozed_for is not None
    desk.settled()
    desk.press("z")
    expect(desk.rows).to_have_count(7)
    desk.stands_on("Visit Cedar")

    # A day that no button has is typed.
    day = timezone.localdate() + timedelta(days=40)
    desk.press("h")
    desk.asked("Snooze “Visit Cedar”")
    desk.tab_to("Until")
    desk.type(day.strftime("%m%d%Y"))
    desk.press("Control+Enter")
    expect(desk.toasts).to_contain_text("Snoozed: Visit Cedar")
    tasks["Visit"].refresh_from_db()
    assert tasks["Visit"].snoozed_until is not None
    assert timezone.localdate(tasks["Visit"].snoozed_until) == day
    expect(desk.rows).to_have_count(6)
    desk.stands_on("Thank Delta")


def _logs_and_ticks(desk: Desk, tasks: dict[str, Task]) -> None:
    desk.press("l")
    desk.asked("Touchpoint with Delta")
    desk.press("2")
    expect(desk.toasts).to_contain_text("Logged on Delta")
    expect(desk.sheet).not_to_be_visible()
    desk.stands_on("Thank Delta")
    assert Touchpoint.objects.get().account == tasks["Thank"].account
    desk.press("z")
    expect(desk.toasts).to_contain_text("Taken back: Thank Delta")
    assert not Touchpoint.objects.exists()
    desk.stands_on("Thank Delta")

    desk.press("k")
    desk.stands_on("Write to Borealis")
    desk.press("Space")
    expect(desk.peek).to_contain_text("Checklist")
    desk.settled()
    desk.press("c")
    expect(desk.peek.locator(".check-item[aria-pressed=true]")).to_have_count(1)
    desk.settled()
    desk.press("c")
    expect(desk.peek.locator(".check-item[aria-pressed=true]")).to_have_count(2)
    desk.settled()
    desk.press("z")
    expect(desk.peek.locator(".check-item[aria-pressed=true]")).to_have_count(1)
    desk.press("Escape")
    desk.stands_on("Write to Borealis")


def _acts_on_several(desk: Desk, tasks: dict[str, Task]) -> None:
    bulk = desk.page.locator("[data-bulk]")
    desk.press("j", "j", "x", "j", "x")
    desk.stands_on("Ask Fjord")
    expect(bulk).to_contain_text("2 selected")
    desk.press("e")
    expect(desk.toasts).to_contain_text("2 tasks done")
    expect(desk.rows).to_have_count(4)
    desk.stands_on("Greet Grove")
    desk.settled()
    desk.press("z")
    expect(desk.rows).to_have_count(6)
    # They are chosen again, so that something else can be done with them.
    expect(bulk).to_contain_text("2 selected")
    desk.press("h")
    desk.asked("Snooze: 2 tasks")
    desk.press("2")
    expect(desk.toasts).to_contain_text("2 tasks snoozed")
    expect(desk.rows).to_have_count(4)
    expect(bulk).not_to_be_visible()
    tasks["Ask"].refresh_from_db()
    assert tasks["Ask"].snoozed_until is not None
    desk.press("z")
    expect(desk.rows).to_have_count(6)
    expect(bulk).to_contain_text("2 selected")
    desk.press("Escape")
    expect(bulk).not_to_be_visible()


def _reassigns(desk: Desk, tasks: dict[str, Task], colleague: User) -> None:
    desk.stands_on("Greet Grove")
    desk.press("a")
    desk.asked("Reassign “Greet Grove”")
    desk.type("noor")
    desk.press("Enter", "Control+Enter")
    expect(desk.toasts).to_contain_text("Noor Haddad has it now: Greet Grove")
    tasks["Greet"].refresh_from_db()
    assert tasks["Greet"].owner == colleague
    expect(desk.rows).to_have_count(5)
    desk.stands_on("Warn Heron")
    desk.settled()
    desk.press("z")
    expect(desk.rows).to_have_count(6)
    desk.press("k")
    desk.stands_on("Greet Grove")
    desk.press("e")
    expect(desk.rows).to_have_count(5)
    desk.stands_on("Warn Heron")


def _makes_tasks(desk: Desk) -> None:
    desk.press("t")
    desk.asked("New task")
    expect(desk.sheet.get_by_role("link").first).to_contain_text("Heron")
    desk.press("Enter")
    desk.asked("Task for Heron")
    desk.type("Ask for the new sponsor")
    desk.press("Control+Enter")
    expect(desk.toasts).to_contain_text("In your queue: Ask for the new sponsor")
    expect(desk.rows).to_have_count(6)
    desk.stands_on("Warn Heron")

    desk.press("t")
    desk.asked("New task")
    desk.type("elm")
    expect(desk.sheet.get_by_role("link")).to_have_count(1)
    desk.settled()
    desk.press("Enter")
    desk.asked("Task for Elm")
    desk.type("Look at the numbers")
    desk.tab_to("Again")
    desk.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    desk.press("Control+Enter")
    expect(desk.toasts).to_contain_text("Look at the numbers")
    expect(desk.rows).to_have_count(7)
    assert TaskSeries.objects.get().unit == "week"


def _goes_to_an_account_and_back(desk: Desk) -> None:
    desk.stands_on("Warn Heron")
    desk.press("?")
    expect(desk.page.locator("#shortcuts")).to_be_visible()
    desk.press("Escape")
    desk.stands_on("Warn Heron")
    desk.press("Control+k")
    desk.type("Borea")
    expect(desk.page.locator("#palette-results [role=option]").first).to_contain_text("Borealis")
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text("Borealis")
    desk.page.go_back()  # the browser has a key of its own for it, which a test cannot press
    desk.arrived(7)
    desk.stands_on("Warn Heron")


def _narrows_and_keeps_views(desk: Desk) -> None:
    page = desk.page
    desk.press("/")
    desk.asked("Filter the queue")
    desk.press("Escape")
    desk.stands_on("Warn Heron")

    # Two of the accounts pay as little as that.
    desk.press("/")
    desk.asked("Filter the queue")
    desk.tab_to("Tasks of every account")
    desk.press("ArrowDown")
    expect(desk.sheet.locator(".picker input")).to_be_visible()
    desk.settled()
    desk.tab_to("What row 1 looks at")
    desk.type("mrr")
    desk.press("Enter")
    expect(desk.sheet.get_by_label("How row 1 compares")).to_be_visible()
    desk.settled()
    desk.tab_to("How row 1 compares")
    desk.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    desk.settled()
    desk.tab_to("Value of row 1")
    desk.type("4000")
    desk.press("Control+Enter")
    expect(page.locator(".condition-said")).to_contain_text("at most")
    desk.arrived(3)

    desk.press("Shift+V")
    desk.asked("Save this view")
    desk.type("Small ones")
    desk.press("Enter")
    expect(desk.toasts).to_contain_text("Saved: Small ones")
    page.wait_for_load_state()
    assert SavedView.objects.get().name == "Small ones"

    desk.press("b")
    expect(page.locator(".group-row")).to_have_count(2)
    expect(page.locator(".changed-dot")).to_be_visible()
    page.wait_for_load_state()
    desk.press("Shift+V")
    expect(desk.toasts).to_contain_text("Saved: Small ones")
    expect(page.locator(".changed-dot")).to_have_count(0)
    page.wait_for_load_state()
    desk.press("v")
    expect(desk.focused()).to_have_text("Small ones")
    desk.press("ArrowLeft")
    expect(desk.focused()).to_have_text("Everything")
    desk.press("Enter")
    desk.arrived(7)
    desk.press("v", "ArrowRight", "Enter")
    expect(page.locator(".group-row")).to_have_count(2)
    page.wait_for_load_state()
    desk.press("j", "j", "j")
    desk.stands_on("Warn Heron")


def _brings_back(desk: Desk, tasks: dict[str, Task]) -> None:
    desk.press("v", "ArrowLeft", "Enter")
    desk.arrived(7)
    desk.press("Control+k")
    desk.type("snoozed")
    expect(desk.page.locator("#palette-list [role=option]:not([hidden])").first).to_contain_text("Snoozed tasks")
    desk.press("Enter")
    expect(desk.page).to_have_url(re.compile("state=snoozed"))
    expect(desk.rows.first).to_contain_text("Call Acme")
    desk.page.wait_for_load_state()
    desk.press("j", "h")
    desk.asked("Bring it back now")
    desk.press("Enter")
    expect(desk.toasts).to_contain_text("Back in the queue: Call Acme")
    tasks["Call"].refresh_from_db()
    assert tasks["Call"].snoozed_until is None


def test_last_task_leaves_the_words_that_all_is_done(live_server: LiveServer, page: Page, csm: User) -> None:
    account = AccountFactory(name="Acme", owner=csm)
    create_task(account=account, owner=csm, title="Call Acme", due_at=clock.now() + timedelta(days=1), now=clock.now())
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    desk = Desk(page)

    desk.press("j", "Space")
    expect(desk.peek).to_contain_text("Call Acme")
    desk.settled()
    desk.press("e")

    expect(page.locator("#queue")).to_contain_text("All done")
    expect(page.locator("#queue")).to_contain_text("1 task was finished today.")
    expect(desk.peek.locator("> *")).to_have_count(0)
    assert findings(page) == []
    desk.settled()
    desk.press("z")
    expect(desk.rows).to_have_count(1)
