"""Segments: whom each holds, in words and in numbers, and what depends on it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Segment
from common import clock
from console.queries.segments import condition_of, overview, sample, uses_of
from console.staff import StaffRequest, staff_page


@staff_page
@require_GET
def segments(request: StaffRequest) -> HttpResponse:
    """The list, in the order in which segments decide."""
    return render(request, "console/segments.html", {"overview": overview(request.user, now=clock.now())})


@staff_page
@require_GET
def segment(request: StaffRequest, key: str) -> HttpResponse:
    """One segment: its condition, some of its accounts, and who uses it."""
    shown = get_object_or_404(Segment, key=key)
    now = clock.now()
    every = overview(request.user, now=now)
    query = urlencode({"condition": json.dumps(condition_of(shown), separators=(",", ":"))})
    context = {
        "segment": shown,
        "row": next(row for row in every.rows if row.segment == shown),
        "rows": [
            {
                "account": row.account,
                "mrr": row.facts["mrr"].value,
                "score": row.facts["health"].value,
                "band": row.facts["health.band"].value,
                "stale": row.facts["health.stale"].value,
                "inputs": row.facts["health.inputs"].value,
                "renewal_on": row.facts["renewal_on"].value,
            }
            for row in sample(shown, request.user, now=now)
        ],
        "uses": uses_of(shown, now=now),
        "accounts_url": f"{reverse('console:accounts')}?{query}",
        "crumbs": [{"label": _("Segments"), "url": reverse("console:segments")}, {"label": shown.name}],
    }
    return render(request, "console/segment.html", context)
