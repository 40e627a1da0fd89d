"""Opportunities: the list, opening one on an account, and saying how it goes."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Workspace
from common import clock
from common.errors import DomainError, NotAllowed
from console.forms.fields import put_errors
from console.forms.opportunities import OpportunityForm
from console.queries.opportunities import opportunities_for
from console.staff import StaffRequest, editor_page, staff_page
from console.views.account import find_account
from console.views.account_actions import ask_for, say_done
from revenue.models import Opportunity
from revenue.services import save_opportunity

FORM = "console/account/_opportunity_form.html"


@staff_page
@require_GET
def opportunities(request: StaffRequest) -> HttpResponse:
    """The list, narrowed by how it stands, who works on it, and its kind."""
    context = {"found": opportunities_for(request.user, request.GET), "currency": Workspace.current().currency}
    return render(request, "console/opportunities.html", context)


@editor_page
@require_http_methods(["GET", "POST"])
def account_opportunity(request: StaffRequest, pk: int) -> HttpResponse:
    """Open an opportunity on the account."""
    account = find_account(request, pk)
    opportunity = Opportunity(
        account=account,
        currency=Workspace.current().currency,
        owner=account.owner,
        opened_by=request.user,
        opened_at=clock.now(),
    )
    return _answer(request, opportunity, reverse("console:account_opportunity", args=[pk]))


@staff_page
@require_http_methods(["GET", "POST"])
def opportunity(request: StaffRequest, pk: int) -> HttpResponse:
    """One opportunity; whoever may edit changes it and says how it ended."""
    visible = Opportunity.objects.visible_to(request.user).select_related("account__owner", "owner", "opened_by")
    return _answer(request, get_object_or_404(visible, pk=pk), reverse("console:opportunity", args=[pk]))


def _answer(request: StaffRequest, opportunity: Opportunity, url: str) -> HttpResponse:
    account = opportunity.account
    form = OpportunityForm(request.POST if request.method == "POST" else None, instance=opportunity)
    if request.method == "POST":
        if not request.user.can_edit:
            raise NotAllowed(_("Viewers can read everything and change nothing; ask an admin for another role."))
        if form.is_valid():
            try:
                saved = save_opportunity(opportunity=form.save(commit=False), by=request.user, now=clock.now())
            except DomainError as error:
                put_errors(form, error)
            else:
                words = {"opportunity": saved.name, "stage": saved.get_stage_display(), "account": account.name}
                return say_done(request, account, _("%(account)s, “%(opportunity)s”: %(stage)s") % words)
    return ask_for(request, FORM, account, form, opportunity=opportunity, url=url)
