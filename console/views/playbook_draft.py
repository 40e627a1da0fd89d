"""The draft of a playbook: making one, the column, publishing, discarding, taking back, and the definition as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common import clock
from common.errors import Conflict, DomainError
from console.draft_history import keep_draft, may_undo, undo
from console.forms.fields import put_errors
from console.forms.playbook_editors import Editor
from console.forms.playbooks import DefinitionForm, PlaybookForm, PublishPlaybookForm, ReadyForm
from console.queries.playbook_column import Column, Refusal, column_of, working_definition
from console.queries.playbook_counts import count_entering, count_steps
from console.queries.step_changes import changes_between
from console.staff import StaffRequest, admin_page
from playbooks.definition.edit import BLANK
from playbooks.definition.parse import load
from playbooks.models import Playbook
from playbooks.ready import ready_playbooks
from playbooks.services import create_playbook, describe_playbook, discard_draft, publish

NOT_VALID = 422


def find_playbook(key: str) -> Playbook:
    """The playbook with this key; 404 when there is none."""
    return get_object_or_404(Playbook.objects.select_related("live_version", "draft_by"), key=key)


def number_of(request: StaffRequest) -> int:
    """The number of the draft as the page showed it; one that no draft has when it was not sent."""
    sent = request.POST.get("number", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else -1


def crumbs_of(playbook: Playbook, *more: str) -> list[dict[str, str]]:
    """Where one is: playbooks, this one, its draft, and what lies below it."""
    return [
        {"label": _("Playbooks"), "url": reverse("console:playbooks")},
        {"label": playbook.name, "url": reverse("console:playbook", args=[playbook.key])},
        {"label": _("Draft"), "url": reverse("console:playbook_edit", args=[playbook.key])},
        *({"label": label} for label in more),
    ]


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_new(request: StaffRequest) -> HttpResponse:
    """Make a playbook: empty, or from a ready one."""
    ready = {one.key: one for one in ready_playbooks()}
    chosen = ready.get(request.POST.get("ready", "") or request.GET.get("ready", ""))
    form = ReadyForm(request.POST or None, ready=chosen) if chosen else PlaybookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_playbook(
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                definition=chosen.make(form.cleaned_data.get("feature", "")) if chosen else BLANK,
                by=request.user,
                now=clock.now(),
            )
        except DomainError as error:
            put_errors(form, error)
        else:
            return redirect("console:playbook_edit", made.key)
    context = {
        "form": form,
        "ready": ready.values(),
        "chosen": chosen,
        "crumbs": [
            {"label": _("Playbooks"), "url": reverse("console:playbooks")},
            {"label": _("New playbook")},
        ],
    }
    return render(request, "console/playbook/new.html", context, status=NOT_VALID if form.errors else 200)


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_name(request: StaffRequest, key: str) -> HttpResponse:
    """Call the playbook otherwise."""
    playbook = find_playbook(key)
    initial = {"name": playbook.name, "description": playbook.description}
    form = PlaybookForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        describe_playbook(playbook=playbook, by=request.user, **form.cleaned_data)
        return redirect("console:playbook_edit", key)
    context = {"playbook": playbook, "form": form, "crumbs": crumbs_of(playbook, _("Name"))}
    return render(request, "console/playbook/name.html", context, status=NOT_VALID if form.errors else 200)


@admin_page
@require_GET
def playbook_edit(request: StaffRequest, key: str) -> HttpResponse:
    """The draft as a column, or what is live to begin a draft from."""
    return show_column(request, find_playbook(key))


def frame(request: StaffRequest, playbook: Playbook, column: Column) -> dict[str, Any]:
    """What the column and the bar above it show."""
    return {
        "playbook": playbook,
        "column": column,
        "may_undo": may_undo(request, playbook),
        "crumbs": [*crumbs_of(playbook)[:-1], {"label": _("Draft")}],
    }


def show_column(
    request: StaffRequest, playbook: Playbook, *, open_at: str = "", form: str = "", **more: Any
) -> HttpResponse:
    """The whole page, with a form opened in the element that ``open_at`` names."""
    status = more.pop("status", 200)
    column = more.pop("column", None) or column_of(working_definition(playbook))
    context = {**frame(request, playbook, column), "open_at": open_at, "open_form": form, **more}
    return render(request, "console/playbook/edit.html", context, status=status)


def show_form(
    request: StaffRequest, playbook: Playbook, editor: Editor, *, url: str, status: int = 200
) -> HttpResponse:
    """The form of a part: by itself for HTMX, in its place in the column otherwise."""
    context = {"playbook": playbook, "editor": editor, "url": url}
    form = render_to_string(editor.template, context, request=request)
    if request.htmx:
        return HttpResponse(form, status=status)
    return show_column(request, playbook, open_at=editor.container, form=form, status=status)


def answer_saved(
    request: StaffRequest, playbook: Playbook, before: Column, *, place: str, shown: str = ""
) -> HttpResponse:
    """What changed in the column, out of band; without HTMX the page anew. ``shown`` is the card to go on at."""
    if not request.htmx:
        url = reverse("console:playbook_edit", args=[playbook.key])
        return redirect(f"{url}#card-{shown or place}")
    after = column_of(working_definition(playbook))
    context: dict[str, Any] = {**frame(request, playbook, after), "is_part": True}
    if before.order == after.order and before.is_blank == after.is_blank:
        context["changed"] = [card for card, old in zip(after.cards, before.cards, strict=True) if card != old]
        context["top_changed"] = replace(before.shown, steps=()) != replace(after.shown, steps=())
    else:
        context["all_changed"] = True
    response = render(request, "console/playbook/_saved.html", context)
    shows = {"step-shown": {"place": shown or place}, "draft-changed": {}}
    response["HX-Trigger-After-Settle"] = json.dumps(shows)
    return response


def answer_refused(request: StaffRequest, playbook: Playbook, place: str, refusal: Refusal, url: str) -> HttpResponse:
    """Say at a step why it stays where it is, and what would make it possible."""
    column = column_of(working_definition(playbook))
    refused = {"place": place, "refusal": refusal, "url": url, "to": request.POST.get("to", "")}
    if not request.htmx:
        return show_column(request, playbook, column=column, refused=refused, status=NOT_VALID)
    context = {**frame(request, playbook, column), "refused": refused, "is_part": True, "all_changed": True}
    return render(request, "console/playbook/_saved.html", context)


def answer_conflict(request: StaffRequest, playbook: Playbook, error: Conflict) -> HttpResponse:
    """Say that somebody else was faster: what was typed stays, and the page can be loaded again."""
    if not request.htmx:
        raise error
    playbook.refresh_from_db()
    context = {"playbook": playbook, "conflict": error.message, "is_part": True}
    response = render(request, "console/playbook/_draft_bar.html", context)
    response["HX-Reswap"] = "none"
    return response


@admin_page
@require_POST
def playbook_undo(request: StaffRequest, key: str) -> HttpResponse:
    """Bring back what the draft was before the last change."""
    playbook = find_playbook(key)
    before = column_of(working_definition(playbook))
    undo(request, playbook, now=clock.now())
    return answer_saved(request, playbook, before, place="top")


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_discard(request: StaffRequest, key: str) -> HttpResponse:
    """Ask whether the draft should go; then throw it away."""
    playbook = find_playbook(key)
    if request.method == "POST":
        discard_draft(playbook=playbook, number=number_of(request), by=request.user)
        messages.success(request, _("The draft is gone; what is live stays as it is."))
        return redirect("console:playbook", key)
    return render(
        request, "console/playbook/discard.html", _compared(playbook) | {"crumbs": crumbs_of(playbook, _("Discard"))}
    )


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_publish(request: StaffRequest, key: str) -> HttpResponse:
    """Say what changes and why, and make the draft the live version."""
    playbook = find_playbook(key)
    compared = _compared(playbook)
    form = PublishPlaybookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if number_of(request) != playbook.draft_number:
                raise Conflict(_("The draft was changed since this page was shown; look at it again."))
            if compared["column"].is_blank:
                raise Conflict(_("It has no steps yet: add one first."))
            version = publish(
                playbook=playbook,
                definition=working_definition(playbook),
                author=request.user,
                note=form.cleaned_data["note"],
                now=clock.now(),
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            words = {"playbook": playbook.name, "number": version.number}
            messages.success(request, _("Version %(number)s of “%(playbook)s” is on.") % words)
            return redirect("console:playbook", key)
    context = {**compared, "form": form, "crumbs": crumbs_of(playbook, _("Publish"))}
    return render(request, "console/playbook/publish.html", context, status=NOT_VALID if form.errors else 200)


def _compared(playbook: Playbook) -> dict[str, Any]:
    raw = working_definition(playbook)
    column = column_of(raw)
    live = playbook.live_version.definition if playbook.live_version else None
    entering = None
    if not column.problems:
        entering = count_entering(playbook, load(raw), now=clock.now())
    return {
        "playbook": playbook,
        "column": column,
        "changes": changes_between(live, raw) if live and not column.problems else None,
        "entering": entering,
    }


@admin_page
@require_GET
def playbook_counts(request: StaffRequest, key: str) -> HttpResponse:
    """How many accounts the draft is about now, for the places in the column that show it."""
    playbook = find_playbook(key)
    if not request.htmx:
        return redirect("console:playbook_edit", key)
    column = column_of(working_definition(playbook))
    context: dict[str, Any] = {"playbook": playbook}
    if not column.problems:
        definition = load(column.definition)
        now = clock.now()
        held = count_steps(definition, now=now)
        context |= {
            "entry": definition.entry,
            "entering": count_entering(playbook, definition, now=now),
            "steps": [(card, held[card.step.id]) for card in column.cards if card.step.id in held],
        }
    return render(request, "console/playbook/_counts.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_json(request: StaffRequest, key: str) -> HttpResponse:
    """The definition as it is written: to read, to copy, and to put another in its place."""
    playbook = find_playbook(key)
    kept = json.dumps(working_definition(playbook), ensure_ascii=False, indent=2)
    form = DefinitionForm(request.POST or None, initial={"definition": kept})
    if request.method == "POST" and form.is_valid():
        try:
            given = json.loads(form.cleaned_data["definition"])
        except (ValueError, RecursionError):
            form.add_error("definition", _("This is not JSON; check its quotes, commas and brackets."))
        else:
            try:
                keep_draft(request, playbook, given, number=number_of(request), now=clock.now())
            except DomainError as error:
                form.add_error("definition", error.message)
                for path, sentence in error.fields.items():
                    if sentence not in error.message:
                        form.add_error("definition", f"{path}: {sentence}")
            else:
                return redirect("console:playbook_edit", key)
    context = {"playbook": playbook, "form": form, "crumbs": crumbs_of(playbook, _("JSON"))}
    return render(request, "console/playbook/json.html", context, status=NOT_VALID if form.errors else 200)
