"""Measures of the draft: choosing one, and editing it with what it does to accounts beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.attributes import Catalogue, Context
from common import clock
from console.forms.condition_rows import grouped
from console.forms.measure import FIELDS
from console.forms.measure_editor import MeasureEditor
from console.queries.health_library import features, library_cards
from console.queries.health_preview import MOST, found_accounts, preview, scorable, suggested_accounts
from console.staff import StaffRequest, admin_page
from console.views.health_draft import NOT_VALID, draft_crumbs, the_draft
from health.library import BY_KEY
from health.models import Measure, Version
from health.queries.definitions import depends_on_health
from health.queries.distribution import distribution
from health.queries.fitting import fitted_curve
from health.services import DefinitionError, delete_measure
from usage.models import Feature


@admin_page
@require_GET
def health_measure_new(request: StaffRequest) -> HttpResponse:
    """The library of ready measures, and the way to a measure of one's own."""
    draft = the_draft()
    context = {
        "draft": draft,
        "groups": library_cards(draft, now=clock.now()),
        "features": features(),
        "attributes": grouped(scorable(Catalogue())),
        "crumbs": draft_crumbs(_("Add a measure")),
    }
    return render(request, "console/health/library.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def health_measure_ready(request: StaffRequest, entry: str) -> HttpResponse:
    """Add a ready measure; ``feature`` names the feature that it is about."""
    ready = BY_KEY.get(entry)
    if ready is None:
        raise Http404
    label, key, query = str(ready.label), ready.key, ""
    feature = None
    if ready.needs_feature:
        feature = get_object_or_404(Feature, key=request.GET.get("feature", ""))
        label, key = f"{feature.name}: {label}", f"{feature.key}-{ready.key}"
        query = f"?feature={feature.key}"
    attribute = ready.attribute_of(feature.key if feature else "")
    curve = ready.curve
    if ready.is_fitted:
        source, context = Catalogue()[attribute], Context.at(clock.now())
        curve = fitted_curve(source, distribution(source, context=context), direction=ready.direction)
    initial = {
        "label": label,
        "description": str(ready.description),
        "group": ready.group,
        "attribute": attribute,
        "curve": curve,
        "direction": ready.direction,
        "missing": ready.missing,
        "stale_after_days": ready.stale_after_days,
        "applies_when": ready.applies_when,
    }
    url = reverse("console:health_measure_ready", args=[entry]) + query
    return _respond(_editor(request, the_draft(), None, initial, key), request, url)


@admin_page
@require_http_methods(["GET", "POST"])
def health_measure_own(request: StaffRequest) -> HttpResponse:
    """Add a measure of any attribute, the one that ``attribute`` names to begin with."""
    context = Context.at(clock.now())
    catalogue = Catalogue()
    key = request.GET.get("attribute", "")
    source = catalogue.get(key) if key in {one.key for one in scorable(catalogue)} else None
    initial: dict[str, Any] = {
        "label": "",
        "description": "",
        "group": "usage",
        "direction": "higher",
        "missing": "leave_out",
        "attribute": "",
    }
    if source is not None:
        curve = fitted_curve(source, distribution(source, context=context))
        initial |= {"label": str(source.label), "attribute": key, "curve": curve}
    url = reverse("console:health_measure_own")
    return _respond(_editor(request, the_draft(), None, initial, ""), request, url)


@admin_page
@require_http_methods(["GET", "POST"])
def health_measure(request: StaffRequest, key: str) -> HttpResponse:
    """Change a measure of the draft."""
    draft = the_draft()
    measure = get_object_or_404(draft.measures, key=key)
    initial = {name: getattr(measure, name) for name in (*FIELDS, "applies_when")}
    url = reverse("console:health_measure", args=[key])
    return _respond(_editor(request, draft, measure, initial, key), request, url)


@admin_page
@require_POST
def health_measure_delete(request: StaffRequest, key: str) -> HttpResponse:
    """Take a measure out of the draft, where no profile uses it."""
    measure = get_object_or_404(the_draft().measures.select_related("version"), key=key)
    delete_measure(measure=measure, now=clock.now())
    messages.success(request, _("“%(measure)s” is taken out of the draft.") % {"measure": measure.label})
    return redirect("console:health_draft")


FORMS = ("measure-form", "when_condition")
PREVIEWS = ("measure-preview", "preview-found")
"""What of the page shows accounts: HTMX asks for these without the form."""


def _editor(
    request: StaffRequest, draft: Version, measure: Measure | None, initial: dict[str, Any], key: str
) -> MeasureEditor:
    is_preview = bool(request.htmx) and request.htmx.target in PREVIEWS
    data = request.POST if request.method == "POST" else None
    return MeasureEditor(draft, measure, initial, data=data, key=key, now=clock.now(), with_spread=not is_preview)


def _respond(editor: MeasureEditor, request: StaffRequest, url: str) -> HttpResponse:
    """Show the editor, do what a button in it asks for, or keep the measure; HTMX gets the part that it asks for."""
    target = request.htmx.target if request.htmx else None
    button = request.POST.get("do", "")
    if target in PREVIEWS:
        return render(request, "console/health/_measure_preview.html", _previewed(request, editor) | {"url": url})
    status = 200
    context: dict[str, Any] = {"is_pending": True}
    if request.method == "GET" or button.partition("-")[0] == "look":
        context = _previewed(request, editor)
    elif button or editor.form.has_other_attribute or "curve_rows" in request.POST:
        editor.change(button)
    elif kept := editor.keep():
        messages.success(request, _("“%(measure)s” is kept in the draft.") % {"measure": kept.label})
        return redirect("console:health_draft")
    else:
        status = NOT_VALID
    title = editor.measure.label if editor.measure else _("New measure")
    catalogue = editor.catalogue
    context |= {
        "url": url,
        "editor": editor,
        "form": editor.form,
        "title": title,
        "when_rows": editor.when.offered(catalogue),
        "when_attributes": grouped(catalogue[key] for key in catalogue if not depends_on_health(key)),
        "chosen": _chosen(request, editor),
        "crumbs": draft_crumbs(title),
    }
    template = "console/health/_measure_form.html" if target in FORMS else "console/health/measure.html"
    return render(request, template, context, status=status)


def _chosen(request: StaffRequest, editor: MeasureEditor) -> list[int]:
    """The accounts to look at: those in the form and the one that was added; without a form, those suggested."""
    if request.method == "GET":
        return suggested_accounts(request.user, editor.named, now=editor.now)
    sent = [*request.POST.getlist("account"), request.POST.get("do", "").removeprefix("look-")]
    return list(dict.fromkeys(int(pk) for pk in sent if pk.isascii() and pk.isdigit() and len(pk) < 19))[-MOST:]


def _previewed(request: StaffRequest, editor: MeasureEditor) -> dict[str, Any]:
    """What the measure as it stands does to the chosen accounts, or what has to be corrected first."""
    chosen = _chosen(request, editor)
    wanted = request.POST.get("find", "").strip()
    context: dict[str, Any] = {"chosen": chosen, "find": wanted, "named": editor.named, "is_pending": False}
    context["found"] = found_accounts(request.user, wanted, without=chosen)
    try:
        edited = editor.ready()
    except DefinitionError as error:
        return context | {"to_correct": list(error.fields.values())}
    context["rows"] = preview(
        request.user,
        draft=editor.draft,
        edited=edited,
        weights=editor.weights,
        named=editor.named,
        account_ids=chosen,
        now=editor.now,
    )
    return context
