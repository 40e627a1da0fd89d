"""The data of charts (see `components/chart.html` for its shape), and the days that they run over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

T = TypeVar("T")


def short_day(day: date) -> str:
    """A day without its year, such as ``3 Nov``."""
    return formats.date_format(day, pgettext("a day in Django's date format", "j M"))


def short_month(day: date) -> str:
    """A month with its year, such as ``Nov 2026``."""
    return formats.date_format(day, pgettext("a month in Django's date format", "M Y"))


def days_until(last: date, count: int) -> list[date]:
    """The ``count`` days that end on ``last``."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def months_until(last: date, count: int) -> list[date]:
    """The first days of the ``count`` months that end with the month of ``last``."""
    months = []
    year, month = last.year, last.month
    for _turn in range(count):
        months.append(date(year, month, 1))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return months[::-1]


def carried(known: Mapping[date, T | None], days: Iterable[date]) -> list[T | None]:
    """The latest value known on each of the days, which begin with one that is known."""
    value: T | None = None
    values = []
    for day in days:
        value = known.get(day, value)
        values.append(value)
    return values


def line_chart(
    labels: Sequence[str],
    series: Iterable[tuple[str, Sequence[Any]]],
    *,
    axis: str = "",
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    kind: str = "line",
) -> dict[str, Any]:
    """The data of a plot of one or more named series over the labels."""
    chart: dict[str, Any] = {
        "type": kind,
        "labels": list(labels),
        "axis": axis or _("Day"),
        "unit": unit,
        "series": [
            {"label": label, "data": [None if value is None else round(float(value), 1) for value in values]}
            for label, values in series
        ],
    }
    if low is not None:
        chart["min"] = low
    if high is not None:
        chart["max"] = high
    return chart
