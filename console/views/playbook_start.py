"""Starting a playbook by hand: for one account, for some of the list, or for all that a filter shows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.attributes import Catalogue
from accounts.models import Account
from common import clock
from common.errors import DomainError, NotFound
from console.forms.playbooks import StartForm
from console.queries.accounts import read_wanted, wanted_ids
from console.staff import StaffRequest, editor_page
from console.views.account import find_account
from console.views.account_actions import ask_for, say_done
from playbooks.models import Playbook, Run
from playbooks.services import start_by_hand, stop_run, take_out
from playbooks.services.by_hand import MOST_BY_HAND, ByHand

NOT_VALID = 422


@editor_page
@require_http_methods(["GET", "POST"])
def account_playbook(request: StaffRequest, pk: int) -> HttpResponse:
    """Start a playbook for one account."""
    account = find_account(request, pk)
    form = StartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        playbook = form.cleaned_data["playbook"]
        try:
            done = start_by_hand(playbook=playbook, account_ids=[account.pk], by=request.user, now=clock.now())
        except DomainError as error:
            form.add_error("playbook", error.message)
        else:
            if done.runs:
                undo = reverse("console:account_playbook_undo", args=[account.pk, done.runs[0].pk])
                words = {"account": account.name, "playbook": playbook.name}
                return say_done(request, account, _("%(account)s entered “%(playbook)s”") % words, undo=undo)
            [held] = done.held_back.values()
            form.add_error(
                "playbook", _("%(account)s cannot enter: %(why)s.") % {"account": account, "why": held.label}
            )
    return ask_for(request, "console/account/_playbook_form.html", account, form)


@editor_page
@require_POST
def account_playbook_undo(request: StaffRequest, pk: int, run: int) -> HttpResponse:
    """Take the account out again."""
    account = find_account(request, pk)
    began = get_object_or_404(Run.objects.select_related("playbook", "account"), pk=run, account=account)
    stop_run(run=began, by=request.user, now=clock.now())
    words = {"account": account.name, "playbook": began.playbook.name}
    return say_done(request, account, _("%(account)s was taken out of “%(playbook)s” again") % words)


@editor_page
@require_http_methods(["GET", "POST"])
def accounts_playbook(request: StaffRequest) -> HttpResponse:
    """Start a playbook for the accounts that the address names, or for all that its filter shows, after asking."""
    now = clock.now()
    ids = asked_for(request, now=now, most=MOST_BY_HAND)
    form = StartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        playbook = form.cleaned_data["playbook"]
        try:
            done = start_by_hand(playbook=playbook, account_ids=ids, by=request.user, now=now)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return _show(request, "console/playbook/_started.html", _told(playbook, done, now))
    context = {
        "form": form,
        "count": len(ids),
        "names": list(Account.objects.filter(pk__in=ids[:3]).order_by("name").values_list("name", flat=True)),
        "too_many": len(ids) > MOST_BY_HAND,
        "most": MOST_BY_HAND,
        "url": request.get_full_path(),
    }
    return _show(request, "console/playbook/_start_form.html", context, status=NOT_VALID if form.errors else 200)


def asked_for(request: StaffRequest, *, now: datetime, most: int) -> list[int]:
    """The ids that the address names, or those that its filter shows: one more than ``most`` at most."""
    visible = Account.objects.visible_to(request.user)
    if "account" in request.GET:
        sent = [int(raw) for raw in request.GET.getlist("account") if raw.isascii() and raw.isdigit() and len(raw) < 19]
        return list(visible.filter(pk__in=sent).order_by("pk").values_list("pk", flat=True))
    wanted = read_wanted(request.GET, catalogue=Catalogue(), user=request.user)
    if wanted.problem:
        raise DomainError(wanted.problem)
    return wanted_ids(visible, wanted, now=now, limit=most + 1)


def _told(playbook: Playbook, done: ByHand, now: datetime) -> dict[str, Any]:
    return {
        "playbook": playbook,
        "entered": len(done.runs),
        "held": [(held.label, count) for held, count in Counter(done.held_back.values()).most_common()],
        "at": now.isoformat(),
    }


def _show(request: StaffRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """In the dialog for HTMX, on a page otherwise."""
    if request.htmx:
        return render(request, template, context, status=status)
    crumbs = [{"label": _("Accounts"), "url": reverse("console:accounts")}, {"label": _("Start a playbook")}]
    page = {**context, "part": template, "crumbs": crumbs}
    return render(request, "console/playbook/start.html", page, status=status)


@editor_page
@require_POST
def playbook_take_out(request: StaffRequest, key: str) -> HttpResponse:
    """Take out again the accounts that this person let enter at one moment."""
    playbook = get_object_or_404(Playbook, key=key)
    started_at = parse_datetime(request.POST.get("at", ""))
    if started_at is None or started_at.tzinfo is None:
        raise NotFound(_("There is nothing to take back."))
    count = take_out(playbook=playbook, started_at=started_at, by=request.user, now=clock.now())
    words = ngettext(
        "%(count)s account was taken out of “%(playbook)s” again.",
        "%(count)s accounts were taken out of “%(playbook)s” again.",
        count,
    ) % {"count": count, "playbook": playbook.name}
    if not request.htmx:
        messages.success(request, words)
        return redirect("console:accounts")
    toast = {"text": words, "level": "success"}
    response = HttpResponse(render_to_string("console/_toast.html", toast, request=request))
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = "dialog-close"
    return response
