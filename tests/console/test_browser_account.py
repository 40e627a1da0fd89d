"""A CSM reads an account and writes on it, in a real browser, by keys; the pages around it are accessible."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.attributes import Scope
from accounts.models import Account, Contact, Rating, Ticket, Touchpoint, User, Workspace
from accounts.services.touchpoints import log_touchpoint
from common import clock
from health.services import compute_health
from playbooks.models import Task
from playbooks.services.tasks import complete_task, create_task
from surveys.services import answer
from tests.console.browser import complaints_of, findings
from tests.factories import (
    AccountFactory,
    ContactFactory,
    FeatureFactory,
    InvoiceFactory,
    MeasureFactory,
    PlanFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    RatingFactory,
    SegmentFactory,
    StageFactory,
    SubscriptionFactory,
    SurveyFactory,
    TicketFactory,
    UserFactory,
)
from tests.surveys.invited import ask, token_of
from usage.services import add_daily_usage, turn_windows

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (360, 1440)
SECTIONS = ("", "timeline/", "people/", "usage/", "tickets/", "revenue/", "tasks/")
FORMS = ("touchpoints/new/", "notes/new/", "tasks/new/", "ratings/new/")


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def account(csm: User) -> Account:
    """An account of which everything is known."""
    now = clock.now()
    today = Workspace.current().day(now)
    made: Account = AccountFactory(
        name="Ostrava Steel", owner=csm, seats=41, plan=PlanFactory(name="Team"), customer_since=today, tags=["key"]
    )
    contact = ContactFactory(account=made, name="Jana Nováková", role=Contact.Role.CHAMPION, last_seen_at=now)
    ContactFactory(account=made, name="Adam Left", left_at=now)
    log_touchpoint(
        account=made,
        user=csm,
        kind=Touchpoint.Kind.CALL,
        summary="Spoke about spring",
        happened_at=now,
        contact=contact,
        sentiment="positive",
        next_step="Send the plan",
    )
    TicketFactory(account=made, contact=contact, priority=Ticket.Priority.URGENT, is_escalated=True)
    TicketFactory(account=made, opened_at=now, solved_at=now)
    SubscriptionFactory(account=made, mrr=1200, renews_on=today + timedelta(days=20))
    survey = SurveyFactory(is_live=True)
    answer(
        token=token_of(ask(survey=survey, contact=contact, occasion="x", now=now)),
        score=3,
        comment="Too slow",
        now=now,
    )
    create_task(account=made, owner=csm, title="Call back", due_at=now - timedelta(days=1), now=now)
    done = create_task(account=made, owner=csm, title="Was done", due_at=now, now=now)
    complete_task(task=done, by=csm, outcome="saved", note="They stay", now=now)
    turn_windows(now=now)
    chat, _boards = FeatureFactory(name="Chat"), FeatureFactory(name="Boards", is_essential=True)
    add_daily_usage([(made.pk, chat.pk, today - timedelta(days=n), 5 + n) for n in range(1, 40)], now=now)
    profile = ProfileFactory(segment=SegmentFactory(key="all"))
    for label, attribute in (("Seats taken", "seats"), ("NPS", "nps.last"), ("CSAT", "csat.last")):
        ProfileMeasureFactory(profile=profile, measure=MeasureFactory(label=label, attribute=attribute))
    compute_health(scope=Scope.everything(), now=now - timedelta(days=3))
    Account.objects.filter(pk=made.pk).update(seats=75)
    compute_health(scope=Scope.everything(), now=now)
    return made


@pytest.fixture
def signed_in(live_server: LiveServer, page: Page, csm: User) -> Page:
    """A browser in which the CSM is signed in."""
    client = Client()
    client.force_login(csm)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


def test_touchpoint_is_logged_by_keys_without_loading_the_page_again(
    live_server: LiveServer, signed_in: Page, account: Account
) -> None:
    page = signed_in
    said = complaints_of(page)
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    page.evaluate("window.isFirstLoad = true")

    page.keyboard.press("l")
    expect(page.get_by_label("What was it about")).to_be_focused()
    page.keyboard.type("Renewal is safe")
    page.keyboard.press("Control+Enter")

    expect(page.locator(".timeline")).to_contain_text("Call: Renewal is safe")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate("window.isFirstLoad") is True
    assert said == []

    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("Taken back: Renewal is safe")
    expect(page.locator(".timeline")).not_to_contain_text("Renewal is safe")
    assert Touchpoint.objects.count() == 1


def test_account_is_rated_by_keys_and_the_rating_taken_back(
    live_server: LiveServer, signed_in: Page, account: Account
) -> None:
    page = signed_in
    said = complaints_of(page)
    page.goto(f"{live_server.url}/accounts/{account.pk}/")

    page.keyboard.press("r")
    expect(page.get_by_role("radio", name="In trouble")).to_be_focused()
    assert findings(page) == []
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Their sponsor is silent")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#account-section")).to_contain_text("Worrying, 2 of 5")
    expect(page.locator(".timeline")).to_contain_text("Rated 2 of 5, worrying")
    assert Rating.objects.get().comment == "Their sponsor is silent"
    page.keyboard.press("z")
    expect(page.locator("#account-section")).to_contain_text("not rated yet")
    assert not Rating.objects.exists()
    assert said == []


def test_what_was_typed_is_kept_when_the_server_refuses_it(
    live_server: LiveServer, signed_in: Page, account: Account
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    page.keyboard.press("l")
    page.get_by_label("Notes").fill("My long notes")
    # The scripts take a form in hand a moment after it is shown.
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("Control+Enter")

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    expect(page.get_by_label("Notes")).to_have_value("My long notes")
    expect(page.get_by_label("What was it about")).to_be_focused()
    assert findings(page) == []


def test_note_and_task_are_written_by_keys(live_server: LiveServer, signed_in: Page, account: Account) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/accounts/{account.pk}/timeline/")
    page.keyboard.press("n")
    expect(page.get_by_role("dialog").get_by_label("Note")).to_be_focused()
    page.keyboard.type("They plan a merger")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("Note: They plan a merger")

    page.keyboard.press("t")
    expect(page.get_by_label("What is to be done")).to_be_focused()
    page.keyboard.type("Ask for a reference")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("Task: Ask for a reference")
    assert Task.objects.filter(title="Ask for a reference").count() == 1


def test_sections_are_their_addresses(live_server: LiveServer, signed_in: Page, account: Account) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    page.evaluate("window.isFirstLoad = true")
    page.get_by_role("link", name="Usage", exact=True).click()

    expect(page).to_have_url(f"{live_server.url}/accounts/{account.pk}/usage/")
    expect(page).to_have_title(re.compile("^Ostrava Steel · Usage"))
    expect(page.get_by_role("link", name="Usage", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", name="Features used in the last 28 days")).to_be_visible()
    assert page.evaluate("window.isFirstLoad") is True

    page.go_back()
    expect(page.get_by_role("heading", name="Who is who")).to_be_visible()


def test_list_is_filtered_looked_into_and_opened_by_keys(
    live_server: LiveServer, signed_in: Page, account: Account, csm: User
) -> None:
    AccountFactory(name="Pelican", owner=csm)
    page = signed_in
    said = complaints_of(page)
    page.goto(f"{live_server.url}/accounts/")
    expect(page.locator("[data-row]")).to_have_count(2)

    page.get_by_role("link", name="MRR").click()
    expect(page).to_have_url(f"{live_server.url}/accounts/?sort=-mrr")
    page.keyboard.press("/")
    page.keyboard.type("ostr")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=ostr"))
    expect(page).to_have_url(re.compile(r"sort=-mrr"))
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek").get_by_role("heading", name="Ostrava Steel")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/accounts/{account.pk}/")
    assert said == []


def test_list_follows_its_filters_columns_and_condition(
    live_server: LiveServer, signed_in: Page, account: Account, csm: User
) -> None:
    AccountFactory(name="Pelican", owner=csm, seats=5)
    page = signed_in
    page.goto(f"{live_server.url}/accounts/")
    page.evaluate("window.isFirstLoad = true")
    rows = page.locator("[data-row]")

    page.get_by_role("combobox", name="Health").select_option("none")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Pelican")
    page.get_by_role("combobox", name="Health").select_option("")
    expect(rows).to_have_count(2)
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Seats", exact=True).check()
    expect(page.get_by_role("columnheader", name="Seats")).to_be_attached()
    page.keyboard.press("Escape")

    page.locator("summary", has_text="Condition").click()
    condition = page.get_by_label("Condition as JSON")
    condition.fill('{"attribute": "seats", "operator": "lt", "value": "few"}')
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("At value:")
    condition.fill('{"attribute": "seats", "operator": "lt", "value": 10}')
    page.get_by_role("button", name="Apply").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Pelican")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate("window.isFirstLoad") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_when_shown(
    live_server: LiveServer, signed_in: Page, account: Account, scheme: str
) -> None:
    now = clock.now()
    today = Workspace.current().day(now)
    Account.objects.filter(pk=account.pk).update(parent=AccountFactory(name="Bohemian Metals Group"))
    AccountFactory(name="Ostrava Wire", parent=account, stage=StageFactory(name="Adoption"))
    AccountFactory(name="Ostrava Foundry", parent=account, ended_at=now)
    for due_on, fields in ((5, {}), (40, {"paid_on": today}), (70, {"voided_on": today}), (-9, {})):
        day = today - timedelta(days=due_on)
        InvoiceFactory(account=account, issued_on=day - timedelta(days=14), due_on=day, **fields)
    RatingFactory(account=account, value=2, comment="Their sponsor is silent", rated_at=now)
    page = signed_in
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    here = f"/accounts/{account.pk}/"
    wrong = "/accounts/?condition=%7B"
    for path in ("/", "/accounts/", wrong, *(f"{here}{more}" for more in (*SECTIONS, *FORMS))):
        page.goto(f"{live_server.url}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert findings(page) == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
