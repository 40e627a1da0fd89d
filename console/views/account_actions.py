"""What people write on an account: touchpoints, notes, ratings, tasks; in a dialog for HTMX, on a page without it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account, Rating, Touchpoint
from accounts.services.ratings import rate_account, withdraw_rating
from accounts.services.touchpoints import log_touchpoint, withdraw_touchpoint
from common import clock
from common.errors import DomainError
from console.forms.task_template import RepeatForm, lines_of
from console.forms.work import NoteForm, RatingForm, TaskForm, TouchpointForm
from console.staff import StaffRequest, editor_page
from console.views.account import find_account
from console.views.task_templates import interval_words, refuse
from playbooks.models import Task, TaskTemplate
from playbooks.services.recurring import start_series
from playbooks.services.tasks import create_task


@editor_page
@require_http_methods(["GET", "POST"])
def touchpoint(request: StaffRequest, pk: int) -> HttpResponse:
    """Log an exchange with the customer."""
    account = find_account(request, pk)
    initial = {"happened_at": timezone.localtime(clock.now()), "kind": Touchpoint.Kind.CALL, "sentiment": ""}
    form = TouchpointForm(request.POST if request.method == "POST" else None, account=account, initial=initial)
    if request.method == "POST" and form.is_valid():
        details = {**form.cleaned_data}
        logged = log_touchpoint(
            account=account,
            user=request.user,
            kind=details.pop("kind"),
            summary=details.pop("summary"),
            happened_at=details.pop("happened_at"),
            **details,
        )
        return _logged(request, account, logged)
    quick = _quick(request, pk)
    if quick:
        # The first of the kinds has the focus then, so that one key more logs it.
        form.fields["summary"].widget.attrs.pop("autofocus", None)
    return ask_for(request, "console/account/_touchpoint_form.html", account, form, quick=quick)


def _quick(request: StaffRequest, pk: int) -> dict[str, Any] | None:
    """What a touchpoint that is logged by one more key says: that it was about the task from which it was begun."""
    raw = request.GET.get("task", "")
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 19 else 0
    about = Task.objects.visible_to(request.user).filter(account=pk, pk=number).first()
    kinds = [choice for choice in Touchpoint.Kind.choices if choice[0] != Touchpoint.Kind.NOTE]
    return {"summary": about.title, "kinds": kinds[:4], "now": timezone.localtime(clock.now())} if about else None


@editor_page
@require_http_methods(["GET", "POST"])
def note(request: StaffRequest, pk: int) -> HttpResponse:
    """Write down something about the account; its first line stands on the timeline."""
    account = find_account(request, pk)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        written = log_touchpoint(
            account=account,
            user=request.user,
            kind=Touchpoint.Kind.NOTE,
            summary=form.summary(),
            body=form.body(),
            happened_at=clock.now(),
        )
        return _logged(request, account, written)
    return ask_for(request, "console/account/_note_form.html", account, form)


def _logged(request: StaffRequest, account: Account, logged: Touchpoint) -> HttpResponse:
    words = _("Logged on %(account)s: %(summary)s") % {"account": account.name, "summary": logged.summary}
    undo = reverse("console:account_touchpoint_withdraw", args=[account.pk, logged.pk])
    return say_done(request, account, words, undo=undo)


@editor_page
@require_POST
def withdraw(request: StaffRequest, pk: int, touchpoint: int) -> HttpResponse:
    """Take back a touchpoint or note."""
    account = find_account(request, pk)
    logged = get_object_or_404(Touchpoint.objects.select_related("account"), account=account, pk=touchpoint)
    withdraw_touchpoint(touchpoint=logged, by=request.user, now=clock.now())
    return say_done(request, account, _("Taken back: %(summary)s") % {"summary": logged.summary})


@editor_page
@require_http_methods(["GET", "POST"])
def rate(request: StaffRequest, pk: int) -> HttpResponse:
    """Say how the account is doing, as somebody who knows it feels."""
    account = find_account(request, pk)
    form = RatingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        rating = rate_account(account=account, user=request.user, now=clock.now(), **form.cleaned_data)
        undo = reverse("console:account_rating_withdraw", args=[account.pk, rating.pk])
        return say_done(request, account, _("Rated %(account)s: %(words)s") % _rated(rating), undo=undo)
    return ask_for(request, "console/account/_rating_form.html", account, form)


@editor_page
@require_POST
def withdraw_rated(request: StaffRequest, pk: int, rating: int) -> HttpResponse:
    """Take back a rating."""
    account = find_account(request, pk)
    given = get_object_or_404(Rating.objects.select_related("account"), account=account, pk=rating)
    withdraw_rating(rating=given, by=request.user, now=clock.now())
    return say_done(request, account, _("Rating of %(account)s taken back: %(words)s") % _rated(given))


def _rated(rating: Rating) -> dict[str, str]:
    return {"account": rating.account.name, "words": rating.get_value_display()}


@editor_page
@require_http_methods(["GET", "POST"])
def task(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a task for oneself on the account, once or again and again, from a template or without."""
    account = find_account(request, pk)
    template = TaskTemplate.objects.filter(key=request.GET.get("template", "")[:64], deleted_at=None).first()
    data = request.POST if request.method == "POST" else None
    form, repeat = TaskForm(data, initial=_prefilled(template)), RepeatForm(data)
    if request.method == "POST" and form.is_valid() and repeat.is_valid():
        given = {**form.cleaned_data, "checklist": lines_of(form.cleaned_data["checklist"])}
        due: datetime = given.pop("due")
        common: dict[str, Any] = {"account": account, "owner": request.user, "by": request.user, "now": clock.now()}
        if not repeat.cleaned_data["unit"]:
            made = create_task(due_at=due, **common, **given)
            undo = reverse("console:queue_take_back", args=[made.pk])
            return _in_queue(request, account, _("In your queue: %(title)s") % {"title": made.title}, undo)
        try:
            series = start_series(
                unit=repeat.cleaned_data["unit"],
                every=repeat.cleaned_data["every"] or 1,
                ends_on=repeat.cleaned_data["ends_on"],
                starts_on=timezone.localdate(due),
                **common,
                **given,
            )
        except DomainError as error:
            refuse(repeat, error)
        else:
            words = _("Comes %(often)s: %(title)s") % {"often": interval_words(series), "title": series.title}
            return _in_queue(request, account, words, reverse("console:series_take_back", args=[series.pk]))
    more = {"repeat": repeat, "templates": TaskTemplate.objects.filter(deleted_at=None), "chosen": template}
    return ask_for(request, "console/account/_task_form.html", account, form, **more)


def _in_queue(request: StaffRequest, account: Account, words: str, undo: str) -> HttpResponse:
    """Say that there is something more to do; the queue reads itself again too, where it is what lies beneath."""
    response = say_done(request, account, words, undo=undo)
    if request.htmx:
        response["HX-Trigger"] += ", queue-changed"
    return response


def _prefilled(template: TaskTemplate | None) -> dict[str, Any]:
    today = timezone.localdate()
    if template is None:
        return {"due": today}
    email = f"\n\n```\n{template.email_text}\n```" if template.email_text else ""
    return {
        "title": template.title,
        "due": today + timedelta(days=template.due_in_days),
        "severity": template.severity,
        "guidance": f"{template.guidance}{email}".strip(),
        "checklist": "\n".join(template.checklist),
    }


def ask_for(request: StaffRequest, template: str, account: Account, form: BaseForm, **more: Any) -> HttpResponse:
    """The form: in the dialog for HTMX, as a page otherwise; again with its errors when there were any."""
    context: dict[str, Any] = {"account": account, "form": form, "next": request.POST.get("next", ""), **more}
    status = 422 if form.is_bound else 200
    if request.htmx:
        return render(request, template, context, status=status)
    crumbs = [
        {"label": _("Accounts"), "url": reverse("console:accounts")},
        {"label": account.name, "url": reverse("console:account", args=[account.pk])},
    ]
    page = {**context, "form_template": template, "crumbs": crumbs}
    return render(request, "console/account/form.html", page, status=status)


def say_done(request: StaffRequest, account: Account, words: str, *, undo: str = "") -> HttpResponse:
    """Say that it was done, and let the page beneath read itself again; without HTMX go back to the account."""
    if not request.htmx:
        messages.success(request, words, extra_tags=undo)
        return redirect(_back(request, account))
    toast = {"text": words, "level": "success", "undo_url": undo}
    response = HttpResponse(render_to_string("console/_toast.html", toast, request=request))
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = "dialog-close, account-changed"
    return response


def _back(request: StaffRequest, account: Account) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("console:account", args=[account.pk])
