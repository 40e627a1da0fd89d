"""Doing the same with several tasks, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from common import clock
from common.errors import DomainError
from console.forms.work import DoneForm, ReassignForm, SnoozeForm
from console.queries.queue_filter import PAGE
from console.staff import StaffRequest, editor_page
from console.views.queue import undone
from playbooks.models import Task
from playbooks.services.tasks import complete_task, reassign_task, reopen_task, snooze_task, unsnooze_task

T = TypeVar("T")


@editor_page
@require_POST
def bulk(request: StaffRequest) -> HttpResponse:
    """Close several tasks; those that somebody else closed meanwhile are left as they are, and said."""
    now = clock.now()
    form = DoneForm(request.POST)
    outcome = form.cleaned_data["outcome"] if form.is_valid() else ""

    def close(task: Task) -> str:
        complete_task(task=task, by=request.user, outcome=outcome, note="", now=now)
        return str(task.pk)

    changed, refused = _each(_chosen(request), close)
    words = ngettext("%(count)s task done", "%(count)s tasks done", len(changed)) % {"count": len(changed)}
    if refused:
        words += " · " + ngettext("%(count)s was closed already", "%(count)s were closed already", refused) % {
            "count": refused
        }
    return _said(request, words, "done", changed)


@editor_page
@require_http_methods(["GET", "POST"])
def bulk_snooze(request: StaffRequest) -> HttpResponse:
    """Keep several tasks out of the queue until a day."""
    now = clock.now()
    form = SnoozeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():

        def sleep(task: Task) -> str:
            snooze_task(task=task, by=request.user, now=now, **form.cleaned_data)
            return str(task.pk)

        changed, refused = _each(_chosen(request), sleep)
        words = ngettext("%(count)s task snoozed", "%(count)s tasks snoozed", len(changed)) % {"count": len(changed)}
        return _said(request, words + _left(refused), "snooze", changed)
    return _ask(request, "console/_snooze.html", form, _("Snooze"), suggestions=SnoozeForm.suggestions())


@editor_page
@require_http_methods(["GET", "POST"])
def bulk_assign(request: StaffRequest) -> HttpResponse:
    """Give several tasks to somebody else."""
    now = clock.now()
    form = ReassignForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        to: User = form.cleaned_data["to"]

        def give(task: Task) -> str:
            before = task.owner_id
            reassign_task(task=task, to=to, by=request.user, now=now, note=form.cleaned_data["note"])
            return f"{task.pk}-{before}" if before else ""

        changed, refused = _each(_chosen(request), give)
        words = ngettext(
            "%(name)s has %(count)s task more now", "%(name)s has %(count)s tasks more now", len(changed)
        ) % {"name": to, "count": len(changed)}
        return _said(request, words + _left(refused), "assign", [one for one in changed if one])
    return _ask(request, "console/_assign.html", form, _("Reassign"))


@editor_page
@require_POST
def bulk_back(request: StaffRequest, verb: str) -> HttpResponse:
    """Take back what was done with several tasks; those that changed again since are left as they are."""
    now = clock.now()
    pairs = [raw.partition("-") for raw in request.GET.getlist("task")]
    owners = {int(pk): owner for pk, _dash, owner in pairs if _is_number(pk)}
    users = User.objects.in_bulk([int(owner) for owner in owners.values() if _is_number(owner)])

    undo: dict[str, Callable[[Task], Task]] = {
        "done": lambda task: reopen_task(task=task, by=request.user, now=now),
        "snooze": lambda task: unsnooze_task(task=task, by=request.user, now=now),
        "assign": lambda task: reassign_task(task=task, to=users[int(owners[task.pk])], by=request.user, now=now),
    }
    if verb not in undo or (verb == "assign" and not all(_is_number(owner) for owner in owners.values())):
        raise Http404
    changed, refused = _each(_visible(request, owners), undo[verb])
    words = ngettext("%(count)s task as before", "%(count)s tasks as before", len(changed)) % {"count": len(changed)}
    return undone(request, words + _left(refused), rows=[task.pk for task in changed])


def _is_number(raw: str) -> bool:
    return raw.isascii() and raw.isdigit() and len(raw) < 19


def _chosen(request: StaffRequest) -> list[Task]:
    given = request.POST if request.method == "POST" else request.GET
    return _visible(request, [int(raw) for raw in given.getlist("task") if _is_number(raw)])


def _visible(request: StaffRequest, pks: Iterable[int]) -> list[Task]:
    tasks = Task.objects.visible_to(request.user).select_related("account")
    return list(tasks.filter(pk__in=list(pks)[: 2 * PAGE]))


def _each(tasks: list[Task], change: Callable[[Task], T]) -> tuple[list[T], int]:
    """Change each; returns what the changes returned, and how many were refused."""
    changed: list[T] = []
    refused = 0
    for task in tasks:
        try:
            changed.append(change(task))
        except DomainError:
            refused += 1
    return changed, refused


def _left(refused: int) -> str:
    if not refused:
        return ""
    return " · " + ngettext("%(count)s stayed as it was", "%(count)s stayed as they were", refused) % {"count": refused}


def _said(request: StaffRequest, words: str, verb: str, changed: list[str]) -> HttpResponse:
    """The list is read again, and the toast offers to take it back."""
    undo = ""
    if changed:
        query = urlencode([("task", one) for one in changed])
        undo = f"{reverse('console:queue_bulk_back', args=[verb])}?{query}"
    if not request.htmx:
        messages.success(request, words, extra_tags=undo)
        return redirect("console:queue")
    toast = {"text": words, "level": "success", "undo_url": undo}
    response = HttpResponse(render_to_string("console/_toast.html", toast, request=request))
    response["HX-Trigger"] = "dialog-close, queue-changed"
    return response


def _ask(request: StaffRequest, template: str, form: Any, title: str, **more: Any) -> HttpResponse:
    tasks = _chosen(request)
    words = ngettext("%(what)s: %(count)s task", "%(what)s: %(count)s tasks", len(tasks)) % {
        "what": title,
        "count": len(tasks),
    }
    context = {"form": form, "several": tasks, "title": words, "action": request.path, **more}
    status = 422 if form.is_bound else 200
    if request.htmx:
        return render(request, template, context, status=status)
    return render(request, "console/task_form.html", {**context, "form_template": template}, status=status)
