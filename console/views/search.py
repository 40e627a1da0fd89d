"""Search from anywhere: accounts, people and tasks by a part of their name."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, Contact
from common.text import storable
from console.staff import StaffRequest, staff_page
from playbooks.models import Task

MOST = 8
SHORTEST = 2


@staff_page
def search(request: StaffRequest) -> HttpResponse:
    """What matches ``q``, in groups; the palette asks with HTMX, a plain request gets a page."""
    wanted = request.GET.get("q", "").strip()[:100]
    groups = _groups(request, wanted) if len(wanted) >= SHORTEST and storable(wanted) else []
    template = "components/palette_results.html" if request.htmx else "console/search.html"
    return render(request, template, {"groups": groups, "wanted": wanted})


def _groups(request: StaffRequest, wanted: str) -> list[dict[str, Any]]:
    accounts: QuerySet[Account] = Account.objects.visible_to(request.user).filter(
        Q(name__icontains=wanted) | Q(domains__contains=[wanted.lower()]) | Q(external_id=wanted)
    )
    contacts = (
        Contact.objects.visible_to(request.user)
        .filter(Q(name__icontains=wanted) | Q(email__istartswith=wanted))
        .select_related("account")
    )
    tasks = Task.objects.visible_to(request.user).open().filter(title__icontains=wanted).select_related("account")
    return [
        {
            "label": _("Accounts"),
            "results": [
                _result("console:account", account.pk, account.name, ", ".join(account.domains[:1]), "accounts")
                for account in accounts.order_by("name")[:MOST]
            ],
        },
        {
            "label": _("People"),
            "results": [
                _result("console:account", contact.account_id, contact.name, contact.account.name, "contact")
                for contact in contacts.order_by("name")[:MOST]
            ],
        },
        {
            "label": _("Tasks"),
            "results": [
                _result("console:queue_task", task.pk, task.title, task.account.name, "task")
                for task in tasks.order_by("-priority", "id")[:MOST]
            ],
        },
    ]


def _result(url_name: str, pk: int, label: str, detail: str, icon: str) -> dict[str, str]:
    return {"url": reverse(url_name, args=[pk]), "label": label, "detail": detail, "icon": icon}
