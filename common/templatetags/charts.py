"""What a chart draws, written out as a table."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from django import template
from django.utils.translation import gettext as _

from common.templatetags.amounts import number

register = template.Library()


@register.simple_tag
def chart_table(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns and rows of a chart's data (see `components/chart.html` for its shape)."""
    series = data["series"]
    places = 0 if all(value is None or value == int(value) for line in series for value in line["data"]) else 1
    happened: dict[int, list[str]] = {}
    for mark in data.get("marks", []):
        happened.setdefault(ceil(mark["at"]), []).append(str(mark["label"]))
    return {
        "columns": [
            {"label": data.get("axis") or _("When")},
            *({"label": line["label"], "number": True} for line in series),
        ],
        "rows": [
            [
                " · ".join([str(label), *happened.get(index, [])]),
                *(number(line["data"][index], places) for line in series),
            ]
            for index, label in enumerate(data["labels"])
        ],
    }
