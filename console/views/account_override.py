"""Setting the scores of an account by hand, ending that, and taking either back."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account
from common import clock
from common.errors import DomainError
from console.forms.work import OverrideForm
from console.staff import StaffRequest, editor_page
from console.views.account import find_account
from console.views.account_actions import ask_for, say_done
from health.models import HealthScore, Override
from health.services import end_override, override_score, restore_override, take_back_override


@editor_page
@require_http_methods(["GET", "POST"])
def override(request: StaffRequest, pk: int) -> HttpResponse:
    """Set a score by hand; ``score`` in the address says which."""
    account = find_account(request, pk)
    rows = list(
        HealthScore.objects.filter(account=account).select_related("named", "profile").order_by("named__position")
    )
    if not rows:
        raise DomainError(_("This account has no score to set yet: no profile decides it."), code="no_score")
    asked = next((row for row in rows if row.named.key == request.GET.get("score")), rows[0])
    form = OverrideForm(
        request.POST if request.method == "POST" else None,
        scores=[row.named for row in rows],
        initial={"named": asked.named.key, "score": None if asked.score is None else round(asked.score)},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = override_score(
                account=account,
                named=given["named"],
                score=given["score"],
                reason=given["reason"],
                expires_at=given["expires_at"],
                by=request.user,
                now=clock.now(),
            )
        except DomainError as error:
            if not form.refuse(error):
                raise
        else:
            undo = reverse("console:account_override_take_back", args=[account.pk, made.pk])
            return say_done(
                request, account, _("%(account)s is set to %(score)s until %(day)s") % _words(made), undo=undo
            )
    return ask_for(request, "console/account/_override_form.html", account, form, scores=rows)


@editor_page
@require_POST
def end(request: StaffRequest, pk: int, override: int) -> HttpResponse:
    """Let what is computed count again."""
    ended = end_override(override=_find(request, pk, override), by=request.user, now=clock.now())
    undo = reverse("console:account_override_restore", args=[ended.account_id, ended.pk])
    return say_done(request, ended.account, _("The score of %(account)s is computed again") % _words(ended), undo=undo)


@editor_page
@require_POST
def restore(request: StaffRequest, pk: int, override: int) -> HttpResponse:
    """Undo an end."""
    restored = restore_override(override=_find(request, pk, override), by=request.user, now=clock.now())
    return say_done(
        request, restored.account, _("%(account)s is set to %(score)s until %(day)s again") % _words(restored)
    )


@editor_page
@require_POST
def take_back(request: StaffRequest, pk: int, override: int) -> HttpResponse:
    """Undo setting a score; what it had replaced holds again."""
    taken = _find(request, pk, override)
    former = take_back_override(override=taken, by=request.user, now=clock.now())
    if former:
        return say_done(
            request, former.account, _("%(account)s is set to %(score)s until %(day)s again") % _words(former)
        )
    return say_done(request, taken.account, _("The score of %(account)s is computed again") % _words(taken))


def _find(request: StaffRequest, pk: int, override: int) -> Override:
    account: Account = find_account(request, pk)
    return get_object_or_404(Override.objects.select_related("account", "named"), account=account, pk=override)


def _words(override: Override) -> dict[str, str]:
    return {
        "account": override.account.name,
        "score": f"{override.score:g}",
        "day": date_format(timezone.localtime(override.expires_at), "MONTH_DAY_FORMAT"),
    }
