"""What a playbook does, step by step and in words, with how many runs stand at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Count
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.conditions import Describer, Phrase
from accounts.models import User
from common.errors import DomainError
from playbooks.actions import Names
from playbooks.definition.parse import load
from playbooks.definition.quiet import QuietHours
from playbooks.definition.steps import (
    END,
    LOST,
    Act,
    Branch,
    Check,
    ConditionEntry,
    DateEntry,
    Definition,
    EventEntry,
    Go,
    Step,
    Wait,
    WaitForDate,
    WaitUntil,
    Way,
)
from playbooks.models import PlaybookVersion, Run, RunStep
from playbooks.occasions import EVENTS, data_label, data_value


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step in words. ``here`` runs stand at it now, ``parked`` of them need attention; ``past`` tells of others."""

    id: str
    icon: str
    title: str
    phrase: Phrase | None = None
    notes: tuple[str, ...] = ()
    guidance: str = ""
    url: str = ""
    here: int = 0
    parked: int = 0
    past: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A definition in words; ``problem`` instead of steps when it cannot be read. A draft is of no ``version`` yet."""

    version: PlaybookVersion | None = None
    entry: str = ""
    entry_phrase: Phrase | None = None
    is_for_lost: bool = False
    audience: Phrase | None = None
    goal: Phrase | None = None
    exit: Phrase | None = None
    quiet_hours: str = ""
    priority: str = ""
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
    return replace(_shown(definition, _Figures.of(version, definition, user)), version=version)


def shown_definition(definition: Definition, describer: Describer | None = None) -> ShownVersion:
    """What a definition does that is not published, such as a draft."""
    figures = _Figures()
    figures.name(definition.steps)
    return _shown(definition, figures, describer)


def _shown(definition: Definition, figures: _Figures, describer: Describer | None = None) -> ShownVersion:
    describer = describer or Describer()
    entry, entry_phrase = _entry(definition, describer)
    return ShownVersion(
        entry=entry,
        entry_phrase=entry_phrase,
        is_for_lost=definition.customers == LOST,
        audience=None if definition.audience == {"all": []} else describer.describe(definition.audience),
        goal=describer.describe(definition.goal) if definition.goal is not None else None,
        exit=describer.describe(definition.exit) if definition.exit is not None else None,
        quiet_hours=_quiet_words(definition.quiet_hours),
        priority=_priority_words(definition.priority),
        reentry=_reentry(definition.reentry_after_days),
        steps=tuple(_shown_steps(definition.steps, figures, describer)),
    )


def _entry(definition: Definition, describer: Describer) -> tuple[str, Phrase | None]:
    match definition.entry:
        case ConditionEntry(condition=condition):
            return _("Enters when this becomes true"), describer.describe(condition)
        case EventEntry(event=event, data=data):
            words = str(EVENTS.get(event, event))
            parts = tuple(Phrase("leaf", data_label(key), data_value(key, given)) for key, given in data.items())
            return _("Enters when %(event)s") % {"event": words}, Phrase("all", parts=parts) if parts else None
        case DateEntry(attribute=key, days=days):
            return _("Enters %(when)s") % {"when": _day_words(describer.label(key), days)}, None
    return _("Enters by hand, when somebody says so"), None


def _day_words(label: str, days: int) -> str:
    """A day that is so many days before or after a date."""
    if days == 0:
        return _("on the day: %(date)s") % {"date": label}
    count = abs(days)
    words = (
        ngettext("%(count)s day before: %(date)s", "%(count)s days before: %(date)s", count)
        if days < 0
        else ngettext("%(count)s day after: %(date)s", "%(count)s days after: %(date)s", count)
    )
    return words % {"count": count, "date": label}


def _quiet_words(quiet: QuietHours | None) -> str:
    if quiet is None:
        return ""
    hours = {"start": f"{quiet.start}:00", "end": f"{quiet.end}:00"}
    if quiet.weekends:
        return _("Writes to nobody from %(start)s to %(end)s and at weekends, by the clock of the reader.") % hours
    return _("Writes to nobody from %(start)s to %(end)s, by the clock of the reader.") % hours


def _priority_words(priority: int | None) -> str:
    if priority is None:
        return ""
    return _("Priority %(priority)s: of playbooks with a priority, an account is in one at a time.") % {
        "priority": priority
    }


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
    names: Names = field(default_factory=Names)

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
        """Read the names of what the steps name by key."""
        self.names = names_in(steps)


def standing_at(definition: Definition, step: str, *, is_parked: bool) -> str:
    """Where people would say that a run stands: in the wait before the step that it will do next."""
    ids = [one.id for one in definition.steps]
    following = len(ids) if step == END else ids.index(step) if step in ids else 0
    if following and not is_parked and isinstance(definition.steps[following - 1], Wait):
        return ids[following - 1]
    return step


def _shown_steps(steps: Iterable[Step], figures: _Figures, describer: Describer) -> Iterator[ShownStep]:
    for step in steps:
        shown = _shown_action(step, figures) if isinstance(step, Act) else _shown_step(step, figures, describer)
        yield replace(shown, here=figures.here[step.id], parked=figures.parked[step.id])


def _shown_step(step: Step, figures: _Figures, describer: Describer) -> ShownStep:
    match step:
        case Wait() | WaitForDate() | WaitUntil():
            return _shown_wait(step, describer)
        case Check():
            return ShownStep(
                step.id,
                "eye",
                _("Look again: is it still so?"),
                phrase=describer.describe(step.condition),
                notes=(_otherwise_words(step.otherwise),),
                past=tuple(_decided(step, figures)),
            )
        case Branch():
            return ShownStep(
                step.id,
                "journey",
                _("Go the first way that holds"),
                phrase=Phrase("any", parts=tuple(_way_phrase(way, describer) for way in step.ways)),
            )
        case Go(to=to):
            return ShownStep(step.id, "arrow-right", _go_words(to))
    return ShownStep(step.id, "check", _("Finish here"))


def _shown_wait(step: Wait | WaitForDate | WaitUntil, describer: Describer) -> ShownStep:
    match step:
        case WaitForDate():
            return ShownStep(step.id, "calendar", _wait_for_date_words(step, describer))
        case WaitUntil():
            return ShownStep(
                step.id,
                "clock",
                _("Wait until this becomes true, at most %(length)s") % {"length": _length_words(step)},
                phrase=describer.describe(step.condition),
                notes=(_otherwise_words(step.otherwise),),
            )
    return ShownStep(step.id, "clock", _("Wait %(length)s") % {"length": _length_words(step)})


def _way_phrase(way: Way, describer: Describer) -> Phrase:
    return Phrase("all", parts=(describer.describe(way.when), Phrase("leaf", _go_words(way.to), "")))


def _go_words(to: str) -> str:
    return {
        "recovered": _("Leave as recovered"),
        "exited": _("Leave"),
        "finished": _("Finish"),
    }.get(to) or _("Go on at “%(step)s”") % {"step": to}


def _length_words(step: Wait | WaitUntil) -> str:
    if step.hours:
        return ngettext("%(count)s hour", "%(count)s hours", step.hours) % {"count": step.hours}
    if step.days:
        return ngettext("%(count)s day", "%(count)s days", step.days) % {"count": step.days}
    count = step.business_days
    return ngettext("%(count)s business day", "%(count)s business days", count) % {"count": count}


def _wait_for_date_words(step: WaitForDate, describer: Describer) -> str:
    if step.day is not None:
        return _("Wait until %(date)s") % {"date": formats.date_format(step.day, "DATE_FORMAT")}
    return _("Wait until %(when)s") % {"when": _day_words(describer.label(step.attribute), step.days)}


def _otherwise_words(otherwise: str) -> str:
    known = {
        "recovered": _("If not, it has recovered and leaves quietly."),
        "exited": _("If not, it leaves."),
        "finished": _("If not, it is finished."),
    }
    return known.get(otherwise) or _("If not, it goes on at “%(step)s”.") % {"step": otherwise}


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


def _shown_action(step: Act, figures: _Figures) -> ShownStep:
    shown = step.action.shown(figures.names)
    url = ""
    if shown.page is not None:
        source, key = shown.page
        url = reverse(f"console:{source.page}", args=[key])
    return ShownStep(step.id, step.action.icon, shown.title, notes=shown.notes, guidance=shown.guidance, url=url)


def steps_ahead(run: Run) -> list[ShownStep]:
    """What is still ahead of a live run on the version that it started on; empty when that cannot be read."""
    definition = definition_of(run.version)
    if definition is None or run.state not in Run.LIVE or not definition.has_step(run.step):
        return []
    ahead = definition.steps[[step.id for step in definition.steps].index(run.step) :]
    figures = _Figures()
    figures.name(ahead)
    return list(_shown_steps(ahead, figures, Describer()))


def next_steps(runs: Sequence[Run]) -> list[Step | None]:
    """The step that each of the runs does next; None where that cannot be read. Needs their versions at hand."""
    versions = {run.version_id: run.version for run in runs}
    definitions = {pk: definition_of(version) for pk, version in versions.items()}
    return [_next_step(run, definitions[run.version_id]) for run in runs]


def _next_step(run: Run, definition: Definition | None) -> Step | None:
    if definition is None or not definition.has_step(run.step):
        return None
    return definition.step(run.step)


def names_in(steps: Iterable[Step | None]) -> Names:
    """The names of what the actions among the steps name by key."""
    return Names(step.action for step in steps if isinstance(step, Act))


def definition_of(version: PlaybookVersion) -> Definition | None:
    """The definition of a version; None when it cannot be read any more."""
    try:
        return load(version.definition)
    except DomainError:
        return None
