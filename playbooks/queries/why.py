"""Why a task exists, and why a run went as it did: in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Event, Workspace
from playbooks.actions import REGISTRY
from playbooks.mail.lost import lost_words
from playbooks.models import Run, RunStep, Task
from playbooks.record import Teller, supports

MOST_TOLD = 3


def why_task(task: Task) -> list[str]:
    """Why the task exists: what was seen and when, oldest first; empty for one that a person made."""
    return Teller(Workspace.current().zone).why(task.why)


def tell_task(task: Task) -> tuple[str, str]:
    """Why the task exists, in two sentences: how it came about, and what made it be there when it was made."""
    teller = Teller(Workspace.current().zone)
    made_on = {"date": teller.day(task.created_at.isoformat())}
    if task.run is not None:
        return _began(task.run, task.why, teller), _made(task.run, task.why, teller, made_on)
    if task.series is not None:
        first = _("It comes again and again, since %(date)s.") % {"date": teller.date(task.series.starts_on)}
        return first, _("This one was made on %(date)s, and stays until somebody closes it.") % made_on
    told = Event.objects.filter(account=task.account_id, kind="task.created", happened_at=task.created_at)
    maker = told.filter(data__task=task.pk, user__isnull=False).select_related("user").first()
    if maker is not None and maker.user is not None:
        first = _("%(name)s made this task on %(date)s.") % {**made_on, "name": maker.user.name}
    else:
        first = _("Somebody on the team made this task on %(date)s.") % made_on
    return first, _("No playbook watches it: it stays until somebody closes it.")


def _began(run: Run, why: Sequence[Mapping[str, Any]], teller: Teller) -> str:
    words = {"playbook": run.playbook.name, "date": teller.day(run.entered_at.isoformat())}
    entered = run.steps.first()
    if entered is not None and "by" in entered.facts:
        return _("%(name)s started “%(playbook)s” on %(date)s.") % {**words, "name": entered.facts["by"]}
    because = _seen(why[0], teller) if why and why[0]["moment"] in ("entry", "event") else ""
    if not because:
        return _("“%(playbook)s” began on %(date)s.") % words
    return _("“%(playbook)s” began on %(date)s, because %(because)s.") % {**words, "because": because}


def _made(run: Run, why: Sequence[Mapping[str, Any]], teller: Teller, made_on: Mapping[str, str]) -> str:
    """What the run looked at last before it made the task, if it looked again at all."""
    before = {finding["attribute"] for reason in why[:1] for finding in reason.get("findings", ())}
    again = _seen(why[-1], teller, before) if len(why) > 1 else ""
    if again:
        return _("It looked again and made this task on %(date)s, because %(because)s.") % {**made_on, "because": again}
    if teller.day(run.entered_at.isoformat()) == made_on["date"]:
        return _("It made this task at once.")
    return _("It waited, and made this task on %(date)s.") % made_on


def _seen(reason: Mapping[str, Any], teller: Teller, before: Collection[str] = ()) -> str:
    """What was seen, within a sentence: the first of what speaks for it, and how much more there is."""
    if reason["moment"] == "event":
        return teller.happened(reason)
    spoken = [finding for finding in reason["findings"] if supports(finding)]
    told = [teller.clause(finding, again=finding["attribute"] in before) for finding in spoken[:MOST_TOLD]]
    if len(spoken) > MOST_TOLD:
        more = len(spoken) - MOST_TOLD
        told.append(ngettext("%(count)s thing more was so", "%(count)s things more were so", more) % {"count": more})
    return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a run in words: when, what was decided, and the sentences of what was seen then.

    ``step`` is the record that the words were made from; None for what a run at rest says of itself.
    """

    at: datetime
    words: str
    seen: tuple[str, ...]
    step: RunStep | None = None


def why_run(run: Run) -> list[Line]:
    """The run's own record, oldest first, and what it waits for, or what stopped it."""
    teller = Teller(Workspace.current().zone)
    steps = list(run.steps.all())
    lost = lost_words({step.facts["email"] for step in steps if "email" in step.facts})
    lines = [
        Line(
            step.taken_at,
            lost.get(step.facts.get("email", 0)) or step_words(step, teller),
            tuple(_seen_words(step.facts, teller)),
            step,
        )
        for step in steps
    ]
    if run.state == Run.State.WAITING and run.held:
        lines.append(Line(run.due_at, _("Stands still while the playbook is paused."), ()))
    if run.state == Run.State.PARKED:
        lines.append(Line(run.due_at, _("Needs attention: %(error)s") % {"error": run.error}, ()))
    return lines


def _seen_words(facts: Mapping[str, Any], teller: Teller) -> Iterator[str]:
    if "event" in facts:
        yield teller.event(facts["event"])
    if seen := facts.get("seen"):
        for finding in seen["findings"]:
            yield teller.finding(finding, at=seen["at"])


def step_words(step: RunStep, teller: Teller) -> str:
    facts = step.facts
    match step.decision:
        case RunStep.Decision.ENTERED:
            return _("Entered by hand, by %(name)s.") % {"name": facts["by"]} if "by" in facts else _("Entered.")
        case RunStep.Decision.WAITING:
            return _waiting_words(step, teller)
        case RunStep.Decision.ACTED:
            return _told(step)
        case RunStep.Decision.EXITED:
            return _exit_words(facts)
        case RunStep.Decision.MOVED:
            return _("Moved from version %(from)s to %(to)s by %(by)s.") % dict(facts)
    return _went_on_words(step, teller)


def _went_on_words(step: RunStep, teller: Teller) -> str:
    match step.kind, step.decision:
        case "wait_for_date", RunStep.Decision.PASSED if step.facts["until"] is None:
            return _("The date is not known, so it went on.")
        case "wait_for_date", RunStep.Decision.PASSED:
            return _("Waited until %(date)s and went on.") % {"date": teller.day(step.facts["until"])}
        case "wait_until", RunStep.Decision.PASSED:
            return _("It came true, so it went on.")
        case "branch", RunStep.Decision.TURNED:
            return _("Went the way that holds.")
    return {
        RunStep.Decision.STILL: _("Looked again: still so."),
        RunStep.Decision.TURNED: _("Looked again: not so any more, so it went another way."),
        RunStep.Decision.RECOVERED: _("Looked again: recovered, so it left quietly."),
        RunStep.Decision.REACHED: _("Reached its goal, so it left."),
        RunStep.Decision.PASSED: _("None of the ways holds, so it went on."),
        RunStep.Decision.EXPIRED: _("Waited as long as it may, and it did not come true."),
        RunStep.Decision.WATCHED: _("Held out: this was not done, so that its effect can be measured."),
        RunStep.Decision.FINISHED: _("Finished."),
    }[RunStep.Decision(step.decision)]


def _waiting_words(step: RunStep, teller: Teller) -> str:
    until = {"date": teller.day(step.facts["until"])}
    if step.facts.get("reason") == "quiet_hours":
        return _("Quiet hours at the customer: writes on %(date)s.") % {"date": teller.time(step.facts["until"])}
    if step.kind == "wait_until":
        return _("Waits for it to come true, until %(date)s at the latest.") % until
    return _("Waits until %(date)s.") % until


def _told(step: RunStep) -> str:
    action = REGISTRY.get(step.kind)
    return action.told(step.facts) if action is not None else _("Did something that is not known any more.")


def _exit_words(facts: Mapping[str, Any]) -> str:
    match facts.get("reason"):
        case "account_ended":
            return _("Left, because the account is no longer a customer.")
        case "account_back":
            return _("Left, because the account is a customer again.")
        case "by_hand":
            return _("Taken out by %(name)s.") % {"name": facts["by"]}
        case _:
            return _("Left, because its condition for leaving holds.")
