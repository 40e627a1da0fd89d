"""A new task from anywhere but an account: first for whom, then what."""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.models import Account
from common.text import storable
from console.staff import StaffRequest, editor_page
from playbooks.models import Task

MOST = 8


@editor_page
@require_GET
def task_new(request: StaffRequest) -> HttpResponse:
    """Offer accounts whose name has ``q`` in it; with ``first``, take the first.

    Where nothing is asked, the account of the task ``beside`` that one stands on comes first, then one's own.
    """
    wanted = request.GET.get("q", "").strip()[:100]
    beside = request.GET.get("beside", "")
    accounts = _accounts(request, wanted, beside)
    if "first" in request.GET and accounts:
        return redirect("console:account_task", pk=accounts[0].pk)
    template = "console/_task_new.html" if request.htmx else "console/task_form.html"
    context = {"accounts": accounts, "wanted": wanted, "beside": beside, "form_template": "console/_task_new.html"}
    return render(request, template, context)


def _accounts(request: StaffRequest, wanted: str, beside: str) -> list[Account]:
    found: QuerySet[Account] = Account.objects.visible_to(request.user).filter(ended_at=None)
    if not wanted:
        near = Q(pk=_account_of(request, beside))
        first = ExpressionWrapper(near, output_field=BooleanField())
        return list(found.filter(near | Q(owner=request.user)).order_by(first.desc(), "name")[:MOST])
    if not storable(wanted):
        return []
    begins = ExpressionWrapper(Q(name__istartswith=wanted), output_field=BooleanField())
    # A name that begins so is more likely meant than one that has it somewhere.
    return list(found.filter(name__icontains=wanted).order_by(begins.desc(), "name")[:MOST])


def _account_of(request: StaffRequest, task: str) -> int:
    """The account of a task by its number; 0 for none."""
    number = int(task) if task.isascii() and task.isdigit() and len(task) < 19 else 0
    return Task.objects.visible_to(request.user).filter(pk=number).values_list("account", flat=True).first() or 0
