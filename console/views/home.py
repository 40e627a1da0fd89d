"""Home: one's book, or everybody's, on one page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Account, User
from common import clock
from console.queries.home import alerts, book_by_health, moves_since, recent_nps, restated_since, yesterday
from console.queries.tasks import task_rows
from console.staff import StaffRequest, staff_page
from playbooks.queries.queue import queue_counts, queue_for

TASKS = 5
MOVES = 8


@staff_page
@require_GET
def home(request: StaffRequest) -> HttpResponse:
    """A CSM's own book; everybody's for the others, who may ask for their own."""
    now = clock.now()
    user = request.user
    may_see_team = user.role != User.Role.CSM
    is_mine = not may_see_team or request.GET.get("whose") == "mine"
    accounts = Account.objects.visible_to(user)
    if is_mine:
        accounts = accounts.filter(owner=user)
    owner = user if is_mine else None
    moves = moves_since(yesterday(now), accounts=accounts)
    context = {
        "today": now,
        "may_see_team": may_see_team,
        "whose": "mine" if is_mine else "team",
        "book": book_by_health(accounts, now=now, listed={"csm": "me"} if is_mine else {}),
        "moves": moves[:MOVES],
        "restated": restated_since(yesterday(now), accounts=accounts),
        "more_moves": max(len(moves) - MOVES, 0),
        "alerts": alerts(accounts, now=now),
        "nps": recent_nps(accounts, now=now),
        "tasks": task_rows(queue_for(user, now, owner=owner)[:TASKS], now=now),
        "counts": queue_counts(user, now, owner=owner),
        "book_title": _("Your book") if is_mine else _("All accounts"),
    }
    return render(request, "console/home.html", context)
