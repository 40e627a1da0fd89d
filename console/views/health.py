"""Health: how the base is, who moved, and what the scores are computed from."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from common import clock
from console.queries.health import distribution, last_sweep, movers, problems, shown_measures, weighed
from console.staff import StaffRequest, staff_page
from health.models import Version


@staff_page
@require_GET
def health(request: StaffRequest) -> HttpResponse:
    """The overview; ``profile`` chooses whose measures are shown, and HTMX gets just those."""
    now = clock.now()
    version = Version.objects.in_force(now)
    figures = distribution(request.user, version=version)
    profiles = [row.profile for row in figures.profiles]
    asked = request.GET.get("profile", "")
    chosen = next((one for one in profiles if str(one.pk) == asked), profiles[0] if profiles else None)
    measures = shown_measures(version)
    context: dict[str, Any] = {
        "profile": chosen,
        "weighed": weighed(chosen, measures) if chosen else [],
        "tabs": [{"url": f"?profile={one.pk}", "label": one.name, "is_current": one == chosen} for one in profiles],
    }
    if request.htmx and request.htmx.target == "health-profile":
        return render(request, "console/_health_profile.html", context)
    context |= {
        "figures": figures,
        "movers": movers(request.user, now=now),
        "measures": measures,
        "problems": problems(version),
        "computed_at": last_sweep(),
    }
    return render(request, "console/health.html", context)
