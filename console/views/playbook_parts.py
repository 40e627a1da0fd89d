"""Changing the parts of a draft where they stand: who enters, the rules, and the steps one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.conditions import ConditionError
from common import clock
from common.errors import Conflict, DomainError
from console.draft_history import keep_draft
from console.forms.condition_part import ConditionPart, NotComplete
from console.forms.playbook_editors import LOOK, Editor, EntryEditor, StepEditor
from console.forms.playbook_rules import RulesEditor
from console.queries.playbook_column import (
    Refusal,
    anchor,
    column_of,
    refusal_of,
    titles_of,
    working_definition,
)
from console.queries.playbook_counts import count_entering, count_holding
from console.queries.step_kinds import grouped_kinds, step_kinds
from console.staff import StaffRequest, admin_page
from console.views.playbook_draft import (
    NOT_VALID,
    answer_conflict,
    answer_refused,
    answer_saved,
    find_playbook,
    number_of,
    show_column,
    show_form,
)
from playbooks.definition.edit import (
    RawStep,
    duplicated,
    lost_steps,
    lost_ways,
    moved,
    place_of,
    removed,
    repaired,
)
from playbooks.definition.fields import DefinitionError
from playbooks.definition.parse import load
from playbooks.definition.steps import LIVE
from playbooks.models import Playbook


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_entry(request: StaffRequest, key: str) -> HttpResponse:
    """Who enters."""
    playbook = find_playbook(key)
    editor = EntryEditor(working_definition(playbook), data=_sent(request))
    return _edit(request, playbook, editor, url=reverse("console:playbook_entry", args=[key]))


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_rules(request: StaffRequest, key: str) -> HttpResponse:
    """What holds at every step."""
    playbook = find_playbook(key)
    editor = RulesEditor(working_definition(playbook), data=_sent(request))
    return _edit(request, playbook, editor, url=reverse("console:playbook_rules", args=[key]))


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_step(request: StaffRequest, key: str) -> HttpResponse:
    """Change the step that ``step`` names."""
    playbook = find_playbook(key)
    definition = working_definition(playbook)
    steps, place = _step(definition, request.GET.get("step", ""))
    editor = StepEditor(definition, data=_sent(request), step=steps[place])
    return _edit(request, playbook, editor, url=_url("console:playbook_step", key, step=steps[place]["id"]))


@admin_page
@require_http_methods(["GET", "POST"])
def playbook_step_new(request: StaffRequest, key: str) -> HttpResponse:
    """Add a step of ``kind`` after the one that ``after`` names; without a kind it is chosen."""
    playbook = find_playbook(key)
    definition = working_definition(playbook)
    after, kind = request.GET.get("after", ""), request.GET.get("kind", "")
    if after:
        _step(definition, after)
    if kind not in step_kinds():
        chosen: dict[str, Any] = {"after": after, "groups": grouped_kinds()}
        if request.htmx:
            return render(request, "console/playbook/_step_kinds.html", {"playbook": playbook, **chosen})
        return show_column(request, playbook, open_at=f"add-{anchor(after) if after else 'start'}", **chosen)
    editor = StepEditor(definition, data=_sent(request), kind=kind, after=after)
    return _edit(request, playbook, editor, url=_url("console:playbook_step_new", key, after=after, kind=kind))


def _sent(request: StaffRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _url(name: str, key: str, **query: str) -> str:
    return f"{reverse(name, args=[key])}?{urlencode(query)}"


def _step(definition: dict[str, Any], step_id: str) -> tuple[list[RawStep], int]:
    """The steps, and the place of the one with this id; 404 when it is gone."""
    steps: list[RawStep] = definition["steps"]
    place = place_of(steps, step_id)
    if place is None:
        raise Http404
    return steps, place


def _edit(request: StaffRequest, playbook: Playbook, editor: Editor, *, url: str) -> HttpResponse:
    """Show the form of a part, do what a button in it asks for, or keep what was typed."""
    if editor.button == LOOK:
        return _look(request, playbook, editor)
    if request.method == "GET" or editor.button:
        editor.press()
        return show_form(request, playbook, editor, url=url)
    before = column_of(working_definition(playbook))
    try:
        keep_draft(request, playbook, editor.changed(), number=number_of(request), now=clock.now())
    except NotComplete:
        return show_form(request, playbook, editor, url=url, status=NOT_VALID)
    except DefinitionError as error:
        editor.say(error.fields or {"": error.message}, before)
        return show_form(request, playbook, editor, url=url, status=NOT_VALID)
    except Conflict as error:
        return answer_conflict(request, playbook, error)
    shown = anchor(editor.id) if isinstance(editor, StepEditor) else editor.place
    return answer_saved(request, playbook, before, place=editor.place, shown=shown)


def _look(request: StaffRequest, playbook: Playbook, editor: Editor) -> HttpResponse:
    """How many accounts what was typed is about; nothing where that cannot be said yet."""
    context: dict[str, Any] = {"editor": editor}
    now = clock.now()
    try:
        if isinstance(editor, EntryEditor):
            definition = load(editor.changed())
            context |= {"entry": definition.entry, "entering": count_entering(playbook, definition, now=now)}
        else:
            audience = editor.definition.get("audience", {"all": []})
            is_live = editor.definition.get("customers", LIVE) == LIVE
            context["held"] = [
                (part.label, count_holding(part.read()[part.declared.name], audience, is_live=is_live, now=now))
                for part in _conditions(editor)
            ]
    except (NotComplete, ConditionError, DomainError, KeyError):
        context["is_open"] = True
    return render(request, "console/playbook/_looked.html", context)


def _conditions(editor: Editor) -> list[ConditionPart]:
    blocks = [block for form in editor.forms for block in form.every_block()]
    return [block for block in blocks if isinstance(block, ConditionPart)]


@admin_page
@require_POST
def playbook_step_move(request: StaffRequest, key: str) -> HttpResponse:
    """Move a step up, down, or to a place."""
    playbook = find_playbook(key)
    definition = working_definition(playbook)
    step_id, wanted = request.POST.get("step", ""), request.POST.get("to", "")
    steps, place = _step(definition, step_id)
    to = {"up": place - 1, "down": place + 1}.get(
        wanted, int(wanted) if wanted.isascii() and wanted.isdigit() else place
    )
    to = max(0, min(to, len(steps) - 1))
    return _arrange(request, playbook, definition, moved(steps, place, to), acted=step_id)


@admin_page
@require_POST
def playbook_step_remove(request: StaffRequest, key: str) -> HttpResponse:
    """Take a step out."""
    playbook = find_playbook(key)
    definition = working_definition(playbook)
    steps, place = _step(definition, request.POST.get("step", ""))
    following = steps[place + 1]["id"] if place + 1 < len(steps) else "finished"
    gone = steps[place]["id"]
    return _arrange(
        request, playbook, definition, removed(steps, place), acted=gone, instead={gone: following}, prunes=True
    )


@admin_page
@require_POST
def playbook_step_duplicate(request: StaffRequest, key: str) -> HttpResponse:
    """Put a second one like a step after it."""
    playbook = find_playbook(key)
    definition = working_definition(playbook)
    steps, place = _step(definition, request.POST.get("step", ""))
    after = duplicated(steps, place)
    return _arrange(request, playbook, definition, after, acted=steps[place]["id"], shown=after[place + 1]["id"])


def _arrange(
    request: StaffRequest,
    playbook: Playbook,
    definition: dict[str, Any],
    after: Sequence[RawStep],
    *,
    acted: str,
    instead: dict[str, str] | None = None,
    prunes: bool = False,
    shown: str = "",
) -> HttpResponse:
    """Keep another order of steps; where that breaks a way, say so at the step and offer what would mend it."""
    ways, steps = lost_ways(after), lost_steps(after)
    mended = repaired(after, instead or {}) if ways or (steps and prunes) else list(after)
    may_mend = mended != list(after) and not lost_ways(mended) and (prunes or len(mended) == len(after))
    if request.POST.get("fix") and may_mend:
        after, ways, steps = mended, [], []
    if ways or steps:
        sentences = refusal_of(definition, after, lost_ways=ways, lost_steps=steps)
        fix = _fix_words(definition, ways, after, mended) if may_mend else ""
        return answer_refused(request, playbook, anchor(acted), Refusal(sentences, fix), request.path)
    before = column_of(definition)
    try:
        keep_draft(request, playbook, {**definition, "steps": list(after)}, number=number_of(request), now=clock.now())
    except Conflict as error:
        return answer_conflict(request, playbook, error)
    except DefinitionError as error:
        return answer_refused(request, playbook, anchor(acted), Refusal((error.message,)), request.path)
    here = shown or (acted if place_of(after, acted) is not None else after[0]["id"])
    return answer_saved(request, playbook, before, place=anchor(acted), shown=anchor(here))


def _fix_words(
    definition: dict[str, Any], ways: Sequence[tuple[str, str]], after: Sequence[RawStep], mended: Sequence[RawStep]
) -> str:
    """What would be done so that the change is possible."""
    titles = titles_of(definition)
    kept = {step["id"] for step in mended}
    gone = [titles[step["id"]] for step in after if step["id"] not in kept]
    said = []
    if ways:
        origins = dict.fromkeys(origin for origin, _to in ways if origin in kept)
        goals = {origin: _new_goal(origin, after, mended) for origin in origins}
        said += [
            _("let %(from)s lead to %(to)s") % {"from": titles[origin], "to": titles.get(goal, _("the end"))}
            for origin, goal in goals.items()
        ]
    if gone:
        said.append(ngettext("remove %(steps)s too", "remove %(steps)s too", len(gone)) % {"steps": ", ".join(gone)})
    words = "; ".join(said)
    return f"{words[:1].upper()}{words[1:]}"


def _new_goal(origin: str, after: Sequence[RawStep], mended: Sequence[RawStep]) -> str:
    """Where the way of a step leads that was mended."""
    old = next(step for step in after if step["id"] == origin)
    new = next(step for step in mended if step["id"] == origin)
    for key in ("otherwise", "to"):
        if old.get(key) != new.get(key):
            return str(new[key])
    pairs = zip(old.get("ways", []), new.get("ways", []), strict=True)
    return next((str(mended_way["to"]) for way, mended_way in pairs if way != mended_way), "finished")
