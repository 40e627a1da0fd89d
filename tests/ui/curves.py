"""A page with editors of curves of every kind, and everything that only shows curves and distributions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.utils import translation

from common.curves.fields import CurveField
from tests.ui.samples import frame

PAGE = Path(__file__).parent / "pages" / "curves.html"

ACTIONS: dict[str, Any] = {
    "bins": [
        {"from": low, "to": low + 10, "count": count}
        for low, count in zip(
            range(0, 240, 10),
            (610, 96, 104, 118, 131, 140, 137, 122, 103, 88, 71, 60, 44, 39, 30, 24, 18, 15, 11, 8, 6, 5, 3, 2),
            strict=True,
        )
    ]
    + [{"from": 240, "to": 9400, "count": 15}],
    "missing": 212,
    "quantiles": {"p5": 0, "p25": 4, "p50": 38, "p75": 71, "p95": 142},
    "min": 0,
    "max": 9400,
}
TICKETS: dict[str, Any] = {
    "bins": [
        {"from": open_now, "to": open_now, "count": count}
        for open_now, count in enumerate((420, 260, 150, 81, 40, 22, 12, 8, 4, 2, 1))
    ],
    "missing": 0,
    "quantiles": {"p5": 0, "p25": 0, "p50": 1, "p75": 2, "p95": 5},
    "min": 0,
    "max": 10,
}
SCORES: dict[str, Any] = {
    "bins": [
        {"from": low, "to": low + 5, "count": count, "tone": "poor" if low < 40 else "watch" if low < 70 else "good"}
        for low, count in zip(
            range(0, 100, 5),
            (2, 4, 9, 14, 20, 24, 31, 40, 52, 66, 81, 97, 120, 141, 160, 171, 150, 110, 64, 22),
            strict=True,
        )
    ],
    "missing": 9,
    "quantiles": {"p5": 26, "p25": 51, "p50": 66, "p75": 78, "p95": 91},
    "min": 1,
    "max": 99,
}
TOUCH: dict[str, Any] = {"counts": {"high": 120, "low": 640, "tech": 1400}, "missing": 40}
MODELS = [("high", "High touch"), ("low", "Low touch"), ("tech", "Tech touch")]
LINE = [[0, 0], [20, 60], [80, 90], [160, 100]]
BANDS = {"below": 100, "steps": [[1, 80], [3, 40], [6, 0]]}
CHOICES = {"high": 90, "low": 62.5, "gone": 10}


class CurveForm(forms.Form):
    """A line, bands and choices."""

    use = CurveField(label="Actions in 28 days", unit="actions", distribution=ACTIONS)
    tickets = CurveField(label="Open tickets", unit="tickets", distribution=TICKETS)
    model = CurveField(label="Touch model", choices=MODELS, distribution=TOUCH)
    bare = CurveField(label="Seats in use", unit="%")


def curves(request: HttpRequest) -> HttpResponse:
    """Show the page, or what was sent and what is wrong with it; ``?lang=bg`` and ``?dir=rtl`` change the page's."""
    initial = {"use": LINE, "tickets": BANDS, "model": CHOICES, "bare": [[0, 0], [62.5, 100]]}
    with translation.override(request.GET.get("lang", "en")):
        form = CurveForm(request.POST or None, initial=initial)
        is_valid = form.is_bound and form.is_valid()
        template = engines["django"].from_string(PAGE.read_text())
        context = {
            **frame(),
            "form": form,
            "saved": json.dumps(form.cleaned_data) if is_valid else "",
            "line": LINE,
            "bands": BANDS,
            "choices": CHOICES,
            "labels": dict(MODELS),
            "actions": ACTIONS,
            "tickets": TICKETS,
            "touch": TOUCH,
            "scores": SCORES,
        }
        page = template.render(context, request)
    if request.GET.get("dir") == "rtl":
        page = page.replace('dir="ltr"', 'dir="rtl"', 1)
    return HttpResponse(page, status=422 if form.is_bound and not is_valid else 200)
