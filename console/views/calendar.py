"""Tasks in one's own calendar: a private address without a sign-in, and the page that gives it out."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from common import clock
from console.queries.calendar import calendar_of
from console.staff import StaffRequest, staff_page
from playbooks.models import CalendarFeed
from playbooks.services.feeds import close_feed, open_feed, read_feed


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The calendar of whoever has this token."""
    now = clock.now()
    user = read_feed(token=token, now=now)
    if user is None:
        raise Http404
    with translation.override(user.language):
        text = calendar_of(
            user,
            now=now,
            url_of=lambda pk: request.build_absolute_uri(reverse("console:queue_task", args=[pk])),
            host=request.get_host(),
        )
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="tasks.ics"',
    }
    for name, value in headers.items():
        response[name] = value
    answer = get_conditional_response(request, etag=etag, response=response)
    return answer if answer is not None else response


@staff_page
@require_GET
def calendar(request: StaffRequest) -> HttpResponse:
    """Whether one's calendar may read one's tasks, and since when."""
    return render(request, "console/calendar.html", {"feed": CalendarFeed.objects.filter(user=request.user).first()})


@staff_page
@require_POST
def calendar_open(request: StaffRequest) -> HttpResponse:
    """Make the address, or another one in its place; it is shown this once."""
    token = open_feed(user=request.user, now=clock.now())
    address = request.build_absolute_uri(reverse("console:calendar_feed", args=[token]))
    context = {"feed": CalendarFeed.objects.get(user=request.user), "address": address}
    return render(request, "console/calendar.html", context)


@staff_page
@require_POST
def calendar_close(request: StaffRequest) -> HttpResponse:
    """Let the address work no more."""
    close_feed(user=request.user)
    messages.success(request, _("The address does not work any more."))
    return redirect("console:calendar")
