"""Versions of the formula: the list, any two compared, going back to one, and taking back one that waits."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import clock
from common.errors import DomainError
from console.forms.fields import put_errors
from console.forms.health import RollBackForm
from console.queries.health_changes import compare
from console.queries.health_versions import listed_versions
from console.staff import StaffRequest, admin_page, staff_page
from console.views.health_draft import NOT_VALID
from health.models import Version
from health.services import roll_back, withdraw


def _crumbs(*more: str) -> list[dict[str, str]]:
    crumbs = [
        {"label": _("Health"), "url": reverse("console:health")},
        {"label": _("Versions"), "url": reverse("console:health_versions")},
    ]
    return [*crumbs, *({"label": label} for label in more)]


@staff_page
@require_GET
def health_versions(request: StaffRequest) -> HttpResponse:
    """Every version with when it was in force, and two of them compared: the two latest unless others are chosen."""
    rows = listed_versions(request.user, now=clock.now())
    by_number = {row.version.number: row.version for row in rows if row.state != "draft" or request.user.is_admin}
    newest = list(by_number.values())[:2]
    after = by_number.get(_number(request.GET.get("to")), newest[0] if newest else None)
    before = by_number.get(_number(request.GET.get("from")), _one_before(after, list(by_number.values())))
    context = {
        "rows": rows,
        "before": before,
        "after": after,
        "changes": compare(before, after) if before and after else None,
        "choices": list(by_number.values()),
        "crumbs": _crumbs(),
    }
    if request.htmx and request.htmx.target == "health-comparison":
        return render(request, "console/health/_comparison.html", context)
    return render(request, "console/health/versions.html", context)


def _one_before(after: Version | None, versions: list[Version]) -> Version | None:
    """The version that stands before another in the list, which is after it in time."""
    place = versions.index(after) + 1 if after else 0
    return versions[place] if place < len(versions) else None


def _number(raw: str | None) -> int:
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 10 else 0


@admin_page
@require_http_methods(["GET", "POST"])
def health_roll_back(request: StaffRequest, number: int) -> HttpResponse:
    """Publish a copy of an earlier version, with the reason."""
    now = clock.now()
    to = get_object_or_404(Version.objects.filter(effective_at__lte=now).select_related("published_by"), number=number)
    form = RollBackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = roll_back(to=to, by=request.user, note=form.cleaned_data["note"], now=now)
        except DomainError as error:
            put_errors(form, error)
        else:
            words = _("Version %(number)s is in force, a copy of version %(old)s; scores follow within minutes.")
            messages.success(request, words % {"number": version.number, "old": to.number})
            return redirect("console:health_versions")
    current = Version.objects.in_force(now)
    context = {
        "version": to,
        "current": current,
        "form": form,
        "changes": compare(current, to),
        "crumbs": _crumbs(_("Go back to version %(number)s") % {"number": to.number}),
    }
    return render(request, "console/health/roll_back.html", context, status=NOT_VALID if form.errors else 200)


@admin_page
@require_POST
def health_withdraw(request: StaffRequest, number: int) -> HttpResponse:
    """Take back a version that has not taken effect: it is the draft again."""
    version = withdraw(version=get_object_or_404(Version, number=number), now=clock.now())
    messages.success(
        request, _("Version %(number)s is taken back: it is the draft again.") % {"number": version.number}
    )
    return redirect("console:health_draft")
