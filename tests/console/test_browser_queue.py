"""A CSM works the queue in a real browser, by keys alone; every step of it is accessible."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Touchpoint, User
from common import clock
from console.forms.work import SnoozeForm
from console.queries.queue_filter import PAGE
from playbooks.models import Task
from playbooks.services.tasks import create_task
from tests.console.browser import complaints_of, findings, sign_in
from tests.factories import AccountFactory, SubscriptionFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def csm() -> User:
    return UserFactory(name="Maya Lindholm")


def make_tasks(csm: User) -> list[Task]:
    """Four tasks, the first of which is the one to do first."""
    now = clock.now()
    made = []
    for place, title in enumerate(["Call Acme", "Write to Borealis", "Visit Cedar", "Thank Delta"]):
        account = AccountFactory(name=title.split()[-1], owner=csm)
        SubscriptionFactory(account=account, mrr=9000 - 2000 * place)
        made.append(
            create_task(
                account=account,
                owner=csm,
                title=title,
                guidance="Ask **who** used it before.",
                due_at=now + timedelta(days=1),
                now=now,
            )
        )
    return made


def test_csm_works_the_queue_by_keys(live_server: LiveServer, page: Page, csm: User) -> None:
    call, write, visit, thank = make_tasks(csm)
    said = complaints_of(page)
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    rows = page.locator("#tasks tr")
    expect(rows).to_have_count(4)

    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_contain_text("Ask who used it before.")
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("Done: Call Acme")
    expect(rows).to_have_count(3)
    expect(page.locator("#queue-counts")).to_contain_text("3 tasks to do")
    expect(page.locator("#peek")).to_contain_text("Write to Borealis")
    call.refresh_from_db()
    assert call.status == "done"

    page.keyboard.press("z")
    expect(rows).to_have_count(4)
    call.refresh_from_db()
    assert call.status == "open"

    page.keyboard.press("Escape")
    expect(page.locator("#peek > *")).to_have_count(0)
    page.locator(f"#task-{write.pk} [data-row-link]").focus()
    page.keyboard.press("h")
    dialog = page.locator("#task-form")
    expect(dialog).to_contain_text("Snooze “Write to Borealis”")
    dialog.get_by_role("button", name=str(SnoozeForm.suggestions()[0][0])).click()
    expect(page.locator("#toasts")).to_contain_text("Snoozed: Write to Borealis")
    expect(rows).to_have_count(3)
    write.refresh_from_db()
    assert write.snoozed_until is not None

    page.locator(f"#task-{visit.pk} [data-row-link]").focus()
    page.keyboard.press("l")
    expect(dialog).to_contain_text("Touchpoint with Cedar")
    page.keyboard.press("2")
    expect(dialog).not_to_be_visible()
    touchpoint = Touchpoint.objects.get()
    assert (touchpoint.account, touchpoint.user) == (visit.account, csm)
    assert (touchpoint.kind, touchpoint.summary) == ("meeting", "Visit Cedar")

    page.locator(f"#task-{thank.pk} [data-row-link]").focus()
    page.keyboard.press("x")
    page.locator(f"#task-{visit.pk} [data-row-link]").focus()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("2 selected")
    page.keyboard.press("e")
    expect(rows).to_have_count(1)
    expect(page.locator("#toasts")).to_contain_text("2 tasks done")
    page.keyboard.press("z")
    expect(rows).to_have_count(3)
    assert said == []


def test_key_right_after_a_dialog_was_left_is_for_the_list(live_server: LiveServer, page: Page, csm: User) -> None:
    tasks = make_tasks(csm)
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    page.keyboard.press("j")
    for task, following in pairwise(tasks):
        page.keyboard.press("h")
        expect(page.locator("dialog#task-form:modal")).to_contain_text(f"Snooze “{task.title}”")
        # In one turn of the page, before anything can be drawn in between.
        page.locator("dialog#task-form").evaluate("""dialog => {
            dialog.dispatchEvent(new Event("cancel", { cancelable: true }));
            dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "j", code: "KeyJ", bubbles: true }));
        }""")
        expect(page.locator(f"#task-{following.pk} [data-row-link]")).to_be_focused()
        expect(page.locator("dialog:modal")).to_have_count(0)


def test_what_is_undone_while_the_list_is_still_on_its_way_comes_back(
    live_server: LiveServer, page: Page, csm: User
) -> None:
    make_tasks(csm)
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if route.request.headers.get("hx-request") and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    rows = page.locator("#tasks tr")
    page.route(lambda url: urlsplit(url).path == "/queue/", hold_the_first)
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("2 tasks done")
    expect(rows).to_have_count(2)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("z")
    expect(page.locator("#toasts")).not_to_contain_text("2 tasks done")
    for route, answer in held:
        route.fulfill(response=answer)

    expect(rows).to_have_count(4)


def test_pages_of_a_long_queue_are_turned_by_keys(live_server: LiveServer, page: Page, csm: User) -> None:
    account, due_at = AccountFactory(owner=csm), clock.now() + timedelta(days=1)
    for number in range(PAGE + 3):
        create_task(account=account, owner=csm, title=f"Call {number}", due_at=due_at, now=clock.now())
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    page.keyboard.press(".")
    expect(page.locator("#tasks tr")).to_have_count(3)
    expect(page.locator(".pager")).to_contain_text(f"{PAGE + 1}–{PAGE + 3} of {PAGE + 3}")
    page.wait_for_load_state()
    page.keyboard.press(",")
    expect(page.locator("#tasks tr")).to_have_count(PAGE)


def test_one_key_finishes_with_an_outcome_and_the_next_opens(live_server: LiveServer, page: Page, csm: User) -> None:
    call, write, _visit, _thank = make_tasks(csm)
    tick_list = [{"text": "Numbers", "done": None}, {"text": "Greeting", "done": None}]
    Task.objects.filter(pk=write.pk).update(checklist=tick_list)
    said = complaints_of(page)
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")

    page.keyboard.press("j")
    page.keyboard.press("w")
    expect(page.get_by_role("tooltip").first).to_be_visible()
    page.locator(f"#task-{call.pk} [data-row-link]").focus()
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_contain_text("Call Acme")
    page.keyboard.press("2")
    expect(page.locator("#toasts")).to_contain_text("Done: Call Acme")
    expect(page.locator("#peek h2").first).to_have_text("Write to Borealis")
    call.refresh_from_db()
    assert call.outcome == "saved"

    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator("#toasts")).to_contain_text("Ticked: Numbers")
    expect(page.locator("#peek .check-item[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator("#peek .check-item[aria-pressed=true]")).to_have_count(0)
    assert findings(page) == []
    assert said == []


def test_row_comes_back_with_the_reason_when_somebody_else_was_first(
    live_server: LiveServer, page: Page, csm: User
) -> None:
    first = make_tasks(csm)[0]
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    Task.objects.filter(pk=first.pk).update(
        status="done", done_at=clock.now(), done_by=UserFactory(name="Maria Petrova")
    )

    page.keyboard.press("j")
    page.keyboard.press("e")

    expect(page.locator("#toasts")).to_contain_text("Maria Petrova finished this task just now.")
    expect(page.locator(f"#task-{first.pk}")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_queue_and_task_are_accessible(live_server: LiveServer, page: Page, csm: User, width: int, scheme: str) -> None:
    task = make_tasks(csm)[0]
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")
    assert findings(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_contain_text("What to do")
    assert findings(page) == []
    for part in ("", "snooze/", "assign/"):
        page.goto(f"{live_server.url}/queue/{task.pk}/{part}")
        assert findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_queue_is_worked_without_scripts(live_server: LiveServer, page: Page, csm: User) -> None:
    call = make_tasks(csm)[0]
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    sign_in(plain, live_server.url, csm)
    plain.goto(f"{live_server.url}/queue/")
    plain.get_by_role("link", name="Call Acme", exact=True).click()
    plain.get_by_role("button", name="Done").click()
    expect(plain.locator("#toasts")).to_contain_text("Done: Call Acme")
    expect(plain.get_by_role("heading", name="Write to Borealis")).to_be_visible()
    call.refresh_from_db()
    assert call.status == "done"
    context.close()


def test_task_is_made_by_keys_for_an_account_that_is_typed(live_server: LiveServer, page: Page, csm: User) -> None:
    make_tasks(csm)
    nordwind = AccountFactory(name="Nordwind")
    said = complaints_of(page)
    sign_in(page, live_server.url, csm)
    page.goto(f"{live_server.url}/queue/")

    page.keyboard.press("t")
    dialog = page.locator("#task-form")
    expect(dialog.get_by_role("link")).to_have_count(4)
    page.keyboard.type("nord")
    expect(dialog.get_by_role("link")).to_have_count(1)
    assert findings(page) == []
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Task for Nordwind")
    page.keyboard.type("Ask for the new sponsor")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("In your queue: Ask for the new sponsor")
    expect(page.locator("#tasks tr")).to_have_count(5)
    assert Task.objects.get(account=nordwind).owner == csm

    page.keyboard.press("z")
    expect(page.locator("#tasks tr")).to_have_count(4)
    assert Task.objects.get(account=nordwind).status == "cancelled"

    # Beside an open preview the task is for its account, and `w` says of what its place is made.
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_contain_text("Call Acme")
    page.keyboard.press("w")
    expect(page.locator("#peek details")).to_have_attribute("open", "")
    page.keyboard.press("t")
    expect(dialog).to_contain_text("Task for Acme")
    page.keyboard.press("Escape")
    page.locator("#peek").get_by_role("link", name="Snooze").click()
    expect(dialog).to_contain_text("Snooze “Call Acme”")
    page.keyboard.press("Escape")
    expect(page.locator("#tasks tr")).to_have_count(4)
    assert said == []
