"""The editor of curves in a real browser: by pointer, by keys, by its table, and without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.console.browser import findings

WIDTHS = (360, 768, 1440)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A page in a browser that runs no scripts."""
    page = browser.new_page(java_script_enabled=False)
    yield page
    page.close()


GEOMETRY = """(svg) => {
    const number = (element, name) => Math.round(parseFloat(element.getAttribute(name)) * 10);
    const every = (selector) => [...svg.querySelectorAll(selector)];
    return {
        bars: every('.plot-bar').map((bar) => ['x', 'y', 'width', 'height'].map((name) => number(bar, name))),
        line: [...svg.querySelector('polyline').points].map(({x, y}) => [Math.round(x * 10), Math.round(y * 10)]),
        labels: every('.plot-label').map((label) => label.textContent).sort(),
        spread: every('.plot-spread line').map((line) => number(line, 'x1')),
        cuts: every('.plot-cut').map((line) => number(line, 'x1')),
    };
}"""
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
    .observe({ type: 'layout-shift', buffered: true });
"""


def open_curves(page: Page, site: str, query: str = "") -> None:
    page.goto(f"{site}/curves/{query}")
    page.evaluate("document.addEventListener('change', () => { window.changes = (window.changes ?? 0) + 1; })")


def typed(page: Page, name: str = "use") -> list[list[str]]:
    """The rows of the table, as texts."""
    editor = page.locator(f"#id_{name}")
    columns = [
        [box.input_value() for box in editor.locator(f"table input[name={name}_{part}]").all()]
        for part in ("value", "points")
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def knot(page: Page, place: int, name: str = "use") -> Locator:
    """The slider of a knot; the first is 1."""
    return page.locator(f"#id_{name}").get_by_role("slider").nth(place - 1)


def reading(page: Page, name: str = "use") -> list[str]:
    return page.locator(f"#id_{name} [data-curve-part] dd").all_inner_texts()


def drag(page: Page, place: int, dx: float, dy: float) -> None:
    """Pull a knot by so many pixels, in steps as a hand does."""
    box = knot(page, place).locator(".plot-knot").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def saved(page: Page, site: str) -> dict[str, Any]:
    """What the form makes of the page as it is; a choice that is gone is taken out first."""
    page.locator("#id_model input[name=model_points]").last.fill("")
    page.get_by_role("button", name="Save").click()
    found: dict[str, Any] = json.loads(page.locator("#saved").inner_text())
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?dir=rtl"])
def test_page_is_accessible_and_fits_when_shown(
    site: str, page: Page, complaints: list[str], scheme: str, query: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_curves(page, site, query)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert findings(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        for editor in page.locator("[data-curve-editor]").all():
            box = editor.bounding_box()
            assert box
            assert box["height"] > 200, width
    knot(page, 2).focus()
    assert findings(page) == []
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "bg", "ru", "zh-hans"])
def test_drawing_is_the_same_when_script_takes_over(site: str, page: Page, plain: Page, language: str) -> None:
    open_curves(page, site, f"?lang={language}")
    plain.goto(f"{site}/curves/?lang={language}")
    for name in ("use", "tickets", "bare"):
        live, drawn = (one.locator(f"#id_{name} svg.plot") for one in (page, plain))
        expect(live).to_have_class("plot plot-live")
        assert live.evaluate(GEOMETRY) == drawn.evaluate(GEOMETRY), name
        assert reading(page, name) == reading(plain, name)
        notes = "#id_" + name + " [data-curve-notes]"
        assert page.locator(notes).inner_text() == plain.locator(notes).inner_text()


def test_nothing_moves_when_script_takes_over(site: str, page: Page) -> None:
    page.add_init_script(SHIFTS)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        # A browser that is still at it would move what it has drawn.
        page.wait_for_function("width => innerWidth === width", arg=width)
        open_curves(page, site)
        expect(page.locator("#id_use svg.plot")).to_have_class("plot plot-live")
        page.wait_for_timeout(200)
        assert page.evaluate("window.shift") == 0, width


def test_table_follows_when_knot_is_pulled(site: str, page: Page) -> None:
    open_curves(page, site)
    before = reading(page)
    drag(page, 2, 60, 40)
    rows = typed(page)
    assert rows[0] == ["0", "0"]
    assert rows[2:] == [["80", "90"], ["160", "100"]]
    assert 20 < float(rows[1][0]) < 80
    assert 0 < float(rows[1][1]) < 60
    assert reading(page) != before
    assert page.evaluate("window.changes") == 1


def test_knot_stays_between_its_neighbours_when_pulled_too_far(site: str, page: Page) -> None:
    open_curves(page, site)
    drag(page, 2, 600, -400)
    rows = typed(page)
    assert 75 < float(rows[1][0]) < 80
    assert rows[1][1] == "100"


def test_knot_moves_when_keys_are_pressed(site: str, page: Page) -> None:
    open_curves(page, site)
    second = knot(page, 2)
    second.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert typed(page)[1] == ["24", "49"]
    expect(second).to_have_attribute("aria-valuetext", "24\u00a0actions: 49 points")
    expect(second).to_have_attribute("aria-label", "Point 2 of 4")
    expect(second).to_have_attribute("aria-valuenow", "49")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(second).to_have_attribute("aria-valuetext", "24\u00a0actions: 1 point")
    expect(second).to_be_focused()


def test_knot_is_added_and_removed_when_keys_are_pressed(site: str, page: Page) -> None:
    open_curves(page, site)
    knot(page, 2).focus()
    page.keyboard.press("Enter")
    assert typed(page)[2] == ["50", "75"]
    expect(knot(page, 3)).to_be_focused()
    expect(page.locator("#id_use [role=status]")).to_have_text("Added. 50\u00a0actions: 75 points")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    assert len(typed(page)) == 2
    page.keyboard.press("Delete")
    assert len(typed(page)) == 2
    expect(page.locator("#id_use [data-curve-now]")).to_contain_text("No fewer points than this")


def test_knot_is_added_on_the_line_when_double_clicked(site: str, page: Page) -> None:
    open_curves(page, site)
    box = page.locator("#id_use svg.plot").bounding_box()
    assert box
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    rows = typed(page)
    assert len(rows) == 5
    assert 80 < float(rows[3][0]) < 160
    assert 90 <= float(rows[3][1]) <= 100


def test_drawing_follows_when_table_is_typed_in(site: str, page: Page) -> None:
    open_curves(page, site)
    editor = page.locator("#id_use")
    editor.get_by_label("Value, row 2").fill("100,5")
    expect(knot(page, 3)).to_have_attribute("aria-valuetext", "100.5\u00a0actions: 60 points")
    page.keyboard.press("Enter")
    assert [row[0] for row in typed(page)] == ["0", "80", "100,5", "160"]
    editor.get_by_label("Points, row 1").fill("101")
    page.keyboard.press("Tab")
    expect(editor.get_by_label("Points, row 1")).to_have_attribute("aria-invalid", "true")
    expect(editor.get_by_text("Give points from 0 to 100.")).to_be_visible()
    expect(editor.get_by_role("slider")).to_have_count(3)
    assert findings(page) == []
    editor.get_by_label("Points, row 1").fill("10")
    expect(editor.get_by_text("Give points from 0 to 100.")).to_be_hidden()
    expect(editor.get_by_role("slider")).to_have_count(4)


def test_picture_widens_when_a_value_is_far_out(site: str, page: Page) -> None:
    open_curves(page, site)
    page.locator("#id_use").get_by_label("Value, row 4").fill("2000")
    expect(page.locator("#id_use svg.plot")).to_contain_text("2,000")
    expect(page.locator("#id_use [data-curve-notes]")).to_contain_text("up to 9,400")


def test_row_is_added_and_removed_when_buttons_are_pressed(site: str, page: Page) -> None:
    open_curves(page, site)
    editor = page.locator("#id_use")
    editor.get_by_role("button", name="Add row").click()
    expect(editor.get_by_label("Value, row 5")).to_be_focused()
    page.keyboard.type("120")
    page.keyboard.press("Tab")
    page.keyboard.type("95")
    page.keyboard.press("Tab")
    assert typed(page)[3] == ["120", "95"]
    editor.get_by_role("button", name="Remove row 4").click()
    assert len(typed(page)) == 4
    expect(editor.get_by_role("slider")).to_have_count(4)


@pytest.mark.parametrize(
    ("direction", "points"),
    [
        ("Higher is better", ["0", "40", "70", "90", "100"]),
        ("Lower is better", ["100", "90", "70", "40", "0"]),
        ("Best in the middle", ["0", "70", "100", "70", "0"]),
    ],
)
def test_knots_lie_at_quantiles_when_suggested(site: str, page: Page, direction: str, points: list[str]) -> None:
    open_curves(page, site)
    editor = page.locator("#id_use")
    editor.get_by_label("Which values are good").select_option(direction)
    editor.get_by_role("button", name="Suggest from distribution").click()
    rows = typed(page)
    assert [row[1] for row in rows] == points
    for (value, _points), quantile in zip(rows, (0, 4, 38, 71, 142), strict=True):
        assert abs(float(value) - quantile) <= 2.5
    assert page.evaluate("window.changes") == 2
    editor.get_by_role("button", name="Undo").click()
    assert [row[0] for row in typed(page)] == ["0", "20", "80", "160"]
    expect(editor.get_by_role("button", name="Undo")).to_be_disabled()


def test_bands_are_suggested_apart_when_many_accounts_have_one_value(site: str, page: Page) -> None:
    open_curves(page, site)
    editor = page.locator("#id_tickets")
    expect(editor.get_by_label("Which values are good")).to_have_value("lower")
    editor.get_by_role("button", name="Suggest from distribution").click()
    assert typed(page, "tickets") == [["0", "100"], ["1", "40"], ["2", "0"]]


def test_shape_changes_and_comes_back_when_chosen(site: str, page: Page) -> None:
    open_curves(page, site)
    editor = page.locator("#id_use")
    editor.get_by_label("Bands").check(force=True)
    expect(editor.get_by_role("slider")).to_have_count(5)
    expect(editor.get_by_role("slider").first).to_have_attribute("aria-valuetext", "below 0\u00a0actions: 0 points")
    expect(knot(page, 3)).to_have_attribute("aria-valuetext", "from 20\u00a0actions: 60 points")
    expect(editor.get_by_label("Below the first", exact=True)).to_be_visible()
    knot(page, 1).focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(editor.get_by_label("Below the first", exact=True)).to_have_value("10")
    found = saved(page, site)
    assert found["use"] == {"below": 10, "steps": [[0, 0], [20, 60], [80, 90], [160, 100]]}


def test_points_of_a_choice_follow_when_slid(site: str, page: Page) -> None:
    open_curves(page, site)
    editor = page.locator("#id_model")
    before = reading(page, "model")
    slider = editor.locator("input[type=range]").nth(2)
    slider.focus()
    page.keyboard.press("PageUp")
    points = editor.locator("input[name=model_points]").nth(2)
    assert float(points.input_value()) > 0
    assert reading(page, "model") != before
    points.fill("70")
    expect(slider).to_have_value("70")
    assert reading(page, "model") == ["0 0\u00a0%", "640 29\u00a0%", "1,520 69\u00a0%", "40 2\u00a0%"]


def test_form_takes_what_is_drawn_when_saved(site: str, page: Page) -> None:
    open_curves(page, site)
    knot(page, 3).focus()
    page.keyboard.press("ArrowDown")
    found = saved(page, site)
    assert found["use"] == [[0, 0], [20, 60], [80, 89], [160, 100]]
    assert found["tickets"] == {"below": 100, "steps": [[1, 80], [3, 40], [6, 0]]}
    assert found["model"] == {"high": 90, "low": 62.5}


def test_numbers_are_the_readers_when_language_has_a_comma(site: str, page: Page) -> None:
    open_curves(page, site, "?lang=bg")
    assert typed(page, "bare") == [["0", "0"], ["62,5", "100"]]
    knot(page, 2, "bare").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert typed(page, "bare")[1] == ["63", "99"]
    page.locator("#id_bare input[name=bare_value]").last.fill("70,25")
    expect(knot(page, 2, "bare")).to_have_attribute("aria-valuenow", "99")


def test_table_is_enough_when_there_are_no_scripts(site: str, plain: Page) -> None:
    plain.goto(f"{site}/curves/")
    editor = plain.locator("#id_use")
    expect(editor.locator("svg.plot")).to_be_visible()
    expect(editor.get_by_role("button", name="Suggest from distribution")).to_be_hidden()
    expect(editor.locator("table input[name=use_value]")).to_have_count(7)
    editor.get_by_label("Value, row 5").fill("40")
    editor.get_by_label("Points, row 5").fill("x")
    editor.get_by_role("button", name="Add row").click()
    expect(plain.locator("#id_use table input[name=use_value]")).to_have_count(10)
    expect(plain.get_by_text("nothing has been saved yet")).to_be_visible()
    expect(plain.get_by_text("Give points from 0 to 100.")).to_be_visible()
    plain.get_by_label("Points, row 5").first.fill("70")
    plain.locator("#id_use").get_by_role("button", name="Remove row 2").click()
    plain.locator("#id_model input[name=model_points]").last.fill("")
    plain.locator("#id_use").get_by_label("Value, row 1").press("Enter")
    found = json.loads(plain.locator("#saved").inner_text())
    assert found["use"] == [[0, 0], [40, 70], [80, 90], [160, 100]]


def test_numbers_of_a_histogram_show_when_asked_for(site: str, page: Page) -> None:
    open_curves(page, site)
    expect(page.locator("#scores table")).to_be_hidden()
    page.locator("#scores [data-chart-toggle]").click()
    expect(page.locator("#scores table")).to_contain_text("75 to below 80")
    expect(page.locator("#scores svg.plot")).to_be_hidden()
    assert findings(page) == []
