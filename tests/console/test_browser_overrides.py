"""A CSM sets a score by hand, in a real browser, by keys; the pages around it are accessible."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.attributes import Scope
from accounts.models import Account, User
from common import clock
from health.models import HealthScore, NamedScore, Override
from health.services import compute_health, override_score
from tests.console.browser import complaints_of, findings
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (360, 1440)
NAMES = ("Ostrava Steel", "Pelican Freight", "Bohemian Metals Group")


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def account(csm: User) -> Account:
    """An account with two scores, of three."""
    made = [AccountFactory(name=name, owner=csm, seats=42 + n * 20) for n, name in enumerate(NAMES)]
    SubscriptionFactory(account=made[0], mrr=1200)
    segment, measure = SegmentFactory(key="all"), MeasureFactory(label="Seats taken")
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=5)
    for named in (NamedScore.overall(), fit):
        ProfileMeasureFactory(profile=ProfileFactory(segment=segment, named=named), measure=measure)
    compute_health(scope=Scope.everything(), now=clock.now())
    first: Account = made[0]
    return first


@pytest.fixture
def signed_in(live_server: LiveServer, page: Page, csm: User) -> Page:
    """A browser in which the CSM is signed in."""
    client = Client()
    client.force_login(csm)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


def set_by_hand(account: Account, by: User, *, days: int = 10) -> Override:
    now = clock.now()
    return override_score(
        account=account,
        named=NamedScore.overall(),
        score=85,
        reason="Their new sponsor has signed for two more years; the drop in use is the office move.",
        expires_at=now + timedelta(days=days),
        by=by,
        now=now,
    )


def test_score_is_set_by_keys_and_taken_back(live_server: LiveServer, signed_in: Page, account: Account) -> None:
    page = signed_in
    said = complaints_of(page)
    page.goto(f"{live_server.url}/accounts/{account.pk}/")

    page.keyboard.press("s")
    score, slider = page.get_by_role("spinbutton", name="Score"), page.get_by_role("slider")
    expect(score).to_be_focused()
    expect(slider).to_have_value("42")
    score.fill("70")
    expect(slider).to_have_value("70")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(score).to_have_value("71")
    expect(page.get_by_label("Day", exact=True)).to_be_hidden()
    page.get_by_text("Until a day").click()
    expect(page.get_by_label("Day", exact=True)).to_be_visible()
    assert findings(page) == []
    page.get_by_text("Three months").click()
    page.get_by_label("Why").fill("Their new sponsor has signed")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#account-section")).to_contain_text("Set by hand by Maya Lindholm until")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert HealthScore.objects.overall().get(account=account).score == 71
    page.keyboard.press("z")
    expect(page.locator("#account-section")).not_to_contain_text("Set by hand by")
    assert HealthScore.objects.overall().get(account=account).score == 42
    assert said == []


def test_refused_score_is_told_in_the_dialog(live_server: LiveServer, signed_in: Page, account: Account) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/accounts/{account.pk}/")
    page.keyboard.press("s")
    page.get_by_role("spinbutton", name="Score").fill("120")
    page.get_by_label("Why").fill("Because")
    page.keyboard.press("Control+Enter")

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Give a number from 0 to 100.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value("Because")
    expect(page.get_by_role("slider")).to_be_visible()
    assert findings(page) == []


def test_one_is_ended_from_the_list_and_the_end_undone(
    live_server: LiveServer, signed_in: Page, account: Account, csm: User
) -> None:
    set_by_hand(account, csm)
    page = signed_in
    said = complaints_of(page)
    page.goto(f"{live_server.url}/health/overrides/")
    expect(page.locator("[data-row]")).to_have_count(1)

    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("No score is set by hand")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("[data-row]")).to_contain_text("Ostrava Steel")
    assert Override.objects.live(clock.now()).count() == 1
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_when_shown(
    live_server: LiveServer, signed_in: Page, account: Account, csm: User, scheme: str
) -> None:
    jonas = UserFactory(name="Jonas Weber")
    for days, other in enumerate(Account.objects.exclude(pk=account.pk), start=2):
        set_by_hand(other, jonas, days=days * 20)
    set_by_hand(account, csm, days=30)
    page = signed_in
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    here = f"/accounts/{account.pk}/"
    for path in (here, f"{here}health/override/", "/health/overrides/", f"/health/overrides/?by={csm.pk}&csm=none"):
        page.goto(f"{live_server.url}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert findings(page) == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
