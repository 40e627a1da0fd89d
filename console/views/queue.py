"""The queue: what to do now, in an order that explains itself, and everything one does with a task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User, Workspace
from common import clock
from common.errors import DomainError
from console.forms.queue_filter import QueueFilter
from console.forms.work import DoneForm, ReassignForm, SnoozeForm
from console.queries.paging import linked
from console.queries.queue_empty import empty_queue
from console.queries.queue_filter import PAGE, queue_page, read_wanted
from console.queries.saved_views import views_bar
from console.queries.tasks import task_rows
from console.staff import StaffRequest, editor_page, staff_page
from playbooks import handing
from playbooks.models import Task, TaskQuerySet
from playbooks.queries.queue import count_tasks, explain_priority, queue_for
from playbooks.queries.why import tell_task
from playbooks.services.tasks import (
    cancel_task,
    complete_task,
    reassign_task,
    reopen_task,
    snooze_task,
    tick_item,
    unsnooze_task,
)


def _tasks(request: StaffRequest) -> TaskQuerySet:
    tasks = Task.objects.visible_to(request.user)
    return tasks.select_related("account", "owner", "run__playbook", "series", "done_by")


def _task(request: StaffRequest, pk: int) -> Task:
    return get_object_or_404(_tasks(request), pk=pk)


@staff_page
@require_GET
def queue(request: StaffRequest) -> HttpResponse:
    """The list; its address says what it shows, and a bare one opens the view that the person chose for it."""
    views = views_bar("queue", request.GET, user=request.user)
    if not request.GET and views.default_url:
        return redirect(f"{request.path}{views.default_url}")
    now = clock.now()
    wanted = read_wanted(request.GET, now=now)
    page = queue_page(wanted, user=request.user, now=now)
    shown = len(page.groups) if wanted.grouped else len(page.rows)
    context: dict[str, Any] = {
        "wanted": wanted,
        "page": page,
        "counts": page.counts,
        "chips": [(chip, linked(request.GET, {chip.name: None, "from": None})) for chip in wanted.chips],
        "whose": "team" if wanted.is_team else "mine",
        "with_owner": wanted.is_team and wanted.owner is None,
        "may_see_team": request.user.role != User.Role.CSM,
        "views": views,
        "here": request.get_full_path(),
        "query": request.GET.urlencode(),
        "urls": {
            "mine": linked(request.GET, {"whose": None, "owner": None, "from": None}),
            "team": linked(request.GET, {"whose": "team", "from": None}),
            "group": linked(request.GET, {"group": None if wanted.grouped else "account", "from": None}),
            "state": linked(request.GET, {"state": None if wanted.snoozed else "snoozed", "from": None}),
            "condition": linked(request.GET, {"condition": None, "from": None}),
        },
        "first": wanted.offset + 1,
        "last": wanted.offset + shown,
        "previous_url": linked(request.GET, {"from": max(wanted.offset - page.step, 0)}) if wanted.offset else "",
        "next_url": linked(request.GET, {"from": wanted.offset + page.step}) if page.has_more else "",
        "total": None if wanted.grouped else page.counts.snoozed if wanted.snoozed else page.counts.awake,
    }
    if not shown and not wanted.problem and not wanted.is_narrowed:
        context["empty"] = empty_queue(request.user, is_team=wanted.is_team, now=now)
    return render(request, "console/queue.html", context)


@staff_page
@require_http_methods(["GET", "POST"])
def queue_filter(request: StaffRequest) -> HttpResponse:
    """Narrow the queue: choices, and a condition over the tasks' accounts."""
    given = QueueFilter(request.GET, request.POST if request.method == "POST" else None)
    button = request.POST.get("do", "")
    status = 200
    if button:
        given.asked(button)
    elif request.method == "POST":
        address = given.address()
        if address is not None:
            return go_to(request, f"{reverse('console:queue')}{address}")
        status = 422
    template = "console/_queue_filter.html" if request.htmx else "console/queue_filter.html"
    return render(request, template, {"filter": given, "url": request.get_full_path()}, status=status)


def _asked(request: StaffRequest) -> QueryDict:
    """The address of the queue that an action was done on."""
    here = urlsplit(request.htmx.current_url or "")
    return QueryDict(here.query if here.path == reverse("console:queue") else "")


@staff_page
@require_GET
def task(request: StaffRequest, pk: int) -> HttpResponse:
    """One task: why it exists, what to do, and how to close it; beside the list for HTMX, a page otherwise."""
    shown = _task(request, pk)
    context = task_context(shown)
    if request.htmx:
        return render(request, "console/_task.html", {**context, "is_peek": True})
    crumbs = [{"label": _("Queue"), "url": reverse("console:queue")}, {"label": shown.title}]
    return render(request, "console/task.html", {**context, "crumbs": crumbs})


def task_context(shown: Task) -> dict[str, Any]:
    """What the templates show of one task."""
    [row] = task_rows(Task.objects.filter(pk=shown.pk), now=clock.now())
    return {
        "task": shown,
        "row": row,
        "why": tell_task(shown),
        "handed": handing.told(shown.handed),
        "priority": explain_priority(shown) if shown.priority_reasons else None,
        "outcomes": Task.Outcome.choices,
        "form": DoneForm(),
        "woken": row.woken_words,
    }


@editor_page
@require_POST
def done(request: StaffRequest, pk: int) -> HttpResponse:
    """Close a task."""
    closed = _task(request, pk)
    form = DoneForm(request.POST)
    if not form.is_valid():
        raise DomainError(str(next(iter(form.errors.values()))[0]))
    complete_task(
        task=closed,
        by=request.user,
        outcome=form.cleaned_data["outcome"],
        note=form.cleaned_data["note"],
        now=clock.now(),
    )
    words = _("Done: %(title)s") % {"title": closed.title}
    return _acted(request, words, undo=reverse("console:queue_reopen", args=[pk]))


@editor_page
@require_POST
def reopen(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back that a task was closed."""
    opened = reopen_task(task=_task(request, pk), by=request.user, now=clock.now())
    return undone(request, _("Open again: %(title)s") % {"title": opened.title})


@editor_page
@require_http_methods(["GET", "POST"])
def snooze(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep a task out of the queue until a day."""
    sleeping = _task(request, pk)
    form = SnoozeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        snooze_task(task=sleeping, by=request.user, now=clock.now(), **form.cleaned_data)
        words = _("Snoozed: %(title)s") % {"title": sleeping.title}
        return _acted(request, words, undo=reverse("console:queue_wake", args=[pk]))
    is_asleep = sleeping.snoozed_until is not None and sleeping.snoozed_until > clock.now()
    more = {"suggestions": SnoozeForm.suggestions(), "is_asleep": is_asleep}
    return _ask(request, "console/_snooze.html", sleeping, form, **more)


@editor_page
@require_POST
def wake(request: StaffRequest, pk: int) -> HttpResponse:
    """Bring a snoozed task back."""
    woken = unsnooze_task(task=_task(request, pk), by=request.user, now=clock.now())
    return undone(request, _("Back in the queue: %(title)s") % {"title": woken.title})


@editor_page
@require_http_methods(["GET", "POST"])
def assign(request: StaffRequest, pk: int) -> HttpResponse:
    """Give a task to somebody else."""
    given = _task(request, pk)
    before = given.owner
    form = ReassignForm(request.POST or None, initial={"to": given.owner_id})
    if request.method == "POST" and form.is_valid():
        to = form.cleaned_data["to"]
        reassign_task(task=given, to=to, by=request.user, now=clock.now(), note=form.cleaned_data["note"])
        words = _("%(name)s has it now: %(title)s") % {"name": to, "title": given.title}
        undo = reverse("console:queue_assign_back", args=[pk, before.pk]) if before else ""
        return _acted(request, words, undo=undo)
    return _ask(request, "console/_assign.html", given, form)


@editor_page
@require_POST
def assign_back(request: StaffRequest, pk: int, owner: int) -> HttpResponse:
    """Give a task back to the person who had it."""
    to = get_object_or_404(User, pk=owner)
    given = reassign_task(task=_task(request, pk), to=to, by=request.user, now=clock.now())
    return undone(request, _("%(name)s has it again: %(title)s") % {"name": to, "title": given.title})


@editor_page
@require_POST
def cancel(request: StaffRequest, pk: int) -> HttpResponse:
    """Close a task as not worth doing."""
    closed = cancel_task(task=_task(request, pk), by=request.user, note="", now=clock.now())
    words = _("Not needed: %(title)s") % {"title": closed.title}
    return _acted(request, words, undo=reverse("console:queue_reopen", args=[pk]))


@editor_page
@require_POST
def take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Undo that a task was made: close it as not worth doing."""
    closed = cancel_task(task=_task(request, pk), by=request.user, note="", now=clock.now())
    return undone(request, _("Taken back: %(title)s") % {"title": closed.title})


@editor_page
@require_POST
def tick(request: StaffRequest, pk: int, place: int) -> HttpResponse:
    """Tick an item of a checklist, or untick it with ``undo``."""
    is_done = "undo" not in request.GET
    ticked = tick_item(task=_task(request, pk), place=place, is_done=is_done, by=request.user, now=clock.now())
    item = ticked.checklist[place]["text"]
    words = (_("Ticked: %(item)s") if is_done else _("Not done: %(item)s")) % {"item": item}
    undo = f"{reverse('console:queue_tick', args=[pk, place])}?undo" if is_done else ""
    if not request.htmx:
        messages.success(request, words, extra_tags=undo)
        return redirect("console:queue_task", pk=pk)
    context = {"task": ticked, "text": words, "undo_url": undo, "is_part": True}
    return render(request, "console/_ticked.html", context)


def _ask(request: StaffRequest, template: str, asked: Task, form: Any, **more: Any) -> HttpResponse:
    """The form of an action: in the dialog for HTMX, as a page otherwise; again with its errors when they were any."""
    context = {"task": asked, "form": form, **more}
    status = 422 if form.is_bound else 200
    if request.htmx:
        return render(request, template, context, status=status)
    return render(request, "console/task_form.html", {**context, "form_template": template}, status=status)


def _acted(request: StaffRequest, words: str, *, undo: str = "") -> HttpResponse:
    """Answer an action: the toast, true counts and the row that moves up, or the next task's page without HTMX."""
    now = clock.now()
    if request.POST.get("then") == "next":
        messages.success(request, words, extra_tags=undo)
        return go_to(request, _next_page(request, now))
    if not request.htmx:
        messages.success(request, words, extra_tags=undo)
        return redirect(_back(request))
    wanted = read_wanted(_asked(request), now=now)
    tasks = Task.objects.none() if wanted.problem else wanted.open_tasks(request.user, now)
    last = wanted.offset + PAGE
    entering = Task.objects.none() if wanted.grouped else wanted.listed(tasks, now)[last - 1 : last]
    counts = count_tasks(tasks, now)
    is_last = not (counts.snoozed if wanted.snoozed else counts.awake)
    body = render_to_string(
        "console/_acted.html",
        {
            "text": words,
            "undo_url": undo,
            "counts": counts,
            "is_last": is_last,
            "rows": task_rows(entering, now=now),
            "currency": Workspace.current().currency,
            "with_owner": wanted.is_team and wanted.owner is None,
            "entering": True,
            **_opened(request),
        },
        request=request,
    )
    response = HttpResponse(body)
    # What an empty queue says, the list says when it is read again.
    response["HX-Trigger"] = "dialog-close, queue-changed" if is_last else "dialog-close"
    return response


def _next_page(request: StaffRequest, now: datetime) -> str:
    """The page of the task to do next, or the queue when nothing is left."""
    following = queue_for(request.user, now).values_list("pk", flat=True).first()
    return reverse("console:queue_task", args=[following]) if following else reverse("console:queue")


def _opened(request: StaffRequest) -> dict[str, Any]:
    """The task that the preview shows next, where the page says which."""
    raw = request.POST.get("open", "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        return {}
    shown = _tasks(request).filter(pk=int(raw)).first()
    return {"opened": shown, **task_context(shown), "is_peek": True} if shown else {}


def go_to(request: StaffRequest, address: str) -> HttpResponse:
    """Open another page."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def undone(request: StaffRequest, words: str, *, rows: Sequence[int] = ()) -> HttpResponse:
    """Answer an undo: the list is read again, since the row may belong anywhere in it; ``rows`` are selected again."""
    if not request.htmx:
        messages.success(request, words)
        return redirect(_back(request))
    response = HttpResponse(render_to_string("console/_toast.html", {"text": words, "level": "success"}))
    said: dict[str, Any] = {"dialog-close": None, "queue-changed": None, "account-changed": None}
    response["HX-Trigger"] = json.dumps({**said, "rows-select": {"rows": list(rows)}})
    return response


def _back(request: StaffRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("console:queue")
