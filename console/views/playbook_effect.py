"""What a playbook changes: planning a holdout, ending it, and its verdict with the accounts behind it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.conditions import Describer
from accounts.models import Account
from common import clock
from common.errors import NotAllowed
from common.templatetags.amounts import number
from console.forms.holdout import HoldoutEditor
from console.queries.paging import linked, page_of
from console.queries.playbook_effect import effect_rows, scale_of, verdict
from console.staff import StaffRequest, admin_page, staff_page
from playbooks.models import Holdout, HoldoutMember, Playbook
from playbooks.queries.effect import results_of
from playbooks.services import stop_holdout

NOT_VALID = 422


@staff_page
@require_http_methods(["GET", "POST"])
def playbook_effect(request: StaffRequest, key: str) -> HttpResponse:
    """The holdout that is asked for, else the latest; an admin may plan one where none is open."""
    playbook = _playbook(key)
    holdouts = list(Holdout.objects.filter(playbook=playbook).select_related("started_by"))
    if request.method == "POST":
        if not request.user.is_admin:
            raise NotAllowed(_("Only an admin can do this; ask one."))
        return _planned(request, playbook, holdouts)
    asked = request.GET.get("holdout", "")
    shown = next((one for one in holdouts if str(one.pk) == asked), holdouts[0] if holdouts else None)
    may_plan = request.user.is_admin and playbook.status == Playbook.Status.LIVE and _none_open(holdouts)
    context = _context(playbook, holdouts, shown)
    if may_plan and (shown is None or asked == "new"):
        return render(request, "console/playbook/effect.html", context | _plan(playbook, None))
    if shown is not None:
        context |= _results(request, shown)
    return render(request, "console/playbook/effect.html", context | {"may_plan": may_plan})


def _playbook(key: str) -> Playbook:
    return get_object_or_404(Playbook, key=key)


def _none_open(holdouts: list[Holdout]) -> bool:
    return all(one.stopped_at is not None for one in holdouts)


def _context(playbook: Playbook, holdouts: list[Holdout], shown: Holdout | None) -> dict[str, Any]:
    return {
        "playbook": playbook,
        "holdouts": holdouts,
        "shown": shown,
        "crumbs": [
            {"label": _("Playbooks"), "url": reverse("console:playbooks")},
            {"label": playbook.name, "url": reverse("console:playbook", args=[playbook.key])},
            {"label": _("Effect")},
        ],
    }


def _plan(playbook: Playbook, editor: HoldoutEditor | None) -> dict[str, Any]:
    return {"editor": editor or HoldoutEditor(playbook, None, now=clock.now())}


def _planned(request: StaffRequest, playbook: Playbook, holdouts: list[Holdout]) -> HttpResponse:
    editor = HoldoutEditor(playbook, request.POST, now=clock.now())
    context = _context(playbook, holdouts, None) | _plan(playbook, editor)
    if request.POST.get("do"):
        return render(request, "console/playbook/effect.html", context)
    if editor.start(request.user) is None:
        return render(request, "console/playbook/effect.html", context, status=NOT_VALID)
    messages.success(request, _("From now on some are only watched. The verdict comes on its day."))
    return redirect("console:playbook_effect", playbook.key)


def _results(request: StaffRequest, holdout: Holdout) -> dict[str, Any]:
    results = results_of(holdout, now=clock.now())
    rows = effect_rows(results)
    low, high = scale_of(rows)
    arm = request.GET.get("arm", "")
    members = holdout.members.filter(account__in=Account.objects.visible_to(request.user))
    entered = Counter(dict(members.values_list("arm").annotate(accounts=Count("pk")).order_by()))
    members = members.filter(arm=arm) if arm in HoldoutMember.Arm.values else members
    page = page_of(members.select_related("account"), by="entered_at", query=request.GET)
    choices = [("", _("All"), entered.total()), *((one.value, one.label, entered[one]) for one in HoldoutMember.Arm)]
    return {
        "results": results,
        "rows": rows,
        "scale_low": low,
        "scale_high": high,
        "outcome": Describer().describe(holdout.outcome),
        "verdict": verdict(results.effect) if results.effect is not None else "",
        "members": page.rows,
        "newer_url": page.newer,
        "older_url": page.older,
        "tabs": [
            {
                "url": linked(request.GET, {"after": None, "before": None, "arm": value or None}),
                "label": label,
                "count": number(count),
                "is_current": value == arm,
            }
            for value, label, count in choices
        ],
    }


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_effect_stop(request: StaffRequest, key: str, pk: int) -> HttpResponse:
    """Ask whether the holdout should end without a verdict; then end it."""
    playbook = _playbook(key)
    holdout = get_object_or_404(Holdout, playbook=playbook, pk=pk)
    if request.method == "POST":
        stop_holdout(holdout=holdout, by=request.user, now=clock.now())
        messages.success(request, _("Nobody is held out any more; there will be no verdict."))
        return redirect("console:playbook_effect", key)
    context = _context(playbook, [], holdout)
    return render(request, "console/playbook/effect_stop.html", context)
