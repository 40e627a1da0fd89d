"""The account page: a header that answers at a glance, and a section for each kind of question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.models import Account, Workspace
from common import clock
from console.queries import account as queries
from console.queries.account_health import health, scores_of, summary
from console.queries.account_records import answers, opportunities, revenue, tickets
from console.queries.account_usage import DAYS, usage
from console.queries.messages import written_to
from console.staff import StaffRequest, staff_page
from console.timeline import GROUPS

SECTIONS: dict[str, str | Promise] = {
    "account": _("Overview"),
    "account_health": _("Health"),
    "account_timeline": _("Timeline"),
    "account_people": _("People"),
    "account_usage": _("Usage"),
    "account_tickets": _("Tickets"),
    "account_revenue": _("Revenue"),
    "account_tasks": _("Tasks"),
}
TEMPLATES = {"account": "overview", "account_health": "health_section"}
ANSWERS = 20


def find_account(request: StaffRequest, pk: int) -> Account:
    """The account, if this person may see it; 404 otherwise."""
    accounts = Account.objects.visible_to(request.user).select_related("owner", "plan", "stage")
    return get_object_or_404(accounts, pk=pk)


Section = Callable[[StaffRequest, Account], dict[str, Any]]


def account_section(name: str) -> Callable[[Section], Callable[..., HttpResponse]]:
    """A page of the account: the decorated function gives what its own part shows."""

    def decorate(build: Section) -> Callable[..., HttpResponse]:
        @staff_page
        @require_GET
        def view(request: StaffRequest, pk: int) -> HttpResponse:
            account = find_account(request, pk)
            context = {**_frame(request, account, name), **build(request, account)}
            part = request.htmx and request.htmx.target == "account"
            response = render(
                request, "console/account/_account.html" if part else "console/account/page.html", context
            )
            patch_vary_headers(response, ["HX-Request"])
            return response

        return view

    return decorate


def _frame(request: StaffRequest, account: Account, name: str) -> dict[str, Any]:
    now = clock.now()
    tabs = [
        {
            "url": reverse(f"console:{section}", args=[account.pk]),
            "label": label,
            "is_current": section == name,
            "id": f"tab-{section}",
        }
        for section, label in SECTIONS.items()
    ]
    return {
        "account": account,
        "parent": queries.parent_of(account, user=request.user),
        "facts": queries.glance(account, now=now),
        "tabs": tabs,
        "section": f"console/account/_{TEMPLATES.get(name, name.removeprefix('account_'))}.html",
        "section_label": SECTIONS[name],
        "crumbs": [{"label": _("Accounts"), "url": reverse("console:accounts")}, {"label": account.name}],
    }


@account_section("account")
def overview(request: StaffRequest, account: Account) -> dict[str, Any]:
    """Health and its reasons, what is due, what happened last, who is who."""
    now = clock.now()
    currency = Workspace.current().currency
    found = health(account, now=now)
    children = queries.children_of(account, user=request.user, now=now)
    profile = found.explained.profile if found else None
    return {
        "health": found,
        "summary": summary(account, now=now),
        "scores": scores_of(account),
        "group": queries.group_health(account, profile, now=now) if children else None,
        "tasks": queries.open_tasks(account, now=now),
        "timeline": queries.timeline(account, group="", before="", limit=queries.LATEST, currency=currency),
        "people": [contact for contact in queries.people(account) if contact.left_at is None][:6],
        "team": queries.team(account),
        "children": children,
        "last_touch": queries.last_touch(account),
        "last_rating": queries.last_rating(account),
        "runs": queries.runs(account),
        "answers": answers(account, limit=2),
    }


@account_section("account_timeline")
def timeline(request: StaffRequest, account: Account) -> dict[str, Any]:
    """Everything that happened, latest first."""
    return _timeline(request, account)


def _timeline(request: StaffRequest, account: Account) -> dict[str, Any]:
    wanted = request.GET.get("show", "")
    group = wanted if wanted in GROUPS else ""
    page = queries.timeline(
        account,
        group=group,
        before=request.GET.get("before", ""),
        limit=queries.TIMELINE_PAGE,
        currency=Workspace.current().currency,
    )
    return {"timeline": page, "groups": GROUPS, "group": group}


@staff_page
@require_GET
def timeline_more(request: StaffRequest, pk: int) -> HttpResponse:
    """The next items alone for HTMX; a plain request goes to the page that begins with them."""
    account = find_account(request, pk)
    if not request.htmx:
        return redirect(f"{reverse('console:account_timeline', args=[pk])}?{request.GET.urlencode()}")
    return render(request, "console/account/_timeline_items.html", {"account": account, **_timeline(request, account)})


@account_section("account_people")
def people(request: StaffRequest, account: Account) -> dict[str, Any]:
    """Who is who there, what they said, and who works with them here."""
    listed = queries.people(account)
    budget, written = written_to(listed, now=clock.now())
    return {
        "people": [(contact, written[contact.pk]) for contact in listed],
        "budget": budget,
        "team": queries.team(account),
        "answers": answers(account, limit=ANSWERS),
    }


@account_section("account_usage")
def usage_section(request: StaffRequest, account: Account) -> dict[str, Any]:
    """How much is used, feature by feature."""
    period = request.GET.get("period", "")
    period = period if period in DAYS else "90d"
    today = Workspace.current().day(clock.now())
    return {"usage": usage(account, period=period, today=today), "period": period}


@account_section("account_tickets")
def tickets_section(request: StaffRequest, account: Account) -> dict[str, Any]:
    """What they asked support for."""
    return {"tickets": tickets(account)}


@account_section("account_revenue")
def revenue_section(request: StaffRequest, account: Account) -> dict[str, Any]:
    """What they pay and paid."""
    workspace = Workspace.current()
    return {
        "revenue": revenue(account, today=workspace.day(clock.now()), currency=workspace.currency),
        "opportunities": opportunities(account),
    }


@account_section("account_tasks")
def tasks(request: StaffRequest, account: Account) -> dict[str, Any]:
    """What is to be done, what was done, and the playbooks at work."""
    return {
        "tasks": queries.open_tasks(account, now=clock.now()),
        "closed": queries.closed_tasks(account),
        "runs": queries.runs(account),
    }


@staff_page
@require_GET
def peek(request: StaffRequest, pk: int) -> HttpResponse:
    """The account in short, beside a list; a plain request gets the whole page."""
    if not request.htmx:
        return redirect("console:account", pk)
    account = find_account(request, pk)
    now = clock.now()
    context = {
        "account": account,
        "facts": queries.glance(account, now=now),
        "health": health(account, now=now),
        "tasks": queries.open_tasks(account, now=now)[:3],
        "timeline": queries.timeline(account, group="", before="", limit=4, currency=Workspace.current().currency),
        "last_touch": queries.last_touch(account),
    }
    return render(request, "console/account/_peek.html", context)


@staff_page
@require_GET
def next_account(request: StaffRequest, pk: int) -> HttpResponse:
    """Go to the account that follows by name in the owner's book, and from the last one to the first."""
    here = find_account(request, pk)
    following = queries.next_in_book(here, user=request.user)
    return redirect("console:account", following.pk if following else pk)
