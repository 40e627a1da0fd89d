"""Which account belongs to which, without anybody standing above themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.errors import DomainError
from common.locks import wait_for
from common.sql import SQL, rows

Node = int | str
"""An account on the way up: its id, or the external id of one that is only about to be made."""


def hold_parents() -> None:
    """Keep everybody else from giving accounts another parent until the transaction ends; call it before any write.

    Two moves that are fine each by itself can make a circle together. An import that moves accounts holds them to its
    end; the web process gives up waiting sooner, and says so.
    """
    wait_for("accounts.parents")


def refuse_circle(*, account_id: int, parent_id: int) -> None:
    """Raise DomainError when the account is the parent, or above it. Call it while the parents are held."""
    if account_id in Ancestry.of(ids=[parent_id]).above:
        message = _("An account cannot be above itself; choose another parent.")
        raise DomainError(message, code="parent_circular", fields={"parent": message})


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Accounts and everything above them: the parent of each by id, and the ids by external id."""

    above: Mapping[Node, Node | None]
    ids: Mapping[str, int]

    @classmethod
    def of(cls, *, ids: Iterable[int] = (), external_ids: Iterable[str] = ()) -> Ancestry:
        """The ancestry of the accounts that exist among these."""
        found = rows(
            SQL(
                "WITH RECURSIVE above AS ("
                "SELECT id, external_id, parent_id FROM accounts_account WHERE id = ANY(%s) OR external_id = ANY(%s)"
                " UNION SELECT p.id, p.external_id, p.parent_id"
                " FROM accounts_account p JOIN above a ON p.id = a.parent_id"
                ") SELECT id, external_id, parent_id FROM above",
                (list(ids), list(external_ids)),
            )
        )
        return cls(
            above={pk: parent for pk, _external, parent in found},
            ids={external: pk for pk, external, _parent in found if external is not None},
        )

    def misplaced(self, wanted: Mapping[str, str]) -> tuple[set[str], set[str]]:
        """Which of the wanted moves cannot be made, given the external id of each account's parent, empty for none.

        Returns those whose parent is not known, neither here nor among ``wanted``, and those that stand in a circle
        once all the others are made. What is refused stays where it was.
        """
        orphans: set[str] = set()
        circular: set[str] = set()
        moving = dict(wanted)
        while True:
            lost = {
                name for name, parent in moving.items() if parent and parent not in self.ids and parent not in moving
            }
            orphans |= lost
            if not lost:
                lost = self._circular(moving)
                circular |= lost
            if not lost:
                return orphans, circular
            for name in lost:
                del moving[name]

    def _circular(self, moving: Mapping[str, str]) -> set[str]:
        parents: dict[Node, Node | None] = dict(self.above)
        parents |= {self._node(name): self._node(parent) if parent else None for name, parent in moving.items()}
        return {name for name in moving if _meets_itself(self._node(name), parents)}

    def _node(self, external_id: str) -> Node:
        return self.ids.get(external_id, external_id)


def _meets_itself(start: Node, parents: Mapping[Node, Node | None]) -> bool:
    seen: set[Node] = set()
    node = parents.get(start)
    while node is not None and node not in seen:
        if node == start:
            return True
        seen.add(node)
        node = parents.get(node)
    return False
