"""A new task from anywhere but an account: first for whom, then what."""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.models import Account
from common.text import storable
from console.staff import StaffRequest, editor_page

MOST = 8


@editor_page
@require_GET
def task_new(request: StaffRequest) -> HttpResponse:
    """Offer accounts whose name has ``q`` in it, one's own where nothing is asked; with ``first``, take the first."""
    wanted = request.GET.get("q", "").strip()[:100]
    accounts = _accounts(request, wanted)
    if "first" in request.GET and accounts:
        return redirect("console:account_task", pk=accounts[0].pk)
    template = "console/_task_new.html" if request.htmx else "console/task_form.html"
    context = {"accounts": accounts, "wanted": wanted, "form_template": "console/_task_new.html"}
    return render(request, template, context)


def _accounts(request: StaffRequest, wanted: str) -> list[Account]:
    found: QuerySet[Account] = Account.objects.visible_to(request.user).filter(ended_at=None)
    if not wanted:
        return list(found.filter(owner=request.user).order_by("name")[:MOST])
    if not storable(wanted):
        return []
    begins = ExpressionWrapper(Q(name__istartswith=wanted), output_field=BooleanField())
    # A name that begins so is more likely meant than one that has it somewhere.
    return list(found.filter(name__icontains=wanted).order_by(begins.desc(), "name")[:MOST])
