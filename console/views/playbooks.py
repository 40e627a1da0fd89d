"""Playbooks: how each stands, what it does, who is in it, and why it fired for an account or did not."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Account, Workspace
from accounts.models.account import AccountQuerySet
from common import clock
from common.templatetags.amounts import number
from common.text import storable
from console.queries.paging import linked, page_of
from console.queries.playbook_attention import alike, parked_runs, troubles
from console.queries.playbook_runs import numbers_of
from console.queries.playbook_words import shown_version, steps_ahead
from console.queries.playbooks import counts_by_state, lately, playbook_rows, run_rows, runs_of
from console.staff import StaffRequest, admin_page, editor_page, staff_page
from playbooks.models import Playbook, PlaybookVersion, Run, Task
from playbooks.queries.verdict import why
from playbooks.queries.why import why_run
from playbooks.services.publishing import pause, resume, retry_run, retry_runs, stop_run

SUGGESTED = 12


@staff_page
@require_GET
def playbooks(request: StaffRequest) -> HttpResponse:
    """The list of playbooks."""
    rows = playbook_rows(request.user, now=clock.now())
    context = {
        "rows": rows,
        "on": sum(row.is_on for row in rows),
        "attention": sum(row.runs.get(Run.State.PARKED, 0) for row in rows),
    }
    return render(request, "console/playbooks.html", context)


def _playbook(key: str) -> Playbook:
    return get_object_or_404(Playbook.objects.select_related("live_version__author"), key=key)


@staff_page
@require_GET
def playbook(request: StaffRequest, key: str) -> HttpResponse:
    """One playbook: its steps, with how many runs stand at each, and its runs by state; HTMX gets just the runs."""
    shown = _playbook(key)
    context = {"playbook": shown, **_runs_context(request, shown)}
    if request.htmx and request.htmx.target == "playbook-runs":
        return render(request, "console/_playbook_runs.html", context)
    versions = list(shown.versions.select_related("author"))
    version = _version(request, shown, versions)
    context |= {
        "crumbs": [{"label": _("Playbooks"), "url": reverse("console:playbooks")}, {"label": shown.name}],
        "versions": versions,
        "shown": shown_version(version, request.user) if version else None,
        "lately": lately(shown, request.user, now=clock.now()),
    }
    return render(request, "console/playbook.html", context)


def _version(request: StaffRequest, shown: Playbook, versions: list[PlaybookVersion]) -> PlaybookVersion | None:
    """The version that the address asks for, else the live one."""
    asked = request.GET.get("version", "")
    return next((one for one in versions if str(one.number) == asked), shown.live_version)


def _runs_context(request: StaffRequest, shown: Playbook) -> dict[str, Any]:
    counts = counts_by_state(shown, request.user)
    asked = request.GET.get("state", "")
    state = asked if asked in Run.State.values else ""
    runs = runs_of(shown, request.user)
    if state:
        runs = runs.filter(state=state)
    page = page_of(runs, by="entered_at", query=request.GET)
    choices = [("", _("All"), counts.total()), *((one.value, one.label, counts[one.value]) for one in Run.State)]
    return {
        "rows": run_rows(page, request.user),
        "tabs": [
            {
                "url": linked(request.GET, {"after": None, "before": None, "state": value or None}),
                "label": label,
                "count": number(count),
                "is_current": value == state,
            }
            for value, label, count in choices
        ],
        "state": state,
        "newer_url": page.newer,
        "older_url": page.older,
    }


@staff_page
@require_GET
def playbook_run(request: StaffRequest, pk: int) -> HttpResponse:
    """One run's story: why the account entered, what was seen at each look, and what came of it."""
    run = _run(request, pk)
    now = clock.now()
    lines = why_run(run)
    tasks = {task.pk: task for task in Task.objects.visible_to(request.user).filter(run=run).select_related("owner")}
    context = {
        "run": run,
        "live_states": Run.LIVE,
        "lines": [(line, tasks.get(line.step.facts.get("task", 0)) if line.step else None) for line in lines],
        "ahead": steps_ahead(run),
        "numbers": numbers_of(
            [line.step for line in lines if line.step], run.account, zone=Workspace.current().zone, now=now
        ),
        "crumbs": [
            {"label": _("Playbooks"), "url": reverse("console:playbooks")},
            {"label": run.playbook.name, "url": reverse("console:playbook", args=[run.playbook.key])},
            {"label": run.account.name},
        ],
    }
    return render(request, "console/playbook_run.html", context)


def _run(request: StaffRequest, pk: int) -> Run:
    runs = Run.objects.visible_to(request.user).select_related("playbook", "version", "account__owner")
    return get_object_or_404(runs, pk=pk)


@staff_page
@require_GET
def playbook_why(request: StaffRequest, key: str) -> HttpResponse:
    """Why the playbook fired for one account, or did not; without an account, one is chosen."""
    shown = _playbook(key)
    visible = Account.objects.visible_to(request.user)
    wanted = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"playbook": shown, "wanted": wanted}
    chosen = request.GET.get("account", "")
    if chosen:
        pk = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0
        account = get_object_or_404(visible.select_related("owner"), pk=pk)
        context |= {"account": account, "verdict": why(shown, account, clock.now()), "live_states": Run.LIVE}
    else:
        context["accounts"] = _suggested(shown, visible, wanted)
    if request.htmx and request.htmx.target == "playbook-accounts":
        return render(request, "console/_playbook_accounts.html", context)
    context["crumbs"] = [
        {"label": _("Playbooks"), "url": reverse("console:playbooks")},
        {"label": shown.name, "url": reverse("console:playbook", args=[key])},
        {"label": _("Why?")},
    ]
    return render(request, "console/playbook_why.html", context)


def _suggested(shown: Playbook, visible: AccountQuerySet, wanted: str) -> list[Account]:
    """Accounts whose name has ``wanted`` in it; without it those that were in the playbook last."""
    if wanted:
        found = visible.filter(name__icontains=wanted) if storable(wanted) else visible.none()
        return list(found.select_related("owner").order_by("name", "pk")[:SUGGESTED])
    latest = visible.filter(runs__playbook=shown).annotate(latest=Max("runs__entered_at"))
    return list(latest.select_related("owner").order_by("-latest", "pk")[:SUGGESTED])


@editor_page
@require_POST
def playbook_pause(request: StaffRequest, key: str) -> HttpResponse:
    """Let nobody enter, and let the runs at work stand still."""
    paused = pause(playbook=_playbook(key), by=request.user)
    messages.success(request, _("“%(playbook)s” is paused: its runs stand still.") % {"playbook": paused})
    return redirect("console:playbook", key)


@editor_page
@require_POST
def playbook_resume(request: StaffRequest, key: str) -> HttpResponse:
    """Go on where the playbook was paused."""
    resumed = resume(playbook=_playbook(key), by=request.user, now=clock.now())
    messages.success(request, _("“%(playbook)s” is on again: its runs go on.") % {"playbook": resumed})
    return redirect("console:playbook", key)


@editor_page
@require_POST
def playbook_run_retry(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a run that needs attention try its step again."""
    run = retry_run(run=_run(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("%(account)s tries its step again now.") % {"account": run.account})
    return redirect("console:playbook_run", pk)


@staff_page
@require_GET
def playbook_attention(request: StaffRequest) -> HttpResponse:
    """Every run that could not go on, those with the same trouble together."""
    context = {
        "troubles": troubles(request.user),
        "count": parked_runs(request.user).count(),
        "crumbs": [{"label": _("Playbooks"), "url": reverse("console:playbooks")}, {"label": _("Needs attention")}],
    }
    return render(request, "console/playbook/attention.html", context)


@admin_page
@require_POST
def playbook_attention_retry(request: StaffRequest) -> HttpResponse:
    """Let all runs try again that have the same trouble as one, or all that there are."""
    asked = request.POST.get("like", "")
    if asked:
        runs = alike(request.user, get_object_or_404(Run, pk=int(asked) if asked.isdecimal() else 0))
    else:
        runs = parked_runs(request.user)
    count = retry_runs(runs=runs, by=request.user, now=clock.now())
    words = ngettext("%(count)s run tries its step again now.", "%(count)s runs try their step again now.", count)
    messages.success(request, words % {"count": number(count)})
    return redirect("console:playbook_attention")


@admin_page
@require_POST
def playbook_run_stop(request: StaffRequest, pk: int) -> HttpResponse:
    """Take an account out of the playbook."""
    run = stop_run(run=_run(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("%(account)s was taken out of the playbook.") % {"account": run.account})
    return redirect("console:playbook_run", pk)
