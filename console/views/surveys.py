"""Surveys: what customers answered, how it goes over time, what was done about it, and who has not answered yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Account, Workspace
from common import clock
from common.errors import DomainError
from common.templatetags.amounts import number
from console.forms.fields import put_errors
from console.forms.surveys import ReminderForm
from console.plots import months_until, short_month
from console.queries.paging import linked, page_of
from console.queries.setting_changes import changes_of
from console.queries.surveys import MONTHS, answer_rows, answers_of, figures_by_month, reminded, survey_rows, unanswered
from console.staff import StaffRequest, admin_page, staff_page
from surveys.models import Survey
from surveys.queries.figures import NpsFigures, Results, results
from surveys.scales import Category, scale_of
from surveys.services import set_reminder
from surveys.services.reminders import setting_of

WAITING = "waiting"
NOT_VALID = 422
TONES = {Category.DETRACTOR: "poor", Category.PASSIVE: "watch", Category.PROMOTER: "good"}
NPS_WORDS = {
    Category.PROMOTER: gettext_lazy("Promoters"),
    Category.PASSIVE: gettext_lazy("Passives"),
    Category.DETRACTOR: gettext_lazy("Detractors"),
}
OTHER_WORDS = {
    Category.PROMOTER: gettext_lazy("Satisfied"),
    Category.PASSIVE: gettext_lazy("In between"),
    Category.DETRACTOR: gettext_lazy("Dissatisfied"),
}


@staff_page
@require_GET
def surveys(request: StaffRequest) -> HttpResponse:
    """The list of surveys."""
    return render(request, "console/surveys.html", {"rows": survey_rows(request.user)})


@staff_page
@require_GET
def survey(request: StaffRequest, key: str) -> HttpResponse:
    """One survey: its results, and its answers or those who have not answered; HTMX gets just the latter."""
    shown = get_object_or_404(Survey, key=key)
    now = clock.now()
    context: dict[str, Any] = {
        "survey": shown,
        "is_nps": shown.kind == Survey.Kind.NPS,
        "results": results(shown, accounts=Account.objects.visible_to(request.user)),
        "reminded": reminded(shown, request.user),
    }
    context |= _answers(request, shown, context["results"], now)
    if request.htmx and request.htmx.target == "survey-answers":
        return render(request, "console/_survey_answers.html", context)
    months = figures_by_month(shown, request.user, zone=Workspace.current().zone, now=now)
    context |= {
        "distribution": _distribution(shown, context["results"]),
        "trend": _trend(shown, months, now) if months else None,
        "trend_words": _trend_words(shown, months),
        "crumbs": [{"label": _("Surveys"), "url": reverse("console:surveys")}, {"label": shown.name}],
    }
    return render(request, "console/survey.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def reminder(request: StaffRequest, key: str) -> HttpResponse:
    """Whether and when a survey reminds those who have not answered."""
    shown = get_object_or_404(Survey, key=key)
    form = ReminderForm(request.POST or None, initial={"remind_after_days": shown.remind_after_days})
    if request.method == "POST" and form.is_valid():
        try:
            after_days = form.cleaned_data["remind_after_days"]
            set_reminder(survey=shown, after_days=after_days, by=request.user, now=clock.now())
        except DomainError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("The reminder is kept."))
            return redirect("console:survey", shown.key)
    crumbs = [
        {"label": _("Surveys"), "url": reverse("console:surveys")},
        {"label": shown.name, "url": reverse("console:survey", args=[shown.key])},
        {"label": _("Reminder")},
    ]
    changes = changes_of(setting_of(shown), _reminder_words)
    context = {"form": form, "survey": shown, "crumbs": crumbs, "changes": changes}
    return render(request, "console/survey_reminder.html", context, status=NOT_VALID if form.errors else 200)


def _reminder_words(days: int | None) -> str:
    if days is None:
        return _("no reminder")
    return ngettext("after %(count)s day", "after %(count)s days", days) % {"count": days}


def _words(shown: Survey) -> Mapping[Category, Any]:
    return NPS_WORDS if shown.kind == Survey.Kind.NPS else OTHER_WORDS


def _answers(request: StaffRequest, shown: Survey, found: Results, now: datetime) -> dict[str, Any]:
    asked = request.GET.get("show", "")
    show = asked if asked in (*Category.values, WAITING) else ""
    waiting = unanswered(shown, request.user, now=now)
    scale, words = scale_of(shown), _words(shown)
    counts = dict.fromkeys(Category, 0)
    for score, count in found.distribution.items():
        counts[scale.category(score)] += count
    choices: list[tuple[str, Any, int]] = [("", _("All answers"), found.answered)]
    choices += [(category.value, words[category], counts[category]) for category in reversed(TONES)]
    choices += [(WAITING, _("Not answered yet"), waiting.count())]
    context: dict[str, Any] = {
        "show": show,
        "tabs": [
            {
                "url": linked(request.GET, {"after": None, "before": None, "show": value or None}),
                "label": label,
                "count": number(count),
                "is_current": value == show,
            }
            for value, label, count in choices
        ],
    }
    if show == WAITING:
        invitations = page_of(waiting, by="invited_at", query=request.GET)
        return {
            **context,
            "invitations": invitations.rows,
            "newer_url": invitations.newer,
            "older_url": invitations.older,
        }
    answers = page_of(answers_of(shown, request.user, show), by="answered_at", query=request.GET)
    rows = [(row, TONES[row.category]) for row in answer_rows(shown, answers.rows, request.user)]
    return {**context, "rows": rows, "newer_url": answers.newer, "older_url": answers.older}


def _distribution(shown: Survey, found: Results) -> dict[str, Any]:
    """The plot of how often each score was given, in the colours of what it says."""
    scale, words = scale_of(shown), _words(shown)
    return {
        "type": "bar",
        "labels": [str(score) for score in found.distribution],
        "axis": _("Score"),
        "unit": _("answers"),
        "stacked": True,
        "series": [
            {
                "label": str(words[category]),
                "tone": tone,
                "data": [
                    count if scale.category(score) == category else 0 for score, count in found.distribution.items()
                ],
            }
            for category, tone in TONES.items()
        ],
    }


def _figure(shown: Survey, figures: NpsFigures | None) -> float | None:
    if figures is None or figures.score is None:
        return None
    return round(figures.score, 1) if shown.kind == Survey.Kind.NPS else round(100 * figures.promoters / figures.n, 1)


def _trend(shown: Survey, months: Mapping[date, NpsFigures], now: datetime) -> dict[str, Any]:
    """The plot of the survey's usual figure month by month."""
    last = now.astimezone(Workspace.current().zone).date()
    days = months_until(last, MONTHS)
    is_nps = shown.kind == Survey.Kind.NPS
    return {
        "type": "line",
        "labels": [short_month(day) for day in days],
        "axis": _("Month"),
        "unit": "" if is_nps else "%",
        "series": [
            {
                "label": _("NPS") if is_nps else _("Satisfied"),
                "data": [_figure(shown, months.get(day)) for day in days],
            }
        ],
    }


def _trend_words(shown: Survey, months: Mapping[date, NpsFigures]) -> str:
    """What the last two months with answers say: a change only where it is more than chance explains."""
    if shown.kind != Survey.Kind.NPS:
        return _("Share of satisfied answers by month")
    if len(months) < 2:
        return _("NPS by month")
    (before_day, before), (day, latest) = list(months.items())[-2:]
    words = {
        "latest": number(latest.score),
        "margin": number(latest.margin),
        "month": short_month(day),
        "before": number(before.score),
        "earlier": short_month(before_day),
    }
    if not latest.differs_from(before):
        return _("NPS was %(latest)s ± %(margin)s in %(month)s, no clear change from %(earlier)s") % words
    if (latest.score or 0) > (before.score or 0):
        return _("NPS rose from %(before)s in %(earlier)s to %(latest)s ± %(margin)s in %(month)s") % words
    return _("NPS fell from %(before)s in %(earlier)s to %(latest)s ± %(margin)s in %(month)s") % words
