"""Giving accounts to people: one, some of the list, or all that a filter shows; and taking it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account
from common import clock
from common.errors import DomainError
from console.forms.team import AssignForm
from console.staff import StaffRequest, editor_page
from console.views.account import find_account
from console.views.account_actions import ask_for, say_done
from console.views.playbook_start import asked_for
from playbooks import handing
from playbooks.covers import Choice
from playbooks.models import Assignment
from playbooks.queries.capacity import staff_loads
from playbooks.services.assigning import assign_accounts, undo_assignment

MOST = 5000
MOST_NAMED = 3
NOT_VALID = 422


@editor_page
@require_http_methods(["GET", "POST"])
def account_assign(request: StaffRequest, pk: int) -> HttpResponse:
    """Give one account to somebody."""
    account = find_account(request, pk)
    now = clock.now()
    form = AssignForm(request.POST if request.method == "POST" else None, loads=staff_loads(now))
    if request.method == "POST" and form.is_valid():
        done = _assign(request, form, [account])
        if done is not None:
            assignment, choices = done
            return say_done(request, account, _told(choices), undo=_undo_url(assignment))
    return ask_for(request, "console/account/_assign_form.html", account, form)


@editor_page
@require_http_methods(["GET", "POST"])
def accounts_assign(request: StaffRequest) -> HttpResponse:
    """Give the accounts that the address names, or all that its filter shows, to people, after asking."""
    now = clock.now()
    ids = asked_for(request, now=now, most=MOST)
    form = AssignForm(request.POST if request.method == "POST" else None, loads=staff_loads(now))
    if request.method == "POST" and len(ids) <= MOST and form.is_valid():
        done = _assign(request, form, list(Account.objects.filter(pk__in=ids).order_by("pk")))
        if done is not None:
            assignment, choices = done
            return _say(request, _told(choices), undo=_undo_url(assignment))
    context: dict[str, Any] = {
        "form": form,
        "count": len(ids),
        "names": list(Account.objects.filter(pk__in=ids[:MOST_NAMED]).order_by("name").values_list("name", flat=True)),
        "too_many": len(ids) > MOST,
        "most": MOST,
        "url": request.get_full_path(),
    }
    status = NOT_VALID if form.errors else 200
    if request.htmx:
        return render(request, "console/_accounts_assign.html", context, status=status)
    crumbs = [{"label": _("Accounts"), "url": reverse("console:accounts")}, {"label": _("Assign")}]
    page = {**context, "part": "console/_accounts_assign.html", "crumbs": crumbs}
    return render(request, "console/team/form.html", page, status=status)


def _assign(
    request: StaffRequest, form: AssignForm, accounts: list[Account]
) -> tuple[Assignment, Mapping[int, Choice]] | None:
    """Assign them; None when nothing changed hands, which the form then says."""
    try:
        assignment, choices = assign_accounts(
            rule=form.rule,
            accounts=accounts,
            by=request.user,
            now=clock.now(),
            reason=form.cleaned_data["reason"],
            move_open_work=form.cleaned_data["move_open_work"],
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return None
    if assignment is not None:
        given = {pk: choices[pk] for pk, _before, _after in assignment.accounts}
        return assignment, given
    nobody = _("Nobody is found by this rule: choose another, or somebody by name.")
    already = _("Nothing would change: they have it already.")
    form.add_error("to", already if choices else nobody)
    return None


def _told(choices: Mapping[int, Choice]) -> str:
    """Who got how many, and for whom they cover."""
    counts = Counter(choice.user.name for choice in choices.values())
    shown = [f"{name} {count}" if len(choices) > 1 else name for name, count in counts.most_common(MOST_NAMED)]
    if len(counts) > MOST_NAMED:
        shown.append("…")
    words = ngettext("%(count)s account given: %(who)s", "%(count)s accounts given: %(who)s", len(choices)) % {
        "count": len(choices),
        "who": ", ".join(shown),
    }
    covers = {handing.covered(one.cover.instead_of.name, one.cover.until) for one in choices.values() if one.cover}
    return " · ".join([words, *sorted(covers)])


def _undo_url(assignment: Assignment) -> str:
    return reverse("console:assignment_undo", args=[assignment.pk])


@editor_page
@require_POST
def assignment_undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Give accounts and tasks back to who had them."""
    found = Assignment.objects.all() if request.user.leads else Assignment.objects.filter(made_by=request.user)
    undo_assignment(assignment=get_object_or_404(found, pk=pk), by=request.user, now=clock.now())
    return _say(request, _("Given back to who had it before."))


def _say(request: StaffRequest, words: str, *, undo: str = "") -> HttpResponse:
    """Say that it was done, and let the list beneath read itself again; without HTMX go to the list."""
    if not request.htmx:
        messages.success(request, words)
        return redirect("console:accounts")
    toast = {"text": words, "level": "success", "undo_url": undo}
    response = HttpResponse(render_to_string("console/_toast.html", toast, request=request))
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = "dialog-close, account-changed"
    return response
