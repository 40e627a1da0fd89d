"""What a playbook does, step by step and in words, with how many runs stand at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.conditions import Describer, Phrase
from accounts.models import Stage, User
from common.errors import DomainError
from health.models import Band
from playbooks.actions.stage import StageAction
from playbooks.actions.survey import SurveyAction
from playbooks.actions.task import OWNER, TaskAction
from playbooks.definition.parse import ENDINGS, load
from playbooks.definition.steps import END, Act, Check, ConditionEntry, Definition, EventEntry, Step, Stop, Wait
from playbooks.models import PlaybookVersion, Run, RunStep, Task
from surveys.models import Survey
from surveys.scales import Category

EVENTS = {
    "survey.answered": gettext_lazy("a customer answers a survey"),
    "survey.changed": gettext_lazy("a customer changes an answer"),
    "health.band_changed": gettext_lazy("the health band changes"),
    "health.dropped": gettext_lazy("health falls far within a week"),
    "health.band_restated": gettext_lazy("a new formula moves an account to another health band"),
    "health.overridden": gettext_lazy("somebody sets the health score by hand"),
    "health.override_ended": gettext_lazy("a health score set by hand ends"),
    "health.score.band_changed": gettext_lazy("the band of another score changes"),
    "health.score.dropped": gettext_lazy("another score falls far within a week"),
    "stage.entered": gettext_lazy("an account enters a stage"),
    "ticket.opened": gettext_lazy("a ticket is opened"),
    "ticket.solved": gettext_lazy("a ticket is solved"),
    "ticket.reopened": gettext_lazy("a ticket is opened again"),
    "subscription.started": gettext_lazy("a subscription starts"),
    "subscription.ended": gettext_lazy("a subscription ends"),
    "touchpoint.logged": gettext_lazy("a touchpoint is logged"),
    "task.done": gettext_lazy("a task is done"),
}


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step in words. ``here`` runs stand at it now, ``parked`` of them need attention; ``past`` tells of others."""

    id: str
    icon: str
    title: str
    phrase: Phrase | None = None
    notes: tuple[str, ...] = ()
    guidance: str = ""
    survey: str = ""
    here: int = 0
    parked: int = 0
    past: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version of a playbook in words; ``problem`` instead of steps when it cannot be read."""

    version: PlaybookVersion
    entry: str = ""
    entry_phrase: Phrase | None = None
    audience: Phrase | None = None
    exit: Phrase | None = None
    reentry: str = ""
    steps: tuple[ShownStep, ...] = ()
    problem: str = ""


def shown_version(version: PlaybookVersion, user: User) -> ShownVersion:
    """What the version does, with the runs at each step on the accounts that ``user`` may see.

    A fixed number of queries, whatever the number of steps and runs.
    """
    try:
        definition = load(version.definition)
    except DomainError as error:
        return ShownVersion(version, problem=error.message)
    describer = Describer()
    entry, entry_phrase = _entry(definition, describer)
    return ShownVersion(
        version=version,
        entry=entry,
        entry_phrase=entry_phrase,
        audience=None if definition.audience == {"all": []} else describer.describe(definition.audience),
        exit=describer.describe(definition.exit) if definition.exit is not None else None,
        reentry=_reentry(definition.reentry_after_days),
        steps=tuple(_shown_steps(definition.steps, _Figures.of(version, definition, user), describer)),
    )


def _entry(definition: Definition, describer: Describer) -> tuple[str, Phrase | None]:
    match definition.entry:
        case ConditionEntry(condition=condition):
            return _("Enters when this becomes true"), describer.describe(condition)
        case EventEntry(event=event, data=data):
            words = str(EVENTS.get(event, event))
            parts = tuple(Phrase("leaf", _data_label(key), _data_value(key, given)) for key, given in data.items())
            return _("Enters when %(event)s") % {"event": words}, Phrase("all", parts=parts) if parts else None
    return _("Enters by hand, when somebody says so"), None


def _data_label(key: str) -> str:
    known = {
        "category": _("Category"),
        "kind": _("Kind"),
        "stage": _("Stage"),
        "from": _("From"),
        "to": _("To"),
        "survey": _("Survey"),
        "score": _("Score"),
        "named": _("Which score"),
        "how": _("How it ended"),
    }
    return known.get(key, key)


def _data_value(key: str, given: Any) -> str:
    known: dict[str, Mapping[str, Any]] = {
        "category": dict(Category.choices),
        "kind": dict(Survey.Kind.choices),
        "from": dict(Band.choices),
        "to": dict(Band.choices),
    }
    return _("is %(given)s") % {"given": known.get(key, {}).get(str(given), given)}


def _reentry(days: int | None) -> str:
    if days is None:
        return _("An account enters once only.")
    if days == 0:
        return _("An account may enter again as soon as it has left.")
    return ngettext(
        "An account may enter again %(days)s day after it left.",
        "An account may enter again %(days)s days after it left.",
        days,
    ) % {"days": days}


@dataclass
class _Figures:
    """How many runs stand at each step, how many of those need attention, and what was decided there before."""

    here: Counter[str] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    surveys: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, version: PlaybookVersion, definition: Definition, user: User) -> _Figures:
        figures = cls()
        runs = Run.objects.visible_to(user).filter(playbook=version.playbook_id, version=version)
        standing = runs.live().order_by().values_list("step", "state").annotate(Count("pk"))
        for step, state, count in standing:
            place = standing_at(definition, step, is_parked=state == Run.State.PARKED)
            figures.here[place] += count
            if state == Run.State.PARKED:
                figures.parked[place] += count
        taken = RunStep.objects.filter(run__in=runs, kind="check").order_by()
        for step, decision, count in taken.values_list("step", "decision").annotate(Count("pk")):
            figures.decided[step, decision] = count
        figures.name(definition.steps)
        return figures

    def name(self, steps: Iterable[Step]) -> None:
        """Read the names of the surveys and stages that the steps name by key."""
        actions = [step.action for step in steps if isinstance(step, Act)]
        asked = [action.survey for action in actions if isinstance(action, SurveyAction)]
        entered = [action.stage for action in actions if isinstance(action, StageAction)]
        self.surveys = dict(Survey.objects.filter(key__in=asked).values_list("key", "name")) if asked else {}
        self.stages = dict(Stage.objects.filter(key__in=entered).values_list("key", "name")) if entered else {}


def standing_at(definition: Definition, step: str, *, is_parked: bool) -> str:
    """Where people would say that a run stands: in the wait before the step that it will do next."""
    ids = [one.id for one in definition.steps]
    following = len(ids) if step == END else ids.index(step) if step in ids else 0
    if following and not is_parked and isinstance(definition.steps[following - 1], Wait):
        return ids[following - 1]
    return step


def _shown_steps(steps: Iterable[Step], figures: _Figures, describer: Describer) -> Iterator[ShownStep]:
    for step in steps:
        here, parked = figures.here[step.id], figures.parked[step.id]
        match step:
            case Wait():
                yield ShownStep(step.id, "clock", _wait_words(step), here=here, parked=parked)
            case Check():
                yield ShownStep(
                    step.id,
                    "eye",
                    _("Look again: is it still so?"),
                    phrase=describer.describe(step.condition),
                    notes=(_otherwise_words(step),),
                    here=here,
                    parked=parked,
                    past=tuple(_decided(step, figures)),
                )
            case Act():
                yield _shown_action(step, figures, here, parked)
            case Stop():
                yield ShownStep(step.id, "check", _("Finish here"), here=here, parked=parked)


def _wait_words(step: Wait) -> str:
    if step.hours:
        return ngettext("Wait %(count)s hour", "Wait %(count)s hours", step.hours) % {"count": step.hours}
    if step.days:
        return ngettext("Wait %(count)s day", "Wait %(count)s days", step.days) % {"count": step.days}
    count = step.business_days
    return ngettext("Wait %(count)s business day", "Wait %(count)s business days", count) % {"count": count}


def _otherwise_words(step: Check) -> str:
    known = {
        "recovered": _("If not, it has recovered and leaves quietly."),
        "exited": _("If not, it leaves."),
        "finished": _("If not, it is finished."),
    }
    if step.otherwise in ENDINGS:
        return known[step.otherwise]
    return _("If not, it goes on at “%(step)s”.") % {"step": step.otherwise}


def _decided(step: Check, figures: _Figures) -> Iterator[str]:
    still = figures.decided[step.id, RunStep.Decision.STILL]
    gone = sum(count for (place, decision), count in figures.decided.items() if place == step.id) - still
    if still or gone:
        yield ngettext("still so %(count)s time", "still so %(count)s times", still) % {"count": still}
        words = (
            ngettext("recovered %(count)s time", "recovered %(count)s times", gone)
            if step.otherwise == "recovered"
            else ngettext("not so %(count)s time", "not so %(count)s times", gone)
        )
        yield words % {"count": gone}


def _shown_action(step: Act, figures: _Figures, here: int, parked: int) -> ShownStep:
    match step.action:
        case TaskAction() as action:
            due = ngettext("due after %(count)s day", "due after %(count)s days", action.due_in_days)
            whom = _("for the account's CSM") if action.assign == OWNER else _("for %(who)s") % {"who": action.assign}
            severity = _("severity: %(severity)s") % {"severity": Task.Severity(action.severity).label}
            return ShownStep(
                step.id,
                "task",
                _("Make the task “%(title)s”") % {"title": action.title},
                notes=(" · ".join((whom, due % {"count": action.due_in_days}, severity)),),
                guidance=action.guidance,
                here=here,
                parked=parked,
            )
        case SurveyAction(survey=key):
            title = _("Send the survey “%(survey)s”") % {"survey": figures.surveys.get(key, key)}
            known = key if key in figures.surveys else ""
            return ShownStep(step.id, "survey", title, survey=known, here=here, parked=parked)
        case StageAction(stage=key):
            title = _("Move the account to the stage “%(stage)s”") % {"stage": figures.stages.get(key, key)}
            return ShownStep(step.id, "stage", title, here=here, parked=parked)
    return ShownStep(step.id, "playbook", step.action.words(), here=here, parked=parked)


def steps_ahead(run: Run) -> list[ShownStep]:
    """What is still ahead of a live run on the version that it started on; empty when that cannot be read."""
    definition = definition_of(run.version)
    if definition is None or run.state not in Run.LIVE or not definition.has_step(run.step):
        return []
    ahead = definition.steps[[step.id for step in definition.steps].index(run.step) :]
    figures = _Figures()
    figures.name(ahead)
    return list(_shown_steps(ahead, figures, Describer()))


def definition_of(version: PlaybookVersion) -> Definition | None:
    """The definition of a version; None when it cannot be read any more."""
    try:
        return load(version.definition)
    except DomainError:
        return None
