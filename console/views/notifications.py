"""What somebody is told: the list, opening one, marking all as read, and how they want to be told."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import clock
from common.templatetags.amounts import number
from console.forms.notifications import PreferencesForm
from console.queries.paging import linked, page_of
from console.staff import StaffRequest, staff_page
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.services import mark_all_read, mark_read, set_preferences, unread_again

NOT_VALID = 422


@staff_page
@require_GET
def notifications(request: StaffRequest) -> HttpResponse:
    """One's own, newest first, grouped by day; ``unread`` leaves out what was read."""
    own = Notification.objects.filter(user=request.user, kind__in=KINDS)
    unread = own.filter(read_at=None)
    only_unread = request.GET.get("show") == "unread"
    page = page_of((unread if only_unread else own).select_related("account"), by="created_at", query=request.GET)
    count = unread.count()
    context = {
        "days": [(day, list(some)) for day, some in groupby(page.rows, _local_day)],
        "unread_count": count,
        "only_unread": only_unread,
        "newer_url": page.newer,
        "older_url": page.older,
        "tabs": [
            {
                "url": linked(request.GET, {"after": None, "before": None, "show": show or None}),
                "label": label,
                "count": shown,
                "is_current": (show == "unread") == only_unread,
            }
            for show, label, shown in (("", _("All"), None), ("unread", _("Unread"), number(count)))
        ],
    }
    return render(request, "console/notifications/list.html", context)


def _local_day(one: Notification) -> date:
    return timezone.localtime(one.created_at).date()


@staff_page
@require_GET
def notification(request: StaffRequest, pk: int) -> HttpResponse:
    """Go to what one of them is about; it is read then."""
    opened = get_object_or_404(Notification.objects.select_related("account"), user=request.user, pk=pk)
    mark_read(user=request.user, ids=[opened.pk], now=clock.now())
    return redirect(opened.page)


@staff_page
@require_POST
def notifications_read(request: StaffRequest) -> HttpResponse:
    """Mark all of them as read, which can be taken back."""
    now = clock.now()
    count = mark_all_read(user=request.user, now=now)
    words = ngettext("%(count)s marked as read", "%(count)s marked as read", count) % {"count": number(count)}
    undo = f"{reverse('console:notifications_unread')}?at={now.isoformat().replace('+', '%2B')}"
    return _answer(request, words, undo if count else "")


@staff_page
@require_POST
def notifications_unread(request: StaffRequest) -> HttpResponse:
    """Take back that all were marked as read."""
    read_at = parse_datetime(request.GET.get("at", ""))
    count = unread_again(user=request.user, read_at=read_at) if read_at is not None and read_at.tzinfo else 0
    words = ngettext("%(count)s unread again", "%(count)s unread again", count) % {"count": number(count)}
    return _answer(request, words, "")


def _answer(request: StaffRequest, words: str, undo: str) -> HttpResponse:
    if not request.htmx:
        messages.success(request, words)
        return redirect("console:notifications")
    toast = {"text": words, "level": "success", "undo_url": undo}
    response = HttpResponse(render_to_string("console/_toast.html", toast, request=request))
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = "notifications-changed"
    return response


@staff_page
@require_http_methods(["GET", "POST"])
def notification_preferences(request: StaffRequest) -> HttpResponse:
    """How one wants to be told of each kind."""
    form = PreferencesForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        set_preferences(user=request.user, channels=form.channels)
        messages.success(request, _("You are told so from now on."))
        return redirect("console:notifications")
    crumbs = [{"label": _("Notifications"), "url": reverse("console:notifications")}, {"label": _("Choose")}]
    status = NOT_VALID if form.errors else 200
    return render(request, "console/notifications/preferences.html", {"form": form, "crumbs": crumbs}, status=status)
