"""Curves as people type them, and as they are drawn and counted on the server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.http import QueryDict
from django.template import Context, Template
from django.utils import translation

from common.curves.decimals import read_decimal, write_decimal
from common.curves.distribution import Distribution
from common.curves.fields import CurveField
from common.curves.shape import Shape
from common.templatetags.curves import curve, curve_words, histogram_table

EVEN = {"bins": [{"from": low, "to": low + 10, "count": 10} for low in range(0, 100, 10)], "missing": 7}
CHOICES = [("high", "High touch"), ("low", "Low touch")]


def form(data: str, **options: Any) -> forms.Form:
    """A form with a curve, bound to what a browser sends."""

    class CurveForm(forms.Form):
        curve = CurveField(**options)

    return CurveForm(QueryDict(data))


def thirds(data: Any, raw: Any) -> tuple[int, int, int]:
    """How many accounts of a distribution a curve would give few, some and many points."""
    spread, shape = Distribution.of(data), Shape.parse(raw)
    assert spread
    assert shape
    return spread.thirds(shape)


def rows(*pairs: tuple[str, str], shape: str = "line", more: str = "") -> str:
    sent = QueryDict(mutable=True)
    sent.setlist("curve_value", [value for value, _points in pairs])
    sent.setlist("curve_points", [points for _value, points in pairs])
    sent["curve_shape"] = shape
    return f"{sent.urlencode()}&{more}"


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("en", "1,250", 1250),
        ("en", "1,5", 1.5),
        ("en", "1.250", 1.25),
        ("en", "1,234,567.5", 1234567.5),
        ("bg", "1,250", 1.25),
        ("bg", "1.5", 1.5),
        ("ru", "12\u00a0000,5", 12000.5),
        ("bg", "1.234.567", 1234567),
        ("en", "−3", -3),
        ("en", ".5", 0.5),
        ("en", "", None),
        ("en", "ten", None),
        ("en", "1,2,3", None),
        ("en", "1e5", None),
        ("en", "nan", None),
        ("en", "٣", None),
    ],
)
def test_number_is_what_the_language_makes_of_it_when_typed(language: str, text: str, number: float | None) -> None:
    with translation.override(language):
        assert read_decimal(text) == number


@pytest.mark.parametrize("language", ["en", "bg", "ru", "zh-hans"])
@pytest.mark.parametrize("number", [0, 1250, 0.1, -3.25, 1e15, 0.000000001, 123456.789])
def test_number_survives_when_written_and_read(language: str, number: float) -> None:
    with translation.override(language):
        assert read_decimal(write_decimal(number)) == number


def test_rows_make_an_ascending_line_when_typed_in_any_order() -> None:
    sent = form(rows(("40", "100"), ("", ""), ("0", "0"), ("2,5", "12.5")))
    assert sent.is_valid()
    assert sent.cleaned_data["curve"] == [[0, 0], [2.5, 12.5], [40, 100]]


def test_rows_make_bands_when_that_shape_is_chosen() -> None:
    sent = form(rows(("3", "40"), ("1", "80"), shape="bands", more="curve_below=100"))
    assert sent.is_valid()
    assert sent.cleaned_data["curve"] == {"below": 100, "steps": [[1, 80], [3, 40]]}


def test_rows_make_points_by_choice_when_some_have_none() -> None:
    sent = form(rows(("high", "90"), ("low", "")), choices=CHOICES)
    assert sent.is_valid()
    assert sent.cleaned_data["curve"] == {"high": 90}


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (rows(("ten", "0"), ("1", "1")), {}, "“ten” is not a number; write one such as 12 or 12.5."),
        (rows(("1", "101"), ("2", "1")), {}, "Give points from 0 to 100."),
        (rows(("1", ""), ("2", "1")), {}, "Give points from 0 to 100."),
        (rows(("", "5"), ("2", "1")), {}, "Give a value, or remove the points too."),
        (rows(("2", "5"), ("2.0", "1")), {}, "2.0 is there twice; keep one of them."),
        (rows(("9999999999999999", "5"), ("2", "1")), {}, "Give a value between −10¹⁵ and 10¹⁵."),
        (rows(("1", "5"), shape="bands"), {}, "Give points from 0 to 100."),
        (rows(("gone", "5"), ("low", "1")), {"choices": CHOICES}, "This is no longer one of the values"),
    ],
)
def test_row_says_what_is_wrong_when_refused(data: str, options: Any, sentence: str) -> None:
    sent = form(data, **options)
    assert sent.errors["curve"] == ["Correct the rows that are marked."]
    shown = sent["curve"].as_widget()
    marked = re.findall(r'<p class="field-error" id="([^"]+)" data-curve-error>([^<]+)</p>', shown)
    assert [said.startswith(sentence) for _id, said in marked] == [True]
    assert re.search(rf'aria-invalid="true" aria-describedby="{marked[0][0]}"', shown)


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (rows(("1", "1")), {}, "Give two rows at least: a line runs from one to the next."),
        (rows(shape="bands", more="curve_below=1&curve_points="), {}, "Give one band at least."),
        (rows(("high", ""), ("low", "")), {"choices": CHOICES}, "Give points for one value at least."),
        (rows(*((str(value), "1") for value in range(51))), {}, "Give 50 rows at most."),
        ("", {}, "Give the curve that turns values into points."),
    ],
)
def test_curve_is_refused_when_rows_are_too_few_or_too_many(data: str, options: Any, sentence: str) -> None:
    assert form(data, **options).errors["curve"] == [sentence]


def test_nothing_is_a_curve_of_none_when_not_required() -> None:
    sent = form(rows(("", "")), required=False)
    assert sent.is_valid()
    assert sent.cleaned_data["curve"] is None


@pytest.mark.parametrize(
    ("button", "values"), [("add", ["1", "2", "", "", ""]), ("drop-0", ["2"]), ("drop-9", ["1", "2"])]
)
def test_rows_change_and_nothing_is_saved_when_their_button_is_pressed(button: str, values: list[str]) -> None:
    sent = form(rows(("1", "1"), ("2", "2"), more=f"curve_rows={button}"))
    assert sent.errors["curve"] == ["The rows have changed; nothing has been saved yet."]
    table = sent["curve"].as_widget().split("<template")[0]
    assert re.findall(r'name="curve_value" value="([^"]*)"', table) == values


def test_field_has_not_changed_when_the_same_is_typed() -> None:
    field = CurveField()
    typed = field.widget.value_from_datadict(QueryDict(rows(("1", "1"), ("2,50", "2"))), {}, "curve")
    assert not field.has_changed([[1, 1], [2.5, 2]], typed)
    assert field.has_changed([[1, 1], [2.5, 3]], typed)


def test_numbers_stand_in_the_language_when_edited() -> None:
    with translation.override("bg"):
        shown = CurveField().widget.render("curve", [[0.5, 0], [1250, 62.5]])
    assert re.findall(r'name="curve_(?:value|points)" value="([^"]+)"', shown) == ["0,5", "0", "1250", "62,5"]


@pytest.mark.parametrize(
    ("raw", "shares"),
    [
        ([[0, 0], [100, 100]], (40, 30, 30)),
        ([[0, 100], [100, 0]], (40, 30, 30)),
        ([[25, 40], [50, 70]], (0, 50, 50)),
        ({"below": 10, "steps": [[10, 69.9], [35, 70]]}, (10, 25, 65)),
        ([[0, 40], [100, 40]], (0, 100, 0)),
    ],
)
def test_accounts_are_counted_by_the_points_they_would_get(raw: Any, shares: tuple[int, int, int]) -> None:
    assert thirds(EVEN, raw) == shares


def test_every_account_is_counted_once_when_bins_are_cut() -> None:
    bins = [{"from": 0, "to": 3, "count": 1}, {"from": 3, "to": 9, "count": 2}]
    assert sum(thirds({"bins": bins}, [[0, 0], [9, 100]])) == 3


def test_value_counts_for_itself_when_its_bin_has_no_width() -> None:
    bins = [{"from": value, "to": value, "count": 1} for value in range(11)]
    assert thirds({"bins": bins}, [[0, 100], [10, 0]]) == (4, 3, 4)


def test_tail_does_not_squash_the_picture_when_long() -> None:
    spread = Distribution.of({"bins": [*EVEN["bins"], {"from": 100, "to": 1e6, "count": 1}]})  # type: ignore[misc]
    assert spread
    low, high = spread.visible()
    assert (low, high <= 110) == (0, True)
    assert spread.beyond(low, high) == (0, 1)
    assert spread.visible([400.0])[1] > 400


def test_bar_is_cut_when_far_above_the_others() -> None:
    spread = Distribution.of({"bins": [{"from": 0, "to": 1, "count": 900}, {"from": 1, "to": 2, "count": 100}]})
    assert spread
    tall, other = spread.bars(0, 2)
    assert (tall.is_cut, tall.height, other.is_cut, other.height) == (True, 100, False, 40)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([[0, 0], [20, 62.5]], "0\u00a0uses → 0 · 20\u00a0uses → 62.5"),
        ({"below": 5, "steps": [[2, 100]]}, "below → 5 · from 2\u00a0uses → 100"),
        ({"true": 100, "false": 0}, "yes → 100 · no → 0"),
        ("steep", ""),
        ([["a", 1]], ""),
        ([[1]], ""),
        ({"below": 1, "steps": [None]}, ""),
        (None, ""),
    ],
)
def test_curve_reads_well_when_in_words(raw: Any, words: str) -> None:
    assert curve_words(raw, "uses") == words
    assert bool(curve(raw)) == bool(words)


def test_small_drawing_names_choices_and_the_account_when_it_is_there() -> None:
    shown = curve({"high": 90, "low": 20}, at="low", labels=dict(CHOICES))
    assert 'aria-label="High touch → 90 · Low touch → 20; this account: Low touch"' in shown
    assert shown.count("plot-choice-other") == 1


def test_histogram_says_its_numbers_when_asked() -> None:
    numbers = histogram_table(
        {**EVEN, "bins": [{"from": 0, "to": 0, "count": 3}, {"from": 1, "to": 5, "count": 1}]}, "uses"
    )
    assert numbers["rows"] == [
        ["0\u00a0uses", "3", "75.0\u00a0%"],
        ["1 to below 5\u00a0uses", "1", "25.0\u00a0%"],
        ["No value", "7", ""],
    ]


@pytest.mark.parametrize(
    "data", [None, {}, {"bins": []}, {"bins": [], "missing": 4}, {"bins": [{"from": 3, "to": 3, "count": 2}]}]
)
def test_everything_is_drawn_when_little_is_known(data: Any) -> None:
    page = Template(
        '{% include "components/curve_plot.html" with id="p" curve=curve distribution=data title="T" only %}'
        '{% include "components/histogram.html" with id="h" data=data title="T" only %}'
    )
    for raw in (None, [[3, 50]], [[0, 0], [1, 100]], {"below": 3, "steps": []}):
        shown = page.render(Context({"curve": raw, "data": data}))
        assert "nan" not in shown
        assert "inf" not in shown
        assert CurveField(distribution=data).widget.render("curve", raw)
