"""Simulating the draft: start it, watch it, and read what publishing would do."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Workspace
from common import clock
from common.errors import Conflict
from console.queries.health_simulation import (
    LOST_PAGE,
    history_of,
    lost_accounts,
    matrix_of,
    spread_chart,
)
from console.queries.paging import linked
from console.queries.simulated_moves import PAGE, moved_accounts, read_filter
from console.queries.simulated_playbooks import playbook_loads
from console.staff import StaffRequest, admin_page
from console.views.health_draft import draft_crumbs
from health.models import NamedScore, Simulation, Version
from health.queries.simulation import findings, latest_simulation, left_out, progress_of
from health.services import start_simulation

MOVES = "simulation-moves"
LOST = "simulation-lost"
PLAYBOOKS = "simulation-playbooks"
PARTS = {MOVES: "_moves", LOST: "_lost", PLAYBOOKS: "_playbooks"}


@admin_page
@require_GET
def health_simulation(request: StaffRequest) -> HttpResponse:
    """The last simulation of the draft: how far it is, or what it found. HTMX gets the part that it asks for."""
    draft = Version.objects.draft().first()
    simulation = latest_simulation(draft) if draft else None
    context: dict[str, Any] = {
        "draft": draft,
        "simulation": simulation,
        "crumbs": draft_crumbs(_("Simulation")),
    }
    part = PARTS.get(request.htmx.target or "", "") if request.htmx else ""
    if simulation is not None and simulation.is_complete:
        context |= _found(request, simulation, part)
    elif simulation is not None:
        context |= {"progress": progress_of(simulation)}
    elif part:
        raise Conflict(_("The draft is gone, or was not simulated; load the page anew."))
    if simulation is not None and not part:
        context |= {
            "is_out_of_date": simulation.is_out_of_date(clock.now()),
            "left_out": left_out(simulation),
        }
    name = part or ("_simulation" if request.htmx and request.htmx.target == "simulation" else "simulation")
    return render(request, f"console/health/{name}.html", context)


@admin_page
@require_POST
def health_simulation_start(request: StaffRequest) -> HttpResponse:
    """Start simulating the draft as it is; the page tells how far it is."""
    draft = Version.objects.draft().first()
    if draft is None:
        raise Conflict(_("There is no draft any more; open one to change something."), code="not_a_draft")
    start_simulation(draft=draft, by=request.user, now=clock.now())
    messages.success(request, _("The simulation has started. You may leave this page."))
    return redirect("console:health_simulation")


def _found(request: StaffRequest, simulation: Simulation, part: str) -> dict[str, Any]:
    """What was found about the score that the address asks for; with ``part`` just what that shows."""
    every = NamedScore.every()
    named = next((one for one in every if one.key == request.GET.get("score")), every[0])
    context: dict[str, Any] = {"named": named, "currency": Workspace.current().currency}
    if part in ("", "_moves"):
        context |= _moves(request, simulation, named)
    if part in ("", "_lost"):
        context |= _lost(request, simulation, named)
    if part == "_playbooks" or (not part and request.GET.get("playbooks") == "1"):
        context |= {"loads": playbook_loads(simulation, now=clock.now())}
    if not part:
        found = findings(simulation, named)
        context |= {
            "found": found,
            "poor": found.becoming("poor"),
            "matrix": matrix_of(found.matrix, named=named),
            "chart": spread_chart(found.spread),
            "history": history_of(simulation, found),
            "tabs": [{"url": f"?score={one.key}", "label": one.label, "is_current": one == named} for one in every],
            "playbooks_url": linked(request.GET, {"playbooks": 1}),
        }
    return context


def _moves(request: StaffRequest, simulation: Simulation, named: NamedScore) -> dict[str, Any]:
    wanted, choices = read_filter(request.GET)
    moves = moved_accounts(simulation, named, wanted, user=request.user, now=clock.now())
    return {
        "wanted": wanted,
        "choices": choices,
        "moves": moves,
        "first": moves.offset + 1,
        "last": moves.offset + len(moves.rows),
        **_pages(request, "from", moves.offset, PAGE, moves.total, MOVES),
    }


def _lost(request: StaffRequest, simulation: Simulation, named: NamedScore) -> dict[str, Any]:
    raw = request.GET.get("lost", "")
    losses = lost_accounts(
        simulation, named, offset=int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 0
    )
    pages = _pages(request, "lost", losses.offset, LOST_PAGE, losses.total, LOST)
    return {"losses": losses, "lost_pages": pages, "lost_last": losses.offset + len(losses.rows)}


def _pages(request: StaffRequest, name: str, offset: int, size: int, total: int, place: str) -> dict[str, str]:
    """The addresses of the pages before and after, which lead to their place on the page."""

    def url(to: int) -> str:
        return linked(request.GET, {name: to or None}) + f"#{place}"

    return {
        "previous_url": url(max(offset - size, 0)) if offset else "",
        "next_url": url(offset + size) if offset + size < total else "",
    }
