"""Messages to contacts and to other systems: what the contact budget held back, and what was given up."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import clock
from common.errors import DomainError
from console.forms.fields import put_errors
from console.forms.messages import BudgetForm
from console.queries.messages import given_up, held_back, tabs, withdrawn
from console.queries.setting_changes import changes_of
from console.staff import StaffRequest, admin_page, staff_page
from outbox.models import ContactBudget, Message
from outbox.services import send_again, send_every_again, set_budget
from outbox.services.budget import SETTING

NOT_VALID = 422


@staff_page
@require_GET
def held(request: StaffRequest) -> HttpResponse:
    """What the contact budget held back, and why."""
    context = {
        "found": held_back(request.user, request.GET),
        "budget": ContactBudget.current(),
        "tabs": tabs(request.user, "messages"),
    }
    return render(request, "console/messages/held_back.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def budget(request: StaffRequest) -> HttpResponse:
    """Set how often a contact may be written to."""
    current = ContactBudget.current()
    form = BudgetForm(request.POST or None, initial={"most": current.most, "days": current.days})
    if request.method == "POST" and form.is_valid():
        try:
            set_budget(by=request.user, now=clock.now(), **form.cleaned_data)
        except DomainError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("The contact budget is kept; what waits is looked at again."))
            return redirect("console:messages")
    crumbs = [{"label": _("Messages"), "url": reverse("console:messages")}, {"label": _("Contact budget")}]
    context = {"form": form, "crumbs": crumbs, "changes": changes_of(SETTING, _budget_words)}
    status = NOT_VALID if form.errors else 200
    return render(request, "console/messages/budget.html", context, status=status)


def _budget_words(kept: Mapping[str, int | None]) -> str:
    if kept["most"] is None:
        return _("no limit")
    words = ngettext("%(most)s message in any %(days)s days", "%(most)s messages in any %(days)s days", kept["most"])
    return words % kept


@admin_page
@require_GET
def stuck(request: StaffRequest) -> HttpResponse:
    """The messages that were given up, with what went wrong."""
    context = {"found": given_up(request.GET), "tabs": tabs(request.user, "messages_given_up")}
    return render(request, "console/messages/given_up.html", context)


@admin_page
@require_GET
def not_sent(request: StaffRequest) -> HttpResponse:
    """The messages that were withdrawn before they were sent, with why."""
    context = {"found": withdrawn(request.GET), "tabs": tabs(request.user, "messages_withdrawn")}
    return render(request, "console/messages/withdrawn.html", context)


@admin_page
@require_POST
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a message that was given up go on its way again."""
    message = send_again(message=get_object_or_404(Message, pk=pk), now=clock.now())
    messages.success(request, _("On its way again: %(recipient)s") % {"recipient": message.recipient})
    return redirect("console:messages_given_up")


@admin_page
@require_POST
def every_again(request: StaffRequest) -> HttpResponse:
    """Let all messages that were given up go on their way again, or those of one channel."""
    asked = request.POST.get("channel", "")
    channel = Message.Channel(asked) if asked in Message.Channel.values else None
    count = send_every_again(channel=channel, now=clock.now())
    words = ngettext("%(count)s message is on its way again.", "%(count)s messages are on their way again.", count)
    messages.success(request, words % {"count": count})
    return redirect("console:messages_given_up")
