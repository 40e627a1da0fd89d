"""Saving, changing and deleting views of lists."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common import clock
from common.errors import DomainError
from console.forms.saved_view import ChangeViewForm, SaveViewForm
from console.models import SavedView
from console.queries.saved_views import address_of, kept_query
from console.services.saved_views import change_view, delete_view, overwrite_view, restore_view, save_view
from console.staff import StaffRequest, staff_page

PAGES = {SavedView.Page.QUEUE: "console:queue", SavedView.Page.ACCOUNTS: "console:accounts"}


@staff_page
@require_http_methods(["GET", "POST"])
def view_new(request: StaffRequest, page: str) -> HttpResponse:
    """Keep what a list shows under a name."""
    if page not in PAGES:
        raise Http404
    query = kept_query(QueryDict((request.POST if request.method == "POST" else request.GET).get("query", "")))
    form = SaveViewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            view = save_view(user=request.user, page=page, query=query, now=clock.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error("name" if "name" in error.fields else None, error.message)
        else:
            return _shown(request, view, _("Saved: %(name)s") % {"name": view.name})
    return _ask(request, form, {"page": page, "query": query, "action": reverse("console:view_new", args=[page])})


@staff_page
@require_http_methods(["GET", "POST"])
def view_change(request: StaffRequest, pk: int) -> HttpResponse:
    """Rename, share, move a view, or open the page with it."""
    view = _mine(request, pk)
    initial = {name: getattr(view, name) for name in ("name", "is_shared", "is_default", "position")}
    form = ChangeViewForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_view(view=view, **form.cleaned_data)
        except DomainError as error:
            form.add_error("name" if "name" in error.fields else None, error.message)
        else:
            return _shown(request, view, _("Saved: %(name)s") % {"name": view.name})
    return _ask(request, form, {"view": view, "action": reverse("console:view_change", args=[pk])})


@staff_page
@require_POST
def view_save(request: StaffRequest, pk: int) -> HttpResponse:
    """Let the view be what is shown now."""
    view = _mine(request, pk)
    overwrite_view(view=view, query=kept_query(QueryDict(request.POST.get("query", ""))))
    return _shown(request, view, _("Saved: %(name)s") % {"name": view.name})


@staff_page
@require_POST
def view_delete(request: StaffRequest, pk: int) -> HttpResponse:
    """Delete a view."""
    view = delete_view(view=_mine(request, pk), now=clock.now())
    undo = reverse("console:view_restore", args=[pk])
    messages.success(request, _("Deleted: %(name)s") % {"name": view.name}, extra_tags=undo)
    return _go(request, f"{reverse(PAGES[SavedView.Page(view.page)])}?view=")


@staff_page
@require_POST
def view_restore(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back that a view was deleted."""
    view = restore_view(view=get_object_or_404(SavedView, pk=pk, user=request.user))
    return _shown(request, view, _("Back again: %(name)s") % {"name": view.name})


def _mine(request: StaffRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.of(request.user), pk=pk)


def _ask(request: StaffRequest, form: SaveViewForm, context: dict[str, Any]) -> HttpResponse:
    status = 422 if form.is_bound else 200
    template = "console/_saved_view.html" if request.htmx else "console/saved_view.html"
    return render(request, template, {"form": form, **context}, status=status)


def _shown(request: StaffRequest, view: SavedView, words: str) -> HttpResponse:
    messages.success(request, words)
    return _go(request, f"{reverse(PAGES[SavedView.Page(view.page)])}{address_of(view.pk, view.query)}")


def _go(request: StaffRequest, address: str) -> HttpResponse:
    """Open the list anew: its address is what was changed."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
