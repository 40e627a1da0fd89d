"""Profiles of the draft, which say what counts in a segment and how much, and the named scores that they are for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common import clock
from common.errors import DomainError
from console.forms.fields import put_errors
from console.forms.health import NamedScoreForm, ProfileForm
from console.forms.weights import WeightRows, not_counted
from console.queries.health_scores import score_spread
from console.staff import StaffRequest, admin_page
from console.views.health_draft import NOT_VALID, draft_crumbs, the_draft
from health.models import Measure, NamedScore, Profile, Version
from health.services import (
    create_named_score,
    create_profile,
    delete_profile,
    update_named_score,
    update_profile,
)

BANDS = {"good_from": 70, "watch_from": 40}


@admin_page
@require_http_methods(["GET", "POST"])
def health_profile_new(request: StaffRequest) -> HttpResponse:
    """Add a profile to the draft, for the named score that ``score`` names."""
    named = get_object_or_404(NamedScore, key=request.GET.get("score", NamedScore.OVERALL))
    return _edit(request, the_draft(), Profile(named=named, **BANDS))


@admin_page
@require_http_methods(["GET", "POST"])
def health_profile(request: StaffRequest, pk: int) -> HttpResponse:
    """Change a profile of the draft."""
    draft = the_draft()
    return _edit(request, draft, get_object_or_404(draft.profiles.select_related("named", "segment"), pk=pk))


def _edit(request: StaffRequest, draft: Version, profile: Profile) -> HttpResponse:
    """Show the form; a button inside it changes its rows and keeps nothing, the one at its end keeps it all."""
    measures = {measure.key: measure for measure in draft.measures.order_by("label")}
    verb, _dash, key = request.POST.get("do", "").partition("-")
    sent = request.method == "POST"
    rows = WeightRows.typed(request.POST, measures) if sent else WeightRows.of(profile)
    initial = {name: getattr(profile, name) for name in BANDS} | (
        {"name": profile.name, "segment": profile.segment_id} if profile.pk else {}
    )
    form = ProfileForm(request.POST if sent else None, initial=initial)
    if sent and verb:
        if verb == "copy":
            rows, form = _copied(draft, request, rows, initial)
        else:
            rows = rows.asked(verb, key or request.POST.get("new_measure", ""), measures)
            form = ProfileForm(initial=initial | request.POST.dict())
    elif sent and form.is_valid():
        try:
            return _keep(request, draft, profile, form, rows)
        except DomainError as error:
            wrong = {path: words for path, words in error.fields.items() if not path.startswith("weights.")}
            rows = rows.with_errors(error.fields)
            if wrong or not error.fields:
                put_errors(form, DomainError(error.message, fields=wrong))
            else:
                form.add_error(None, _("Correct the weights that are marked."))
    return _show(request, draft, profile, form, rows, measures)


def _copied(
    draft: Version, request: StaffRequest, rows: WeightRows, initial: dict[str, Any]
) -> tuple[WeightRows, ProfileForm]:
    """The measures, weights and bands of another profile of the draft; nothing is copied from one that is not there."""
    chosen = request.POST.get("copy_from", "")
    other = draft.profiles.filter(pk=int(chosen)).first() if chosen.isascii() and chosen.isdigit() else None
    taken = {name: getattr(other, name) for name in BANDS} if other else {}
    return WeightRows.of(other) if other else rows, ProfileForm(initial=initial | request.POST.dict() | taken)


def _keep(request: StaffRequest, draft: Version, profile: Profile, form: ProfileForm, rows: WeightRows) -> HttpResponse:
    given = {**form.cleaned_data, "weights": rows.weights}
    given["name"] = given["name"] or given["segment"].name
    if profile.pk:
        update_profile(profile=profile, now=clock.now(), **given)
    else:
        create_profile(draft=draft, named=profile.named, now=clock.now(), **given)
    messages.success(request, _("“%(name)s” is kept in the draft.") % {"name": given["name"]})
    return redirect("console:health_draft")


def _show(
    request: StaffRequest,
    draft: Version,
    profile: Profile,
    form: ProfileForm,
    rows: WeightRows,
    measures: dict[str, Measure],
) -> HttpResponse:
    segment = profile.segment if profile.pk else None
    spread = score_spread(request.user, profile.named, segment=segment)
    good, watch = form.bands()
    title = profile.name if profile.pk else _("New profile")
    context = {
        "draft": draft,
        "profile": profile,
        "title": title,
        "form": form,
        "rows": rows,
        "offered": not_counted(rows, measures),
        "others": draft.profiles.exclude(pk=profile.pk).select_related("named", "segment"),
        "spread": spread,
        "picture": spread.picture(good, watch),
        "bands": spread.bands(good, watch),
        "url": reverse("console:health_profile", args=[profile.pk])
        if profile.pk
        else f"{reverse('console:health_profile_new')}?score={profile.named.key}",
        "crumbs": draft_crumbs(title),
    }
    template = "console/health/profile.html"
    if request.htmx and request.htmx.target == "profile-form":
        template = "console/health/_profile_form.html"
    return render(request, template, context, status=NOT_VALID if form.errors else 200)


@admin_page
@require_POST
def health_profile_delete(request: StaffRequest, pk: int) -> HttpResponse:
    """Take a profile out of the draft."""
    profile = get_object_or_404(the_draft().profiles.select_related("version"), pk=pk)
    name = profile.name
    delete_profile(profile=profile, now=clock.now())
    messages.success(request, _("“%(name)s” is taken out of the draft.") % {"name": name})
    return redirect("console:health_draft")


@admin_page
@require_http_methods(["GET", "POST"])
def health_named_new(request: StaffRequest) -> HttpResponse:
    """Add a score beside the overall one."""
    form = NamedScoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        label = form.cleaned_data["label"]
        try:
            named = create_named_score(key=_free_key(label), **form.cleaned_data)
        except DomainError as error:
            put_errors(form, error, names={"key": "label"})
        else:
            messages.success(request, _("“%(score)s” is there; give it a profile.") % {"score": named.label})
            return redirect("console:health_draft")
    context = {"form": form, "title": _("New score"), "crumbs": draft_crumbs(_("New score"))}
    return render(request, "console/health/named.html", context, status=NOT_VALID if form.errors else 200)


def _free_key(label: str) -> str:
    """A key for the name that no other score has."""
    wanted = slugify(label)[:36] or "score"
    taken = set(NamedScore.objects.filter(key__startswith=wanted).values_list("key", flat=True))
    return next(key for key in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)


@admin_page
@require_http_methods(["GET", "POST"])
def health_named(request: StaffRequest, key: str) -> HttpResponse:
    """Change how a score is called, and when it is told as a drop."""
    named = get_object_or_404(NamedScore, key=key)
    initial = {"label": named.label, "description": named.description, "drop_points": named.drop_points}
    form = NamedScoreForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            update_named_score(named=named, **form.cleaned_data)
        except DomainError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("“%(score)s” is kept.") % {"score": named.label})
            return redirect("console:health_draft")
    context = {"form": form, "named": named, "title": initial["label"], "crumbs": draft_crumbs(str(initial["label"]))}
    return render(request, "console/health/named.html", context, status=NOT_VALID if form.errors else 200)
