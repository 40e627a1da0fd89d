"""The history of a score as a drawing made on the server: bands behind it, and marks where something happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.curves.drawing import anchor
from common.templatetags.amounts import number
from console.plots import short_day
from health.queries import DayOfHealth

TOP = 100
DATES = 4
LABEL_ROOM = 5
"""Marks closer together than this, in percent of the width, share one label."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to the score on a day: a sign for the drawing, and words."""

    day: date
    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: at least two days, where the bands begin, and the marks in their order."""

    days: Sequence[DayOfHealth]
    good_from: int
    watch_from: int
    marks: Sequence[Mark]
    title: str

    @property
    def has_overrides(self) -> bool:
        return any(day.is_overridden for day in self.days)

    @property
    def table(self) -> dict[str, Any]:
        """The columns and rows that say what the drawing shows."""
        happened: dict[date, list[str]] = {}
        for mark in self.marks:
            happened.setdefault(mark.day, []).append(mark.words)
        columns = [{"label": _("Day")}, {"label": _("Score"), "number": True}]
        if self.has_overrides:
            columns.append({"label": _("Computed"), "number": True})
        return {
            "columns": columns,
            "rows": [
                [
                    " · ".join([short_day(day.day), *happened.get(day.day, [])]),
                    number(day.score, 1),
                    *([number(day.computed_score, 1)] if self.has_overrides else []),
                ]
                for day in reversed(self.days)
            ],
        }

    def drawing(self, html_id: str) -> SafeString:
        """The drawing itself; places are percentages of its box."""
        return format_html(
            '<svg class="plot" role="img" aria-labelledby="{0}-title"><title id="{0}-title">{1}</title>{2}{3}{4}{5}'
            "</svg>",
            html_id,
            self.title,
            self._bands(),
            self._marks(),
            self._lines(),
            self._dates(),
        )

    def _x(self, day: date) -> float:
        first, last = self.days[0].day, self.days[-1].day
        return (day - first).days / max((last - first).days, 1) * 100

    def _bands(self) -> SafeString:
        edges = (0, self.watch_from, self.good_from, TOP)
        zones = format_html_join(
            "",
            '<rect class="plot-zone-{}" x="0" width="100%" y="{}%" height="{}%"></rect>',
            (
                (band, TOP - high, high - low)
                for band, (low, high) in zip(("poor", "watch", "good"), pairwise(edges), strict=True)
            ),
        )
        return zones + format_html_join(
            "",
            '<line class="plot-level" x1="0" x2="100%" y1="{}%" y2="{}%"></line>'
            '<text class="plot-label" x="-6" y="{}%" dy="0.32em" text-anchor="end">{}</text>',
            ((TOP - edge, TOP - edge, TOP - edge, edge) for edge in edges),
        )

    def _lines(self) -> SafeString:
        drawn = [("plot-score", line) for line in self._pieces((day.day, day.score) for day in self.days)]
        if self.has_overrides:
            beneath = ((day.day, day.computed_score if day.is_overridden else None) for day in self.days)
            drawn = [*(("plot-beneath", line) for line in self._pieces(beneath)), *drawn]
        last = self.days[-1]
        end = (
            format_html('<circle class="plot-ring" cx="100%" cy="{}%" r="3.5"></circle>', f"{TOP - last.score:.2f}")
            if last.score is not None
            else ""
        )
        return format_html(
            '<svg class="plot-curve" viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">{}'
            "</svg>{}",
            format_html_join("", '<polyline class="{}" points="{}"></polyline>', drawn),
            end,
        )

    def _pieces(self, values: Iterable[tuple[date, float | None]]) -> list[str]:
        """Lines through values that are known; one day alone is a short line, so that it shows."""
        pieces: list[list[tuple[float, float]]] = [[]]
        for day, value in values:
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append((self._x(day), TOP - value))
        return [
            " ".join(
                f"{x:.2f},{y:.2f}" for x, y in (piece if len(piece) > 1 else [*piece, (piece[0][0] + 0.4, piece[0][1])])
            )
            for piece in pieces
            if piece
        ]

    def _marks(self) -> SafeString:
        lines = []
        labelled = -float(TOP)
        for mark in self.marks:
            x = self._x(mark.day)
            fits = x - labelled >= LABEL_ROOM
            labelled = x if fits else labelled
            lines.append((f"{x:.2f}", f"{x:.2f}", f"{x:.2f}", anchor(x), mark.sign if fits else ""))
        return format_html_join(
            "",
            '<line class="plot-mark" x1="{}%" x2="{}%" y1="0" y2="100%"></line>'
            '<text class="plot-here" x="{}%" y="-6" text-anchor="{}">{}</text>',
            lines,
        )

    def _dates(self) -> SafeString:
        step = max((len(self.days) - 1) // (DATES - 1), 1)
        shown = [self.days[place].day for place in range(0, len(self.days), step)]
        return format_html_join(
            "",
            '<text class="plot-label" x="{}%" y="100%" dy="1.9em" text-anchor="{}">{}</text>',
            ((f"{self._x(day):.2f}", anchor(self._x(day)), short_day(day)) for day in shown),
        )
