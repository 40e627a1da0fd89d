"""How every staff page begins: somebody is signed in, and errors that a person can act on are shown as such."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from common.errors import DomainError, NotAllowed

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request of somebody signed in."""

    user: User
    htmx: HtmxDetails


def staff_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for everybody signed in; a ``DomainError`` becomes a page, or a toast when HTMX asked."""

    @login_required
    @wraps(view)
    def wrapped(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            return problem(request, error)

    return wrapped


def editor_page(view: Callable[Concatenate[StaffRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """As ``staff_page``, for what viewers may not do."""

    @staff_page
    @wraps(view)
    def wrapped(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.can_edit:
            raise NotAllowed(_("Viewers can read everything and change nothing; ask an admin for another role."))
        return view(request, *args, **kwargs)

    return wrapped


def admin_page(view: Callable[Concatenate[StaffRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """As ``staff_page``, for what only admins may see and do."""

    @staff_page
    @wraps(view)
    def wrapped(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_admin:
            raise NotAllowed(_("Only an admin can do this; ask one."))
        return view(request, *args, **kwargs)

    return wrapped


def problem(request: StaffRequest, error: DomainError) -> HttpResponse:
    """The error in words, where the person is: a sentence for the toast when HTMX asked, otherwise a page."""
    if request.htmx:
        return HttpResponse(error.message, content_type="text/plain; charset=utf-8", status=error.status)
    return render(request, "console/problem.html", {"error": error}, status=error.status)
