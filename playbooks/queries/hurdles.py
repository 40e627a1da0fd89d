"""What stands between an account and a playbook, with the value that was found at each leaf and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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


class Rules:
    """The rules that hold back accounts of which all conditions hold, for some accounts at once; three queries.

    They tell in words what ``services.entering`` asks of each account that enters by itself.
    """

    def __init__(
        self, playbook: Playbook, definition: Definition, account_ids: Collection[int], *, now: datetime, teller: Teller
    ) -> None:
        self.definition, self.now, self.teller = definition, now, teller
        matches = EntryMatch.objects.filter(playbook=playbook, account__in=account_ids)
        self._entered_at = {account: at for account, at in matches.values_list("account", "entered_at") if at}
        runs = Run.objects.filter(playbook=playbook, account__in=account_ids).order_by("entered_at", "id")
        self._last = {run.account_id: run for run in runs.only("account", "entered_at", "ended_at")}
        elsewhere = Run.objects.live().filter(account__in=account_ids, is_alone=True).exclude(playbook=playbook)
        is_alone = definition.priority is not None
        self._others = {run.account_id: run for run in elsewhere.select_related("playbook")} if is_alone else {}

    def holding_back(self, account_id: int) -> list[Hurdle]:
        """The rules that do not let the account enter by a condition that holds."""
        every = (*self.became_true(account_id), *self.others(account_id), *self.again(account_id))
        return [hurdle for hurdle in every if not hurdle.passed]

    def became_true(self, account_id: int) -> Iterator[Hurdle]:
        """A condition must be false once between two entries."""
        if account_id in self._entered_at:
            words = _("It entered on %(date)s; the condition must be false once before it enters again.") % {
                "date": self._day(self._entered_at[account_id])
            }
            yield Hurdle(_("Became true"), False, (words,))

    def others(self, account_id: int) -> Iterator[Hurdle]:
        """Of playbooks with a priority an account is in one at a time."""
        if account_id in self._others:
            other = self._others[account_id]
            words = _("“%(playbook)s” has it since %(date)s; of playbooks with a priority it is in one at a time.") % {
                "playbook": other.playbook,
                "date": self._day(other.entered_at),
            }
            yield Hurdle(_("Free for it"), False, (words,))

    def again(self, account_id: int) -> Iterator[Hurdle]:
        """One run at a time, and the re-entry rule."""
        last = self._last.get(account_id)
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

    def _day(self, at: datetime) -> str:
        return self.teller.day(at.isoformat())


class _Course:
    """The hurdles of one playbook as they stand before one account at ``now``."""

    def __init__(self, playbook: Playbook, definition: Definition, account: Account, now: datetime) -> None:
        workspace = Workspace.current()
        self.playbook, self.definition, self.account, self.now = playbook, definition, account, now
        self.teller, self.today = Teller(workspace.zone), workspace.day(now)
        self.rules = Rules(playbook, definition, [account.pk], now=now, teller=self.teller)

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
                yield from self.rules.became_true(self.account.pk)
            case _:
                yield Hurdle(_("Entry"), False, (_("Accounts enter it by hand only."),))
        yield from self.rules.others(self.account.pk)
        yield from self.rules.again(self.account.pk)

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

    def _day(self, at: datetime | None) -> str:
        return self.teller.day(at.isoformat()) if at else ""
