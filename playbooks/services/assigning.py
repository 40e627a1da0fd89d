"""Giving accounts and open tasks to other people: by a rule, of somebody who leaves, and taken back as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import Jsonb
from django.utils.translation import gettext as _

from accounts.models import Account, Event, User
from accounts.services.ledger import record_many
from accounts.services.owners import FOLLOWS, handed
from common.errors import Conflict, DomainError, NotAllowed
from common.sql import SQL, execute, rows, value
from common.text import one_line, storable
from playbooks import handing
from playbooks.covers import Choice, StandIn
from playbooks.models import Assignment
from playbooks.rules import Rule
from playbooks.services.choosing import choose_owners

LONGEST_REASON = 300

MOVES = SQL("unnest({ids}::bigint[], {before}::bigint[], {after}::bigint[]) AS m (id, before, after)")
GIVE_ACCOUNTS = SQL("""
UPDATE accounts_account a SET owner_id = m.after, updated_at = {now} FROM {moves}
WHERE a.id = m.id AND a.owner_id IS NOT DISTINCT FROM m.before
RETURNING a.id, m.before, m.after
""")
GIVE_TASKS_OF_ACCOUNTS = SQL("""
UPDATE playbooks_task t SET owner_id = m.after, handed = t.handed || ({notes}::jsonb -> coalesce(m.before::text, ''))
FROM {moves}
WHERE t.account_id = m.id AND t.status = 'open' AND t.owner_id IS NOT DISTINCT FROM m.before
RETURNING t.id, m.before, m.after, t.account_id
""")
GIVE_TASKS = SQL("""
UPDATE playbooks_task t SET owner_id = m.after, handed = t.handed || ({notes}::jsonb -> coalesce(m.before::text, ''))
FROM {moves}
WHERE t.id = m.id AND t.status = 'open' AND t.owner_id IS NOT DISTINCT FROM m.before
RETURNING t.id, m.before, m.after, t.account_id
""")
TAKE_TASKS_BACK = SQL("""
UPDATE playbooks_task t SET owner_id = m.after, handed = t.handed - -1 FROM {moves}
WHERE t.id = m.id AND t.status = 'open' AND t.owner_id IS NOT DISTINCT FROM m.before
""")


@dataclass(frozen=True, slots=True)
class Move:
    """Something that goes from one person, or from nobody, to another, by their ids."""

    id: int
    before: int | None
    after: int | None


def assign_account(
    *, account: Account, to: User, by: User | None, now: datetime, reason: str = "", move_open_work: bool = True
) -> Assignment | None:
    """Make ``to`` the owner of the account, as ``assign_accounts``; None when they are."""
    choices = {account.pk: Choice(to)}
    return give_accounts(choices=choices, by=by, now=now, reason=reason, move_open_work=move_open_work)


def assign_by_rule(
    *, rule: Rule, account: Account, now: datetime, reason: str, by: User | None = None
) -> tuple[Assignment | None, Choice | None]:
    """Give one account to whoever ``rule`` chooses, as ``assign_accounts``."""
    given, choices = assign_accounts(rule=rule, accounts=[account], by=by, now=now, reason=reason)
    return given, choices.get(account.pk)


@transaction.atomic
def assign_accounts(
    *,
    rule: Rule,
    accounts: Sequence[Account],
    by: User | None,
    now: datetime,
    reason: str = "",
    move_open_work: bool = True,
) -> tuple[Assignment | None, dict[int, Choice]]:
    """Give the accounts to whoever ``rule`` chooses, with the open tasks of those who had them.

    Returns the assignment, None when nothing changed hands, and the choice for each account, by its id, where the
    rule found anybody. Raises NotAllowed for who only reads, DomainError for a reason that cannot be kept.
    """
    choices = choose_owners(rule=rule, accounts=accounts, now=now)
    given = give_accounts(choices=choices, by=by, now=now, reason=reason, move_open_work=move_open_work)
    return given, choices


@transaction.atomic
def give_accounts(
    *,
    choices: Mapping[int, Choice],
    by: User | None,
    now: datetime,
    reason: str = "",
    move_open_work: bool = True,
    tasks: Sequence[Move] = (),
    leaver: User | None = None,
    ended_access: bool = False,
) -> Assignment | None:
    """Give accounts, by their ids, to whom they are chosen for, and ``tasks`` besides; None when nothing changes hands.

    Each open task of an account's owner goes along and says so; each account's timeline says who had it, who has it
    and why. An account whose owner changed in between is left to whoever did that.
    """
    _may_assign(by)
    reason = _checked_reason(reason)
    held = dict(Account.objects.select_for_update(of=("self",)).filter(pk__in=choices).values_list("pk", "owner"))
    wanted = [
        Move(pk, owner, choices[pk].user.pk) for pk, owner in sorted(held.items()) if owner != choices[pk].user.pk
    ]
    names = _names({move.before for move in [*wanted, *tasks]})
    words = {"by": by.name if by else "", "note": reason}
    moved = _run(GIVE_ACCOUNTS, wanted, now=value(now))
    notes = _notes(names, lambda before: handing.moved(before=before, **words))
    given = _run(GIVE_TASKS_OF_ACCOUNTS, wanted, notes=notes) if move_open_work else []
    others = _run(GIVE_TASKS, tasks, notes=_notes(names, lambda before: handing.given(before=before, **words)))
    if not (moved or given or others or ended_access):
        return None
    assignment = Assignment.objects.create(
        reason=reason,
        accounts=[list(row) for row in moved],
        tasks=[list(row[:3]) for row in [*given, *others]],
        leaver=leaver,
        ended_access=ended_access,
        made_by=by,
        made_at=now,
    )
    covers = {pk: choice.cover for pk, choice in choices.items() if choice.cover is not None}
    tasks_of = Counter(row[3] for row in given)
    _record(assignment, moved, by, now, tasks=tasks_of, covers=covers)
    return assignment


@transaction.atomic
def undo_assignment(*, assignment: Assignment, by: User, now: datetime) -> Assignment:
    """Give accounts and open tasks back to who had them, save those that changed hands again since.

    A person who was locked out with it may sign in again. Raises Conflict when it was taken back already.
    """
    _may_assign(by)
    if assignment.ended_access and not by.leads:
        raise NotAllowed(_("Only leaders and admins let somebody in again; ask one."))
    if not Assignment.objects.filter(pk=assignment.pk, undone_at=None).update(undone_at=now):
        raise Conflict(_("This was taken back already."), code="assignment_undone")
    if assignment.ended_access and assignment.leaver is not None:
        User.objects.filter(pk=assignment.leaver.pk).update(is_active=True)
    back = [Move(pk, after, before) for pk, before, after in assignment.accounts]
    moved = _run(GIVE_ACCOUNTS, back, now=value(now))
    tasks = [Move(pk, after, before) for pk, before, after in assignment.tasks]
    if tasks:
        execute(TAKE_TASKS_BACK.format(moves=_moves(tasks)))
    assignment.undone_at = now
    _record(assignment, moved, by, now, is_undone=True)
    return assignment


def follow_owners(events: Iterable[Event]) -> None:
    """Let open work follow the accounts whose owner was changed where nobody knows of tasks, as the events say."""
    for event in events:
        if event.kind == "account.assigned" and event.data.get("work") == FOLLOWS:
            before, after = event.data["from"], event.data["to"]
            note = {"": handing.moved(by="", before="", note="")}
            note[str(before or "")] = handing.moved(by="", before=event.data["from_name"], note="")
            _run(GIVE_TASKS_OF_ACCOUNTS, [Move(event.account_id, before, after)], notes=value(Jsonb(note)))


def _record(
    assignment: Assignment,
    moved: Sequence[tuple[Any, ...]],
    by: User | None,
    now: datetime,
    *,
    tasks: Mapping[int, int] | None = None,
    covers: Mapping[int, StandIn] | None = None,
    is_undone: bool = False,
) -> None:
    names = _names({owner for row in moved for owner in row[1:3]})
    record_many(
        [
            Event(
                account_id=pk,
                kind="account.assigned",
                happened_at=now,
                user=by,
                data=handed(
                    before,
                    after,
                    names,
                    reason=assignment.reason,
                    assignment=assignment.pk,
                    tasks=(tasks or {}).get(pk, 0),
                    undone=is_undone,
                    **({"cover": covers[pk].words} if covers and pk in covers else {}),
                ),
            )
            for pk, before, after in moved
        ]
    )


def _run(statement: SQL, moves: Sequence[Move], **parts: SQL) -> list[tuple[Any, ...]]:
    return rows(statement.format(moves=_moves(moves), **parts)) if moves else []


def _moves(moves: Sequence[Move]) -> SQL:
    return MOVES.format(
        ids=value([move.id for move in moves]),
        before=value([move.before for move in moves]),
        after=value([move.after for move in moves]),
    )


def _names(people: set[int | None]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=[person for person in people if person]).values_list("pk", "name"))


def _notes(names: Mapping[int, str], note: Callable[[str], dict[str, Any]]) -> SQL:
    """The note of each former owner, by their ids as text, for who had none by the empty text."""
    return value(Jsonb({"": note(""), **{str(pk): note(name) for pk, name in names.items()}}))


def _may_assign(by: User | None) -> None:
    if by is not None and not by.can_edit:
        raise NotAllowed(_("You can look at accounts but not assign them; ask an admin for another role."))


def _checked_reason(reason: str) -> str:
    line = one_line(reason)
    if len(line) > LONGEST_REASON or not storable(line):
        message = _("Give a reason of at most %(most)s characters.") % {"most": LONGEST_REASON}
        raise DomainError(message, code="bad_reason", fields={"reason": message})
    return line
