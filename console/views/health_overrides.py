"""The scores that are set by hand now, over all accounts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from common import clock
from console.queries.health_overrides import live_overrides
from console.staff import StaffRequest, staff_page


@staff_page
@require_GET
def health_overrides(request: StaffRequest) -> HttpResponse:
    """The list, the one that expires first on top, narrowed by who set it, whose account it is, and which score."""
    found = live_overrides(request.user, request.GET, now=clock.now())
    crumbs = [{"label": _("Health"), "url": reverse("console:health")}, {"label": _("Set by hand")}]
    return render(request, "console/health_overrides.html", {"found": found, "crumbs": crumbs})
