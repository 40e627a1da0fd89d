"""Before publishing: what a draft would have done; afterwards: versions compared, and runs moved to the live one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Account, User
from common import clock
from common.errors import DomainError
from common.templatetags.amounts import number
from console.plots import short_day
from console.queries.paging import linked
from console.queries.playbook_counts import count_entering
from console.queries.playbook_rehearsal import (
    busiest_week,
    figure_rows,
    figures,
    latest,
    made,
    owner_rows,
    unkept,
    week_cells,
    weeks_chart,
)
from console.queries.playbook_words import shown_version
from console.queries.step_changes import changes_between
from console.staff import StaffRequest, admin_page, staff_page
from console.views.playbook_draft import find_playbook
from playbooks.definition.parse import load
from playbooks.models import Playbook, Rehearsal, RehearsedAct
from playbooks.queries.rehearsal import ACTS, OUTCOMES, acts_of, runs_of, tasks_by_week, tasks_of
from playbooks.services import start_rehearsal
from playbooks.services.moving import move_runs, standings
from playbooks.today import Today

PAGE = 50
SAMPLE = 12


def _crumbs(playbook: Playbook, last: str) -> list[dict[str, str]]:
    return [
        {"label": _("Playbooks"), "url": reverse("console:playbooks")},
        {"label": playbook.name, "url": reverse("console:playbook", args=[playbook.key])},
        {"label": last},
    ]


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_rehearsal(request: StaffRequest, key: str) -> HttpResponse:
    """What the draft (or what is live, without one) would have done in the last 90 days; POST begins it."""
    playbook = find_playbook(key)
    if request.method == "POST":
        start_rehearsal(playbook=playbook, is_draft=request.POST.get("of") != "live", by=request.user, now=clock.now())
        return redirect("console:playbook_rehearsal", key)
    draft, live = latest(playbook)
    shown, beside = (draft, live) if playbook.draft else (live, None)
    context: dict[str, Any] = {
        "playbook": playbook,
        "rehearsal": shown,
        "beside": beside,
        "crumbs": _crumbs(playbook, _("Rehearsal")),
        "is_waiting": any(one is not None and one.finished_at is None for one in (shown, beside)),
    }
    if shown is not None and shown.is_complete:
        context |= _found(request, playbook, shown, beside)
    return render(request, "console/playbook/rehearsal.html", context)


def _found(request: StaffRequest, playbook: Playbook, shown: Rehearsal, beside: Rehearsal | None) -> dict[str, Any]:
    found = figures(shown)
    assert found is not None
    now = clock.now()
    rows = figure_rows(found, figures(beside))
    today = _today(playbook, shown, now)
    return {
        "rows": rows,
        "unkept": unkept(shown),
        "today": _shown_today(request, playbook, today, now) if today is not None else None,
        "opened": _opened(request, shown, today, {row.outcome: row.label for row in rows}),
    } | _tasks(shown, now)


def _tasks(shown: Rehearsal, now: datetime) -> dict[str, Any]:
    found = tasks_by_week(shown)
    if not found.owners:
        return {}
    most, name = busiest_week(found)
    weeks = week_cells(found)
    return {
        "chart": weeks_chart(found),
        "busiest": {"count": most, "name": name},
        "weeks": weeks,
        "total": sum(cell.count for cell in weeks),
        "owners": owner_rows(found, now=now),
    }


def _today(playbook: Playbook, shown: Rehearsal, now: datetime) -> Today | None:
    try:
        return Today(playbook, load(shown.definition), now=now)
    except DomainError:
        return None


def _shown_today(request: StaffRequest, playbook: Playbook, today: Today, now: datetime) -> dict[str, Any]:
    return {
        "entering": count_entering(playbook, today.definition, now=now),
        "accounts": today.why_entering(today.entering[:SAMPLE], request.user),
        "more": max(len(today.entering) - SAMPLE, 0),
        "held_back": today.why_held_back(today.held_back[:SAMPLE], request.user),
        "held_back_count": len(today.held_back),
        "more_held_back": max(len(today.held_back) - SAMPLE, 0),
    }


def _opened(
    request: StaffRequest, shown: Rehearsal, today: Today | None, labels: Mapping[str, str]
) -> dict[str, Any] | None:
    """The list that a number opens: accounts, what would have been made for them, or who would enter now."""
    outcome, user = request.GET.get("outcome", ""), request.user
    visible = Account.objects.visible_to(user)
    if outcome in OUTCOMES:
        page = _page(request, runs_of(shown, outcome).filter(account__in=visible))
        return {"title": labels[outcome], "runs": page} | _pages(request, page)
    if outcome in ACTS:
        acts, notes = _acts(request, shown, outcome)
        page = _page(request, acts.filter(run__account__in=visible))
        title = " · ".join([labels[outcome], *notes])
        return {"title": title, "acts": made(shown, page), "is_mail": outcome != "tasks"} | _pages(request, page)
    if today is not None and outcome == "enter_today":
        page = _page(request, today.entering)
        return {"title": _("Would enter today"), "now": today.why_entering(list(page), user)} | _pages(request, page)
    if today is not None and outcome == "held_back":
        page = _page(request, today.held_back)
        title = _("Match, but may not enter")
        return {"title": title, "now": today.why_held_back(list(page), user)} | _pages(request, page)
    return None


def _acts(request: StaffRequest, shown: Rehearsal, outcome: str) -> tuple[QuerySet[RehearsedAct], list[str]]:
    """What a figure counts, in one week and of one CSM when the address asks for it, and words for these."""
    if outcome != "tasks":
        return acts_of(shown, outcome), []
    week, csm = parse_date(request.GET.get("week", "")), request.GET.get("csm", "")
    owner = int(csm) if csm.isdecimal() else None
    notes = [_("week of %(date)s") % {"date": short_day(week)}] if week else []
    if owner is not None:
        notes.append(User.objects.filter(pk=owner).values_list("name", flat=True).first() or _("Nobody's"))
    return tasks_of(shown, week=week, owner=owner), notes


def _page(request: StaffRequest, found: Any) -> Page[Any]:
    return Paginator(found, PAGE).get_page(request.GET.get("page"))


def _pages(request: StaffRequest, page: Page[Any]) -> dict[str, Any]:
    return {
        "count": page.paginator.count,
        "newer_url": linked(request.GET, {"page": page.previous_page_number()}) if page.has_previous() else "",
        "older_url": linked(request.GET, {"page": page.next_page_number()}) if page.has_next() else "",
    }


@staff_page
@require_GET
def playbook_compare(request: StaffRequest, key: str) -> HttpResponse:
    """Two versions side by side, and what is different in words."""
    playbook = find_playbook(key)
    versions = list(playbook.versions.select_related("author"))
    by_number = {str(version.number): version for version in versions}
    numbers = sorted((version.number for version in versions), reverse=True)
    before = by_number.get(request.GET.get("from", "")) or by_number.get(str(numbers[1] if len(numbers) > 1 else ""))
    after = by_number.get(request.GET.get("to", "")) or by_number.get(str(numbers[0] if numbers else ""))
    context: dict[str, Any] = {"playbook": playbook, "versions": versions, "before": before, "after": after}
    if before is not None and after is not None:
        context |= {
            "changes": changes_between(before.definition, after.definition),
            "sides": [shown_version(version, request.user) for version in (before, after)],
        }
    return render(
        request, "console/playbook/compare.html", context | {"crumbs": _crumbs(playbook, _("Compare versions"))}
    )


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_move(request: StaffRequest, key: str) -> HttpResponse:
    """Show which runs of older versions could go on by the live one; then move them."""
    playbook = find_playbook(key)
    if request.method == "POST":
        count = move_runs(playbook=playbook, by=request.user, now=clock.now())
        words = ngettext("%(count)s run goes on by the live version", "%(count)s runs go on by the live version", count)
        messages.success(request, words % {"count": number(count)})
        return redirect("console:playbook", key)
    found = standings(playbook)
    context = {
        "playbook": playbook,
        "standings": found,
        "movable": sum(one.count for one in found if one.can_move),
        "crumbs": _crumbs(playbook, _("Move runs")),
    }
    return render(request, "console/playbook/move.html", context)
