"""Why a task exists, why a run went as it did, and why an account did not enter: in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.conditions import ConditionError, Explanation, explain
from accounts.models import Account, Workspace
from playbooks.actions import REGISTRY
from playbooks.definition.parse import load
from playbooks.definition.steps import LIVE, ConditionEntry, DateEntry, Definition, EventEntry
from playbooks.models import EntryMatch, Playbook, Run, RunStep, Task
from playbooks.record import Observer, Teller


def why_task(task: Task) -> list[str]:
    """Why the task exists: what was seen and when, oldest first; empty for one that a person made."""
    return Teller(Workspace.current().zone).why(task.why)


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
    lines = [
        Line(step.taken_at, _step_words(step, teller), tuple(_seen_words(step.facts, teller)), step)
        for step in run.steps.all()
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


def _step_words(step: RunStep, teller: Teller) -> str:
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
        return _("Quiet hours at the customer: writes on %(date)s.") % until
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


@dataclass(frozen=True, slots=True)
class Hurdle:
    """One thing that an account must pass to enter, whether it passes, and what was found."""

    name: str
    passed: bool
    words: tuple[str, ...]


def why_not(playbook: Playbook, account: Account, now: datetime) -> list[Hurdle]:
    """Every hurdle between the account and the playbook at ``now``; it would enter when all are passed."""
    hurdles = [_switched_on(playbook)]
    if playbook.live_version is None:
        return hurdles
    definition = load(playbook.live_version.definition)
    workspace = Workspace.current()
    teller = Teller(workspace.zone)
    try:
        explained = explain(definition.who_enters(workspace.day(now)), [account.pk], now=now)[account.pk]
    except ConditionError as error:
        return [Hurdle(_("Switched on"), False, (error.message,))]
    is_live = account.ended_at is None or account.ended_at > now
    standing = (_("Is a customer"), is_live) if definition.customers == LIVE else (_("Is lost"), not is_live)
    hurdles += [
        Hurdle(*standing, ()),
        _condition_hurdle(_("Audience"), definition.audience, explained, "all[1]", account, now, teller),
        *_entry_hurdles(playbook, definition, explained, account, now, teller),
        *_run_hurdles(playbook, definition, account, now, teller),
    ]
    return hurdles


def _switched_on(playbook: Playbook) -> Hurdle:
    words = {
        Playbook.Status.DRAFT: _("It was never published."),
        Playbook.Status.PAUSED: _("It is paused: nobody enters."),
        Playbook.Status.LIVE: playbook.problem,
    }[Playbook.Status(playbook.status)]
    return Hurdle(_("Switched on"), not words, (words,) if words else ())


def _condition_hurdle(
    name: str,
    condition: dict[str, Any],
    whole: Explanation,
    place: str,
    account: Account,
    now: datetime,
    teller: Teller,
) -> Hurdle:
    seen = Observer(now).observe(whole, within=place)
    holds = explain(condition, [account.pk], now=now, catalogue=teller.catalogue)[account.pk].holds
    words = tuple(teller.finding(finding, at=seen["at"]) for finding in seen["findings"])
    return Hurdle(name, holds, words)


def _entry_hurdles(
    playbook: Playbook,
    definition: Definition,
    explained: Explanation,
    account: Account,
    now: datetime,
    teller: Teller,
) -> Iterator[Hurdle]:
    match definition.entry:
        case EventEntry(event=event):
            yield Hurdle(_("Entry"), False, (_("Enters when the event “%(event)s” happens.") % {"event": event},))
        case ConditionEntry() | DateEntry():
            condition = definition.who_enters(Workspace.current().day(now))["all"][2]
            yield _condition_hurdle(_("Entry"), condition, explained, "all[2]", account, now, teller)
            match_ = EntryMatch.objects.filter(playbook=playbook, account=account, entered_at__isnull=False).first()
            if match_ is not None and match_.entered_at is not None:
                words = _("It entered on %(date)s; the condition must be false once before it enters again.") % {
                    "date": teller.day(match_.entered_at.isoformat())
                }
                yield Hurdle(_("Became true"), False, (words,))
        case _:
            yield Hurdle(_("Entry"), False, (_("Accounts enter it by hand only."),))


def _run_hurdles(
    playbook: Playbook, definition: Definition, account: Account, now: datetime, teller: Teller
) -> Iterator[Hurdle]:
    last = Run.objects.filter(playbook=playbook, account=account).order_by("-entered_at", "-id").first()
    if definition.priority is not None:
        other = Run.objects.live().filter(account=account, is_alone=True).exclude(playbook=playbook).first()
        if other is not None:
            words = _("“%(playbook)s” has it; of playbooks with a priority an account is in one at a time.") % {
                "playbook": other.playbook
            }
            yield Hurdle(_("Free for it"), False, (words,))
    if last is None:
        return
    if last.ended_at is None:
        words = _("It is in since %(date)s.") % {"date": teller.day(last.entered_at.isoformat())}
        yield Hurdle(_("Not in it already"), False, (words,))
    elif definition.reentry_after_days is None:
        yield Hurdle(_("May enter again"), False, (_("An account enters this playbook only once."),))
    else:
        again = last.ended_at + timedelta(days=definition.reentry_after_days)
        words = _("It may enter again from %(date)s.") % {"date": teller.day(again.isoformat())}
        yield Hurdle(_("May enter again"), again <= now, (words,))
