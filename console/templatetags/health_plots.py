"""The history of a score, drawn."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from console.plots.health import Plot

register = template.Library()


@register.simple_tag
def health_plot(plot: Plot, html_id: str) -> SafeString:
    """Return the drawing of a score's history for a figure with this id."""
    return plot.drawing(html_id)
