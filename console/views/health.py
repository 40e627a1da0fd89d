"""Health: how the base is, who moved and why, and what the scores are computed from."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.attributes import Catalogue
from common import clock
from console.queries.health import last_sweep, movers, shown_measures, weighed
from console.queries.health_course import migration, trend
from console.queries.health_overview import BY, by_group, glance, histogram
from console.queries.paging import linked
from console.staff import StaffRequest, staff_page
from health.models import NamedScore, Version
from health.queries import load_definitions


@staff_page
@require_GET
def health(request: StaffRequest) -> HttpResponse:
    """The overview of one named score. ``by`` chooses what the bands are told by, ``profile`` whose measures are
    shown; HTMX gets just the part that it asks for."""
    now = clock.now()
    version = Version.objects.in_force(now)
    scores = NamedScore.every()
    named = next((one for one in scores if one.key == request.GET.get("score")), scores[0])
    context: dict[str, Any] = {"named": named, "version": version}
    target = request.htmx.target if request.htmx else ""
    if target != "health-profile":
        context |= _groups(request, named, version)
    if target == "health-groups":
        return render(request, "console/_health_groups.html", context)
    catalogue = Catalogue()
    measures = shown_measures(version, catalogue=catalogue)
    context |= _profile(request, named, version, measures)
    if target == "health-profile":
        return render(request, "console/_health_profile.html", context)
    published = Version.objects.published().filter(effective_at__gt=now)
    context |= {
        "scores": [_tab(request, "score", one.key, one.label, one == named) for one in scores],
        "glance": glance(request.user, named),
        "histogram": histogram(request.user, named),
        "migration": migration(request.user, named, now=now),
        "movers": movers(request.user, named, now=now),
        "trend": trend(request.user, named, now=now),
        "measures": measures,
        "problems": load_definitions(version, catalogue=catalogue).problems,
        "scheduled": published.last(),
        "has_draft": Version.objects.draft().exists(),
        "computed_at": last_sweep(),
    }
    return render(request, "console/health.html", context)


def _groups(request: StaffRequest, named: NamedScore, version: Version | None) -> dict[str, Any]:
    asked = request.GET.get("by", "")
    by = asked if asked in BY else BY[0]
    labels = {"segment": _("By segment"), "csm": _("By CSM"), "stage": _("By stage")}
    return {
        "rows": by_group(request.user, named, by, version=version),
        "by_label": labels[by],
        "groups": [_tab(request, "by", key, label, key == by) for key, label in labels.items()],
    }


def _profile(request: StaffRequest, named: NamedScore, version: Version | None, measures: Any) -> dict[str, Any]:
    profiles = list(version.profiles.filter(named=named).select_related("segment")) if version else []
    profiles.sort(key=lambda one: one.segment.priority)
    asked = request.GET.get("profile", "")
    chosen = next((one for one in profiles if str(one.pk) == asked), profiles[0] if profiles else None)
    return {
        "profile": chosen,
        "weighed": weighed(chosen, measures) if chosen else [],
        "tabs": [_tab(request, "profile", str(one.pk), one.name, one == chosen) for one in profiles],
    }


def _tab(request: StaffRequest, name: str, value: str, label: str, is_current: bool) -> dict[str, Any]:
    """A tab that changes one part of the address; another score has other profiles."""
    changes: dict[str, str | None] = {name: value}
    if name == "score":
        changes["profile"] = None
    return {"id": f"{name}-{value}", "url": linked(request.GET, changes), "label": label, "is_current": is_current}
