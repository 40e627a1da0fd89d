"""The draft of the formula: what it changes, who decides for whom, and putting it in force or throwing it away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.attributes import Catalogue
from accounts.models import Workspace
from common import clock
from common.errors import Conflict, DomainError
from console.forms.fields import put_errors
from console.forms.health import PublishForm
from console.queries.health import shown_measures
from console.queries.health_changes import compare
from console.queries.health_draft import precedence
from console.staff import StaffRequest, admin_page
from health.models import Version
from health.queries import load_definitions
from health.services import discard_draft, open_draft, publish

NOT_VALID = 422


def draft_crumbs(*more: str) -> list[dict[str, str]]:
    """Where one is: health, the draft, and what lies below it."""
    crumbs = [
        {"label": _("Health"), "url": reverse("console:health")},
        {"label": _("Draft"), "url": reverse("console:health_draft")},
    ]
    return [*crumbs, *({"label": label} for label in more)]


def the_draft() -> Version:
    """The draft; raises Conflict when there is none."""
    draft = Version.objects.draft().select_related("author", "based_on").first()
    if draft is None:
        raise Conflict(_("There is no draft any more; open one to change something."), code="not_a_draft")
    return draft


@admin_page
@require_GET
def health_draft(request: StaffRequest) -> HttpResponse:
    """What the draft changes, its profiles in the order in which they decide, its measures; or how to open one."""
    now = clock.now()
    draft = Version.objects.draft().select_related("author", "based_on").first()
    published = list(Version.objects.published().select_related("published_by")[:2])
    context: dict[str, Any] = {
        "draft": draft,
        "in_force": Version.objects.in_force(now),
        "scheduled": next((one for one in published if one.effective_at and one.effective_at > now), None),
        "crumbs": draft_crumbs(),
    }
    if draft is not None:
        catalogue = Catalogue()
        scores, accounts = precedence(draft, catalogue=catalogue, now=now)
        context |= {
            "changes": compare(context["in_force"], draft, catalogue=catalogue),
            "scores": scores,
            "accounts": accounts,
            "measures": shown_measures(draft, catalogue=catalogue),
            "problems": load_definitions(draft, catalogue=catalogue).problems,
        }
    return render(request, "console/health/draft.html", context)


@admin_page
@require_POST
def health_draft_open(request: StaffRequest) -> HttpResponse:
    """Open a draft, or show the one that is open."""
    open_draft(by=request.user, now=clock.now())
    return redirect("console:health_draft")


@admin_page
@require_http_methods(["GET", "POST"])
def health_draft_discard(request: StaffRequest) -> HttpResponse:
    """Ask whether the draft should go, with what goes with it; then throw it away."""
    draft = the_draft()
    if request.method == "POST":
        discard_draft(draft=draft, now=clock.now())
        messages.success(request, _("The draft is gone; what is in force stays as it is."))
        return redirect("console:health_draft")
    changes = compare(Version.objects.in_force(clock.now()), draft)
    return render(
        request,
        "console/health/discard.html",
        {"draft": draft, "changes": changes, "crumbs": draft_crumbs(_("Discard"))},
    )


@admin_page
@require_http_methods(["GET", "POST"])
def health_draft_publish(request: StaffRequest) -> HttpResponse:
    """Say what changes and why, and put the draft in force."""
    draft = the_draft()
    now = clock.now()
    workspace = Workspace.current()
    form = PublishForm(request.POST or None)
    form.fields["day"].widget.attrs["min"] = workspace.day(now).isoformat()
    if request.method == "POST" and form.is_valid():
        try:
            version = publish(
                draft=draft,
                by=request.user,
                note=form.cleaned_data["note"],
                effective_at=form.effective_at,
                now=now,
            )
        except DomainError as error:
            put_errors(form, _at_fields(error))
        else:
            messages.success(request, _published(version, now=now))
            return redirect("console:health_versions")
    context = {
        "draft": draft,
        "form": form,
        "changes": compare(Version.objects.in_force(now), draft),
        "problems": load_definitions(draft).problems,
        "empty_profiles": draft.profiles.filter(profile_measures=None).select_related("named", "segment"),
        "zone": workspace.time_zone,
        "crumbs": draft_crumbs(_("Publish")),
    }
    return render(request, "console/health/publish.html", context, status=NOT_VALID if form.errors else 200)


def _at_fields(error: DomainError) -> DomainError:
    """The error with what the form can show at its fields; measures and profiles stand above it with their links."""
    fields = {"note": error.fields.get("note"), "day": error.fields.get("effective_at")}
    shown = {name: sentence for name, sentence in fields.items() if sentence}
    return DomainError(_("It cannot be published yet: correct what is named above first."), fields=shown)


def _published(version: Version, *, now: Any) -> str:
    if version.effective_at and version.effective_at > now:
        return _("Version %(number)s waits for its day.") % {"number": version.number}
    return _("Version %(number)s is in force; scores follow within minutes.") % {"number": version.number}
