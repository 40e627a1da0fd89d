"""Who would enter a playbook now and why, and whom a rule holds back of whom all else holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.conditions import explain, matching_ids
from accounts.models import Account, User, Workspace
from common.sql import SQL, rows
from playbooks.definition.steps import ConditionEntry, DateEntry, Definition
from playbooks.models import Playbook
from playbooks.queries.hurdles import Rules
from playbooks.record import Observer, Teller
from playbooks.services.entering import ENTRY_PLACE, may_enter
from playbooks.services.holdouts import would_be_held_out

MATCHING = SQL("SELECT account_id, {lets_in} FROM ({matching}) m ORDER BY account_id")
NOT_IN_YET = SQL("""
NOT EXISTS (
    SELECT 1 FROM playbooks_entrymatch e
    WHERE e.playbook_id = {playbook} AND e.account_id = m.account_id AND e.entered_at IS NOT NULL
)
""")


def is_watched(definition: Definition) -> bool:
    """Whether accounts enter by what is true of them, and not by what happens or by hand."""
    return isinstance(definition.entry, ConditionEntry | DateEntry)


def lets_in(playbook: Playbook, definition: Definition, now: datetime) -> SQL:
    """Whether the rules let ``m.account_id`` enter, of which the conditions hold, as live entries ask it."""
    key = SQL("%s::bigint", (playbook.pk,))
    rule = may_enter(definition, key, now)
    return SQL("({} AND {})").format(rule, NOT_IN_YET.format(playbook=key)) if is_watched(definition) else rule


@dataclass(frozen=True, slots=True)
class Now:
    """An account and the sentences that say why it would enter, or what holds it back."""

    account: Account
    words: tuple[str, ...]
    is_held_out: bool = False


class Today:
    """The accounts of which entry and audience hold ``now``, parted by the rules of live entries.

    Both parts are the ids of accounts in their order. Of an entry by an event or by hand both are empty: nobody enters
    before it happens. Raises ConditionError.
    """

    def __init__(self, playbook: Playbook, definition: Definition, *, now: datetime) -> None:
        self.playbook, self.definition, self.now = playbook, definition, now
        self.condition = definition.who_enters(Workspace.current().day(now))
        self.teller = Teller(Workspace.current().zone)
        self.entering: list[int] = []
        self.held_back: list[int] = []
        if is_watched(definition):
            matching = matching_ids(self.condition, now=now, catalogue=self.teller.catalogue)
            asked = MATCHING.format(lets_in=lets_in(playbook, definition, now), matching=matching)
            for account_id, enters in rows(asked):
                (self.entering if enters else self.held_back).append(account_id)
        self.held_out = would_be_held_out(playbook, self.entering, now)

    def why_entering(self, account_ids: Sequence[int], user: User) -> list[Now]:
        """Some of those that would enter, with what was found of each."""
        explained = explain(self.condition, account_ids, now=self.now, catalogue=self.teller.catalogue)
        observer = Observer(self.now)
        return [
            Now(
                account,
                tuple(
                    self.teller.finding(finding, at=self.now.isoformat())
                    for finding in observer.observe(explained[account.pk], within=ENTRY_PLACE)["findings"]
                ),
                account.pk in self.held_out,
            )
            for account in self._accounts(account_ids, user)
            if account.pk in explained
        ]

    def why_held_back(self, account_ids: Sequence[int], user: User) -> list[Now]:
        """Some of those that may not enter, with the rules that hold each back."""
        rules = Rules(self.playbook, self.definition, account_ids, now=self.now, teller=self.teller)
        return [
            Now(account, tuple(word for hurdle in rules.holding_back(account.pk) for word in hurdle.words))
            for account in self._accounts(account_ids, user)
        ]

    def _accounts(self, account_ids: Collection[int], user: User) -> list[Account]:
        visible = Account.objects.visible_to(user).select_related("owner")
        return list(visible.filter(pk__in=account_ids).order_by("pk"))
