"""Numbers, moments and small drawings as readers see them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.http import HttpRequest
from django.template import Context, Template
from django.utils import translation

from common.templatetags.amounts import money, money_short, number, share
from common.templatetags.charts import chart_table
from common.templatetags.plots import band_bar, meter, sparkline
from common.templatetags.ui import ago, health_band, initials, key, score, theme_attribute, trend_of

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (Decimal(1234567), "USD", "$1,234,567"),
        (Decimal("12.5"), "EUR", "€12.50"),
        (-40, "GBP", "−£40"),
        (10, "CHF", "CHF\u00a010"),
        (None, "USD", "–"),
        ("nonsense", "USD", "–"),
    ],
)
def test_money_reads_well_when_english(amount: object, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_symbol_follows_number_when_russian() -> None:
    with translation.override("ru"):
        assert money(1500, "RUB") == "1\u00a0500\u00a0₽"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(840, "$840"), (12_500, "$12.5k"), (220_000, "$220k"), (1_200_000, "$1.2M"), (-5_000, "−$5.0k")],
)
def test_money_is_short_when_room_is_little(amount: int, shown: str) -> None:
    assert money_short(amount) == shown


def test_numbers_are_grouped_when_large() -> None:
    assert number(1234.56, 1) == "1,234.6"
    assert share(Decimal("0.625"), 1) == "62.5\u00a0%"


def test_band_tells_itself_in_words_and_shape_when_drawn() -> None:
    assert "band-poor" in health_band("poor")
    assert "Poor" in health_band("poor")
    assert "No score" in health_band(None)


def test_score_is_a_dash_when_unknown() -> None:
    assert "–" in score(None, "good")
    assert "score-none" in score(None, "good")


@pytest.mark.parametrize(
    ("change", "rising_is", "expected"),
    [(4, "good", "trend-good"), (4, "poor", "trend-poor"), (-4, "poor", "trend-good"), (4, "flat", "trend-flat")],
)
def test_trend_says_whether_it_is_good_when_it_moves(change: int, rising_is: str, expected: str) -> None:
    assert expected in trend_of(change, rising_is)


def test_trend_is_flat_when_change_rounds_to_nothing() -> None:
    assert "trend-" not in trend_of(0.01)


@pytest.mark.parametrize(("name", "letters"), [("Ana Dimitrova", "AD"), ("Acme", "AC"), ("", "?"), ("<i>", "&lt;I")])
def test_initials_are_two_letters_when_named(name: str, letters: str) -> None:
    assert f">{letters}</span>" in initials(name)


def test_key_hint_shows_each_cap_when_combined() -> None:
    assert key("Mod+k").count("<kbd>") == 2
    assert "key-single" in key("g q")
    assert key("") == ""


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (NOW - timedelta(hours=3), "3\u00a0hours ago"),
        (NOW + timedelta(days=2), "in 2\u00a0days"),
        (NOW + timedelta(days=70), "May 25"),
        (date(2026, 3, 15), "yesterday"),
        (date(2026, 4, 20), "April 20"),
        (date(2028, 4, 20), "April 20, 2028"),
        (None, "–"),
    ],
)
def test_moment_is_told_from_now_when_drawn(when: datetime | date | None, shown: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert shown in ago(when)


@pytest.mark.parametrize(("cookie", "expected"), [("dark", ' data-theme="dark"'), ('"><script>', ""), (None, "")])
def test_theme_is_only_one_of_ours_when_cookie_says_anything(cookie: str | None, expected: str) -> None:
    request = HttpRequest()
    if cookie is not None:
        request.COOKIES["theme"] = cookie
    assert theme_attribute(Context({"request": request})) == expected


def test_sparkline_skips_gaps_when_values_are_missing() -> None:
    drawn = sparkline([1, None, 3], "Health", "good")
    assert "Health: from 1 to 3" in drawn
    assert drawn.count(",") == 2
    assert sparkline([1, None]) == ""


def test_sparkline_keeps_a_small_change_small_when_its_scale_is_given() -> None:
    assert 'points="3.0,3.4 93.0,3.0"' in sparkline([98, 100], bottom=0, top=100)
    assert 'points="3.0,21.0 93.0,3.0"' in sparkline([98, 100])


def test_meter_stays_inside_when_value_is_out_of_range() -> None:
    assert 'width="100.0"' in meter(140)
    assert 'width="0.0"' in meter(None)


def test_bar_tells_each_band_when_drawn() -> None:
    assert "Good 3, Poor 1" in band_bar({"good": 3, "poor": 1, "watch": 0})
    assert band_bar({}) == ""


def test_table_holds_what_chart_draws_when_made() -> None:
    table = chart_table({"labels": ["W1"], "series": [{"label": "Uses", "data": [1500]}]})
    assert table["rows"] == [["W1", "1,500"]]
    assert [column["label"] for column in table["columns"]] == ["When", "Uses"]


def test_enclosed_markup_stands_in_component_when_drawn() -> None:
    drawn = Template('{% load ui %}{% component "panel" title=title %}<b>in</b>{% endcomponent %}').render(
        Context({"title": "<x>"})
    )
    assert "<b>in</b>" in drawn
    assert "&lt;x&gt;" in drawn
