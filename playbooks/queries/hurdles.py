"""What stands between an account and a playbook, with the value that was found at each leaf and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.conditions import Explanation, explain_several
from accounts.models import Account, Event, Workspace
from common.errors import DomainError
from playbooks.definition.parse import load
from playbooks.definition.steps import LIVE, ConditionEntry, DateEntry, Definition, EventEntry
from playbooks.models import EntryMatch, Playbook, Run
from playbooks.occasions import EVENTS, data_label, data_value
from playbooks.record import Observer, Teller, occasion


@dataclass(frozen=True, slots=True)
class Hurdle:
    """One thing that an account must pass to enter, whether it passes, and what was found."""

    name: str
    passed: bool
    words: tuple[str, ...]


def why_not(playbook: Playbook, account: Account, now: datetime) -> list[Hurdle]:
    """Every hurdle between the account and the playbook at ``now``; it would enter when all are passed."""
    switched_on = _switched_on(playbook)
    if playbook.live_version is None:
        return [switched_on]
    try:
        definition = load(playbook.live_version.definition)
        return [switched_on, *_Course(playbook, definition, account, now).hurdles()]
    except DomainError as error:
        return [Hurdle(_("Switched on"), False, (error.message,))]


def _switched_on(playbook: Playbook) -> Hurdle:
    words = {
        Playbook.Status.DRAFT: _("It was never published."),
        Playbook.Status.PAUSED: _("It is paused: nobody enters."),
        Playbook.Status.LIVE: playbook.problem,
    }[Playbook.Status(playbook.status)]
    return Hurdle(_("Switched on"), not words, (words,) if words else ())


class _Course:
    """The hurdles of one playbook as they stand before one account at ``now``."""

    def __init__(self, playbook: Playbook, definition: Definition, account: Account, now: datetime) -> None:
        workspace = Workspace.current()
        self.playbook, self.definition, self.account, self.now = playbook, definition, account, now
        self.teller, self.today = Teller(workspace.zone), workspace.day(now)

    def hurdles(self) -> Iterator[Hurdle]:
        """In the order in which they are taken; raises ConditionError when one cannot be looked at any more."""
        _standing, audience, entry_asks = self.definition.who_enters(self.today)["all"]
        asked = {"audience": audience, "entry": entry_asks}
        catalogue = self.teller.catalogue
        [explained] = explain_several(asked, [self.account.pk], now=self.now, catalogue=catalogue).values()
        yield self._standing()
        yield self._condition(_("Audience"), explained["audience"])
        match self.definition.entry:
            case EventEntry() as entry:
                yield Hurdle(_("Entry"), False, tuple(self._event_words(entry)))
            case ConditionEntry() | DateEntry():
                yield self._condition(_("Entry"), explained["entry"])
                yield from self._became_true()
            case _:
                yield Hurdle(_("Entry"), False, (_("Accounts enter it by hand only."),))
        yield from self._alone()
        yield from self._again()

    def _standing(self) -> Hurdle:
        ended = self.account.ended_at
        is_live = ended is None or ended > self.now
        if self.definition.customers == LIVE:
            words = _("It is no customer any more since %(date)s.") % {"date": self._day(ended)}
            return Hurdle(_("Is a customer"), is_live, () if is_live else (words,))
        words = _("It is a customer; the playbook is for those who are none any more.")
        return Hurdle(_("Is lost"), not is_live, (words,) if is_live else ())

    def _condition(self, name: str, explained: Explanation) -> Hurdle:
        return Hurdle(name, explained.holds, tuple(self.teller.findings(Observer(self.now).observe(explained))))

    def _became_true(self) -> Iterator[Hurdle]:
        entered = EntryMatch.objects.filter(playbook=self.playbook, account=self.account, entered_at__isnull=False)
        for match in entered:
            words = _("It entered on %(date)s; the condition must be false once before it enters again.") % {
                "date": self._day(match.entered_at)
            }
            yield Hurdle(_("Became true"), False, (words,))

    def _event_words(self, entry: EventEntry) -> Iterator[str]:
        """What must happen, and what happened last that was like it."""
        asked = ", ".join(f"{data_label(key)} {data_value(key, given)}" for key, given in entry.data.items())
        said = {"event": EVENTS.get(entry.event, entry.event), "asked": asked}
        yield (_("Enters when %(event)s: %(asked)s.") if asked else _("Enters when %(event)s.")) % said
        happened = Event.objects.filter(account=self.account, kind=entry.event, happened_at__lte=self.now)
        last = happened.select_related("contact").order_by("-happened_at", "-pk").first()
        if last is None:
            yield _("That has not happened to it yet.")
            return
        yield _("The last time: %(words)s") % {"words": self.teller.event(occasion(last))}
        for key, given in entry.data.items():
            if not EventEntry(entry.event, {key: given}).is_met_by(last.kind, last.data):
                found = data_value(key, last.data[key]) if key in last.data else _("is not known")
                yield _("Then: %(label)s %(found)s, not as asked.") % {"label": data_label(key), "found": found}

    def _alone(self) -> Iterator[Hurdle]:
        if self.definition.priority is None:
            return
        others = Run.objects.live().filter(account=self.account, is_alone=True).exclude(playbook=self.playbook)
        for other in others.select_related("playbook"):
            words = _("“%(playbook)s” has it since %(date)s; of playbooks with a priority it is in one at a time.") % {
                "playbook": other.playbook,
                "date": self._day(other.entered_at),
            }
            yield Hurdle(_("Free for it"), False, (words,))

    def _again(self) -> Iterator[Hurdle]:
        runs = Run.objects.filter(playbook=self.playbook, account=self.account)
        last = runs.order_by("-entered_at", "-id").first()
        if last is None:
            return
        if last.ended_at is None:
            words = _("It is in since %(date)s.") % {"date": self._day(last.entered_at)}
            yield Hurdle(_("Not in it already"), False, (words,))
        elif self.definition.reentry_after_days is None:
            yield Hurdle(_("May enter again"), False, (_("An account enters this playbook only once."),))
        else:
            again = last.ended_at + timedelta(days=self.definition.reentry_after_days)
            words = _("It may enter again from %(date)s.") % {"date": self._day(again)}
            yield Hurdle(_("May enter again"), again <= self.now, (words,))

    def _day(self, at: datetime | None) -> str:
        return self.teller.day(at.isoformat()) if at else ""
