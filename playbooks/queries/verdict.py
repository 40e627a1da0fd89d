"""For any account and playbook: what made it fire, what it waits for, or what kept it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.conditions import explain_several
from accounts.models import Account, Workspace
from common.errors import DomainError
from playbooks.definition.parse import load
from playbooks.models import Playbook, Run, RunStep
from playbooks.queries.hurdles import Hurdle, why_not
from playbooks.queries.why import Line, step_words, why_run
from playbooks.record import Observer, Teller


class Answer(models.TextChoices):
    """How an account stands to a playbook."""

    WAITS = "waits", gettext_lazy("It fired, and waits")
    STUCK = "needs_attention", gettext_lazy("It fired, and needs attention")
    FIRED = "fired", gettext_lazy("It fired")
    DID_NOT = "did_not_fire", gettext_lazy("It did not fire")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one account and playbook, of its latest run if there is one, in sentences.

    ``because`` is what made it enter, ``outcome`` what the run came to, ``waits_for`` what a live one waits for, and
    ``looks_at`` what its next turn looks at, with the values that would be found now. ``hurdles`` are those of entering
    now, for the first time or again.
    """

    answer: Answer
    run: Run | None
    hurdles: list[Hurdle]
    because: tuple[str, ...] = ()
    outcome: str = ""
    waits_for: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Hurdle]:
        """The hurdles that it does not pass."""
        return [hurdle for hurdle in self.hurdles if not hurdle.passed]

    @property
    def did_not_because(self) -> tuple[str, ...]:
        """What keeps it out now: the words of every hurdle that it does not pass."""
        return tuple(f"{hurdle.name}: {words}" for hurdle in self.failed for words in hurdle.words or ("",))


def why(playbook: Playbook, account: Account, now: datetime) -> Verdict:
    """Why the playbook fired for the account, what it waits for, or why it did not, at ``now``."""
    hurdles = why_not(playbook, account, now)
    runs = Run.objects.filter(playbook=playbook, account=account)
    run = runs.select_related("playbook", "version").prefetch_related("steps").first()
    if run is None:
        return Verdict(Answer.DID_NOT, None, hurdles)
    lines = why_run(run)
    because = lines[0].seen or (lines[0].words,)
    outcome = next((line.words for line in reversed(lines[1:]) if not _is_end(line)), "")
    if run.ended_at is not None:
        return Verdict(Answer.FIRED, run, hurdles, because, outcome)
    answer = Answer.STUCK if run.state == Run.State.PARKED else Answer.WAITS
    return Verdict(answer, run, hurdles, because, outcome, tuple(_waits_for(run, now)), tuple(_looks_at(run, now)))


def _is_end(line: Line) -> bool:
    """Whether the line says no more than that the run is over."""
    return line.step is not None and line.step.decision == RunStep.Decision.FINISHED


def _waits_for(run: Run, now: datetime) -> Iterator[str]:
    """What has to come before a live run goes on."""
    teller = Teller(Workspace.current().zone)
    if run.state == Run.State.PARKED:
        yield _("Somebody has to help: %(error)s") % {"error": run.error}
        return
    if run.held:
        yield _("Stands still while the playbook is paused.")
    last = list(run.steps.all())[-1]
    again = run.retry_at if run.error else None
    if again is not None and again > now:
        words = _("Did not succeed yet (%(error)s); tries again on %(date)s.")
        yield words % {"error": run.error, "date": teller.day(again.isoformat())}
    elif last.decision == RunStep.Decision.WAITING:
        yield step_words(last, teller)
    elif run.due_at > now:
        yield _("Goes on on %(date)s.") % {"date": teller.day(run.due_at.isoformat())}
    if run.due_at <= now and again is None and not run.held:
        yield _("Its time has come: it goes on within minutes.")
    if run.is_held_out:
        yield _("It is held out: it goes through every step and does nothing, so that the effect can be measured.")


def _looks_at(run: Run, now: datetime) -> Iterator[str]:
    """What the next turn of a live run looks at, as it is now."""
    teller = Teller(Workspace.current().zone)
    try:
        asked = load(run.version.definition).looks_ahead(run.step)
        [explained] = explain_several(asked, [run.account_id], now=now, catalogue=teller.catalogue).values()
    except DomainError as error:
        if run.state != Run.State.PARKED:  # which says so itself
            yield str(error)
        return
    for each in explained.values():
        yield from teller.findings(Observer(now).observe(each))
