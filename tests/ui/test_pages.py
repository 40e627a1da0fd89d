"""The components in a real browser: accessible at every width and in both themes, and worked by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import findings

ROWS = 12
WIDTHS = (360, 768, 1440, 2560)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["list", "details", "question", "user/login"])
def test_page_is_accessible_and_fits_when_shown(
    site: str, page: Page, complaints: list[str], name: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site}/{name}/")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert findings(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    assert complaints == []


def test_row_goes_and_undo_is_offered_when_key_is_pressed(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("#task-0")).to_have_count(0)
    expect(page.locator("#task-1")).to_have_class("is-active")
    expect(page.locator("#toasts")).to_contain_text("Task done")
    page.keyboard.press("z")
    expect(page.locator("#toasts [data-toast-undo]")).to_have_count(0)


def test_row_comes_back_with_reason_when_server_refuses(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("Another person has already done this.")
    expect(page.locator("#task-1")).to_be_visible()
    expect(page.locator("#task-1")).to_have_class("is-active")


def test_selected_rows_go_together_when_key_is_pressed(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    page.keyboard.press("e")
    expect(page.locator("[data-row]")).to_have_count(ROWS - 2)


def test_preview_follows_when_moving(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#peek")).to_have_text("Preview of 0")
    page.keyboard.press("j")
    expect(page.locator("#peek")).to_have_text("Preview of 1")
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_empty()


def test_keys_do_nothing_when_typing(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.type("ej")
    expect(page.get_by_label("Filter")).to_have_value("ej")
    expect(page.locator("[data-row]")).to_have_count(ROWS)


def test_page_beneath_is_left_alone_when_dialog_is_open(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("j")
    page.keyboard.press("Shift+?")
    expect(page.locator("#shortcuts")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("e")
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    expect(page.locator("[data-row]")).to_have_count(ROWS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_palette_opens_what_was_found_when_committed(site: str, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site}/list/")
    page.keyboard.press("Control+k")
    page.keyboard.type("northw")
    expect(page.get_by_role("option", name="Northwind Logistics")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_title("Northwind Logistics · Meridian")


def test_palette_says_when_nothing_was_found(site: str, page: Page) -> None:
    page.goto(f"{site}/list/")
    page.keyboard.press("Control+k")
    nothing = page.locator("#palette-empty")
    expect(nothing).to_be_hidden()
    page.keyboard.type("zzz")
    expect(nothing).to_be_visible()
    page.locator("#palette-input").fill("northw")
    expect(page.get_by_role("option", name="Northwind Logistics")).to_be_visible()
    expect(nothing).to_be_hidden()


def test_theme_is_kept_without_a_flash_when_chosen(site: str, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{site}/list/")
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    # A script's cookie reaches the browser's own process a moment later.
    page.wait_for_function("() => cookieStore.get('theme').then(Boolean)")
    page.reload(wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_numbers_of_a_plot_show_when_asked_for(site: str, page: Page) -> None:
    page.goto(f"{site}/details/")
    table = page.locator("#usage table")
    expect(table).to_be_hidden()
    page.locator("#usage [data-chart-toggle]").click()
    expect(table).to_contain_text("42")
    assert findings(page) == []
