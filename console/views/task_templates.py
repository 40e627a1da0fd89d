"""The task templates, which admins keep, and the tasks that come again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Account
from common import clock
from common.errors import DomainError
from console.forms.task_template import SeriesForm, TemplateForm, lines_of
from console.staff import StaffRequest, admin_page, editor_page, staff_page
from console.views.queue import undone
from playbooks.models import TaskSeries, TaskTemplate
from playbooks.services.recurring import change_series, go_on_with_series, stop_series, take_back_series
from playbooks.services.templates import delete_template, keep_template, restore_template


@staff_page
@require_GET
def task_templates(request: StaffRequest) -> HttpResponse:
    """The templates, and one's own tasks that come again."""
    series = TaskSeries.objects.filter(account__in=Account.objects.visible_to(request.user), next_on__isnull=False)
    if not request.user.is_admin:
        series = series.filter(owner=request.user)
    context = {
        "templates": TaskTemplate.objects.filter(deleted_at=None),
        "series": [
            (one, interval_words(one))
            for one in series.select_related("account", "owner").order_by("next_on", "id")[:200]
        ],
    }
    return render(request, "console/task_templates.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def task_template_new(request: StaffRequest) -> HttpResponse:
    """Make a template."""
    return _keep(request, TaskTemplate(), TemplateForm(request.POST or None))


@admin_page
@require_http_methods(["GET", "POST"])
def task_template(request: StaffRequest, pk: int) -> HttpResponse:
    """Change a template."""
    kept = get_object_or_404(TaskTemplate, pk=pk, deleted_at=None)
    names = ("title", "key", "guidance", "email_text", "severity", "due_in_days")
    initial = {name: getattr(kept, name) for name in names} | {"checklist": "\n".join(kept.checklist)}
    return _keep(request, kept, TemplateForm(request.POST or None, initial=initial))


def _keep(request: StaffRequest, template: TaskTemplate, form: TemplateForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "checklist": lines_of(form.cleaned_data["checklist"])}
        try:
            keep_template(template=template, **given)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved: %(name)s") % {"name": template.title})
            return redirect("console:task_templates")
    context = {"form": form, "template": template if template.pk else None}
    return render(request, "console/task_template.html", context, status=422 if form.is_bound else 200)


@admin_page
@require_POST
def task_template_delete(request: StaffRequest, pk: int) -> HttpResponse:
    """Delete a template."""
    gone = delete_template(template=get_object_or_404(TaskTemplate, pk=pk), now=clock.now())
    undo = reverse("console:task_template_restore", args=[pk])
    messages.success(request, _("Deleted: %(name)s") % {"name": gone.title}, extra_tags=undo)
    return redirect("console:task_templates")


@admin_page
@require_POST
def task_template_restore(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back that a template was deleted."""
    back = restore_template(template=get_object_or_404(TaskTemplate, pk=pk))
    return _back(request, _("Back again: %(name)s") % {"name": back.title})


@editor_page
@require_http_methods(["GET", "POST"])
def series_change(request: StaffRequest, pk: int) -> HttpResponse:
    """Change the tasks of a series that are still to come."""
    series = _series(request, pk)
    names = ("title", "guidance", "severity", "ends_on")
    initial = {name: getattr(series, name) for name in names} | {"checklist": "\n".join(series.checklist)}
    form = SeriesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "checklist": lines_of(form.cleaned_data["checklist"])}
        try:
            change_series(series=series, now=clock.now(), **given)
        except DomainError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved: %(name)s") % {"name": series.title})
            return redirect("console:task_templates")
    context = {"form": form, "series": series, "words": interval_words(series)}
    return render(request, "console/task_series.html", context, status=422 if form.is_bound else 200)


@editor_page
@require_POST
def series_stop(request: StaffRequest, pk: int) -> HttpResponse:
    """Let no further task of a series come."""
    stopped = stop_series(series=_series(request, pk))
    undo = reverse("console:series_go_on", args=[pk])
    messages.success(request, _("Comes no more: %(name)s") % {"name": stopped.title}, extra_tags=undo)
    return redirect("console:task_templates")


@editor_page
@require_POST
def series_take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Undo that a series was started."""
    taken = take_back_series(series=_series(request, pk), by=request.user, now=clock.now())
    return undone(request, _("Taken back: %(title)s") % {"title": taken.title})


@editor_page
@require_POST
def series_go_on(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back that a series was stopped."""
    back = go_on_with_series(series=_series(request, pk), now=clock.now())
    return _back(request, _("Comes again: %(name)s") % {"name": back.title})


def _series(request: StaffRequest, pk: int) -> TaskSeries:
    visible = TaskSeries.objects.filter(account__in=Account.objects.visible_to(request.user))
    return get_object_or_404(visible.select_related("account"), pk=pk)


def _back(request: StaffRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("console:task_templates")})
    return redirect("console:task_templates")


def refuse(form: Any, error: DomainError) -> None:
    """Say at its field what a service refused."""
    for name, sentence in (error.fields or {"": error.message}).items():
        form.add_error(name if name in form.fields else None, sentence)


def interval_words(series: TaskSeries) -> str:
    """How often a series comes."""
    every = {"count": series.every}
    if series.unit == TaskSeries.Unit.DAY:
        return ngettext("every day", "every %(count)s days", series.every) % every
    if series.unit == TaskSeries.Unit.WEEK:
        return ngettext("every week", "every %(count)s weeks", series.every) % every
    return ngettext("every month", "every %(count)s months", series.every) % every
