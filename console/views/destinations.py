"""The Slack channels and webhooks that messages may go to."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Workspace
from common import clock
from common.errors import DomainError
from console.forms.fields import put_errors
from console.forms.messages import DestinationForm
from console.queries.messages import destination_rows, tabs
from console.staff import StaffRequest, admin_page
from outbox.models import Destination
from outbox.services import (
    add_destination,
    change_destination,
    rotate_secret,
    switch_destination,
    try_destination,
)

NOT_VALID = 422


@admin_page
@require_GET
def destinations(request: StaffRequest) -> HttpResponse:
    """All of them, with what waits for each."""
    context = {
        "rows": destination_rows(now=clock.now()),
        "tabs": tabs(request.user, "messages_destinations"),
    }
    return render(request, "console/messages/destinations.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def destination_new(request: StaffRequest, kind: str) -> HttpResponse:
    """Add a Slack channel or a webhook."""
    if kind not in Destination.Kind.values:
        raise Http404
    chosen = Destination.Kind(kind)
    form = DestinationForm(request.POST or None, kind=chosen, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            made = add_destination(kind=chosen, **form.cleaned_data)
        except DomainError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("“%(name)s” is there; send it a test.") % {"name": made.name})
            return redirect("console:messages_destination", key=made.key)
    title = _("New Slack channel") if chosen == Destination.Kind.SLACK else _("New webhook")
    return _show(request, form, {"title": title, "url": reverse("console:messages_destination_new", args=[kind])})


@admin_page
@require_http_methods(["GET", "POST"])
def destination(request: StaffRequest, key: str) -> HttpResponse:
    """One destination: its name and address, its secret, and how it does."""
    shown = get_object_or_404(Destination, key=key)
    kind = Destination.Kind(shown.kind)
    name = shown.name
    form = DestinationForm(request.POST or None, initial={"name": name}, kind=kind, is_new=False)
    if request.method == "POST" and form.is_valid():
        try:
            change_destination(destination=shown, **form.cleaned_data)
        except DomainError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("“%(name)s” is kept.") % {"name": shown.name})
            return redirect("console:messages_destination", key=key)
    now = clock.now()
    row = next(row for row in destination_rows(now=now) if row.destination == shown)
    context: dict[str, Any] = {
        "title": name,
        "row": row,
        "destination": row.destination,
        "url": reverse("console:messages_destination", args=[key]),
    }
    if kind == Destination.Kind.WEBHOOK:
        context |= _secrets(shown)
    return _show(request, form, context)


def _secrets(shown: Destination) -> dict[str, Any]:
    now = clock.now()
    try:
        secrets = shown.signing_secrets(now)
    except DomainError as error:
        return {"problem": error.message}
    return {"secret": secrets[0], "previous_until": shown.previous_until if len(secrets) > 1 else None}


def _show(request: StaffRequest, form: DestinationForm, context: dict[str, Any]) -> HttpResponse:
    crumbs = [
        {"label": _("Messages"), "url": reverse("console:messages")},
        {"label": _("Slack and webhooks"), "url": reverse("console:messages_destinations")},
        {"label": context["title"]},
    ]
    status = NOT_VALID if form.errors else 200
    return render(
        request, "console/messages/destination.html", {"form": form, "crumbs": crumbs, **context}, status=status
    )


@admin_page
@require_POST
def destination_test(request: StaffRequest, key: str) -> HttpResponse:
    """Send a test at once, and say what came back."""
    tested = try_destination(
        destination=get_object_or_404(Destination, key=key), company=Workspace.current().name, now=clock.now()
    )
    if tested.taken:
        messages.success(request, _("It took the test, and answered %(status)s.") % {"status": tested.said})
    else:
        messages.error(request, _("It did not take the test: %(reason)s") % {"reason": tested.said})
    return redirect("console:messages_destination", key=key)


@admin_page
@require_POST
def destination_rotate(request: StaffRequest, key: str) -> HttpResponse:
    """Give a webhook a new signing secret."""
    rotate_secret(destination=get_object_or_404(Destination, key=key), now=clock.now())
    messages.success(request, _("There is a new secret. The one before signs beside it for a day."))
    return redirect("console:messages_destination", key=key)


@admin_page
@require_POST
def destination_switch(request: StaffRequest, key: str) -> HttpResponse:
    """Switch a destination on or off."""
    shown = get_object_or_404(Destination, key=key)
    is_on = request.POST.get("on") == "1"
    switch_destination(destination=shown, is_on=is_on)
    words = _("“%(name)s” is on.") if is_on else _("“%(name)s” is off; what waited for it is given up.")
    messages.success(request, words % {"name": shown.name})
    return redirect("console:messages_destination", key=key)
