"""Who enters a playbook: accounts for which its condition became true, to which its event happened, or by hand."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue, Scope
from accounts.conditions import explain, matching_ids
from accounts.models import Event, EventInbox, User, Workspace
from accounts.services.ledger import take_events
from common.doorbell import ring
from common.errors import Conflict, DomainError
from common.locks import only_one, wait_for
from common.sql import SQL, execute, rows
from playbooks.definition.parse import load
from playbooks.definition.steps import ConditionEntry, DateEntry, Definition, EventEntry
from playbooks.models import EntryMatch, Playbook, Run
from playbooks.record import Observer, occasion
from playbooks.services.assigning import follow_owners
from playbooks.services.beginning import Entrant, begin_runs
from playbooks.services.claiming import LEFT_TO_OTHERS
from playbooks.services.holdouts import held_out_of
from playbooks.services.spreading import spread

logger = logging.getLogger(__name__)

CONSUMER = "playbooks"
UNUSABLE = (DomainError, DataError)  # a condition on what is gone, or on values that cannot be read
AT_ONCE = 2_000
ONE_ALONE = "playbooks.alone"
ENTRY_PLACE = "all[2]"  # where Definition.who_enters has what the entry asks for

KEEP_MATCHES = SQL("""
WITH change AS MATERIALIZED (
         SELECT m.id, matching.account_id
         FROM ({matching}) matching
         FULL JOIN (SELECT id, account_id FROM playbooks_entrymatch WHERE playbook_id = {playbook}) m USING (account_id)
         WHERE m.id IS NULL OR matching.account_id IS NULL
     ),
     gone AS (DELETE FROM playbooks_entrymatch WHERE id IN (SELECT id FROM change WHERE account_id IS NULL))
INSERT INTO playbooks_entrymatch (playbook_id, account_id, since)
SELECT {playbook}, account_id, {now} FROM change WHERE id IS NULL
""")
HELD_BACK = SQL("""
SELECT account_id FROM playbooks_entrymatch m
WHERE m.playbook_id = {playbook} AND m.entered_at IS NULL AND {may_enter}
ORDER BY account_id LIMIT {limit}
""")
NEVER_BEFORE = SQL("""
NOT EXISTS (SELECT 1 FROM playbooks_run r WHERE r.playbook_id = {playbook} AND r.account_id = m.account_id)
""")
NOT_SINCE = SQL("""
NOT EXISTS (
    SELECT 1 FROM playbooks_run r WHERE r.playbook_id = {playbook} AND r.account_id = m.account_id
    AND (r.ended_at IS NULL OR r.ended_at > {since})
)
""")

ALONE = SQL("""
NOT EXISTS (
    SELECT 1 FROM playbooks_run o
    WHERE o.account_id = m.account_id AND o.is_alone AND o.state IN ('waiting', 'parked')
)
""")


def evaluate_entries(*, now: datetime) -> int:
    """Let every account for which the entry of a live playbook became true enter; returns how many did.

    Playbooks with a priority come first, the highest before the others, since an account is in one of them at a time.
    An account that a rule holds back stays marked and enters when the rule lets it, if the condition still holds.
    A playbook that cannot be evaluated says so in ``problem`` and does not stop the others.
    """
    entered, catalogue = 0, Catalogue()
    readable = [(playbook, definition) for playbook, definition in _read_live(now) if definition is not None]
    for playbook, definition in sorted(readable, key=lambda one: -(one[1].priority or 0)):
        try:
            with only_one(f"playbooks.entries.{playbook.pk}") as alone:
                if alone:
                    entered += _evaluate(playbook, definition, now, catalogue)
                    _note_problem(playbook, "")
        except UNUSABLE as error:
            _note_problem(playbook, str(error))
        except IntegrityError:  # an account was deleted meanwhile; the next look does without it
            logger.info("the entries of %s are looked at again", playbook.key)
    return entered


def _evaluate(playbook: Playbook, definition: Definition, now: datetime, catalogue: Catalogue) -> int:
    if isinstance(definition.entry, ConditionEntry | DateEntry):
        return _enter_by_condition(playbook, definition, now, catalogue)
    entered = 0
    while events := take_events(consumer=_kept_for(playbook), limit=AT_ONCE):
        entered += _enter_by_events(playbook, definition, _wanted(definition, events), now)
    return entered


def _enter_by_condition(playbook: Playbook, definition: Definition, now: datetime, catalogue: Catalogue) -> int:
    matching = matching_ids(_who_enters(definition, now), now=now, catalogue=catalogue)
    key = SQL("%s::bigint", (playbook.pk,))
    execute(KEEP_MATCHES.format(matching=matching, playbook=key, now=SQL("%s::timestamptz", (now,))))
    entered = 0
    while True:
        wanted = rows(
            HELD_BACK.format(playbook=key, may_enter=may_enter(definition, key, now), limit=SQL("%s", (AT_ONCE,)))
        )
        if not wanted:
            break
        runs = enter_accounts(
            playbook=playbook, account_ids=[row[0] for row in wanted], now=now, spread_out=playbook.is_catching_up
        )
        EntryMatch.objects.filter(playbook=playbook, account__in=[run.account_id for run in runs]).update(
            entered_at=now
        )
        entered += len(runs)
        if len(runs) < AT_ONCE:
            break
    if playbook.is_catching_up:
        Playbook.objects.filter(pk=playbook.pk).update(is_catching_up=False)
    return entered


def consume_events(*, now: datetime, limit: int) -> int:
    """Take up to ``limit`` events and let accounts enter the live playbooks that wait for them; returns how many taken.

    Open work follows the accounts that got another owner.

    Taking an event and what comes of it are one transaction: an event is neither lost nor acted upon twice. A playbook
    that cannot be evaluated says so in ``problem``, and its events are kept for it until it can.
    """
    with transaction.atomic():
        events = take_events(consumer=CONSUMER, limit=limit)
        if not events:
            return 0
        follow_owners(events)
        for playbook, definition in _read_live(now):
            if definition is None:
                _keep_for(playbook, events)
                continue
            wanted = _wanted(definition, events)
            try:
                with transaction.atomic():
                    _enter_by_events(playbook, definition, wanted, now)
            except UNUSABLE as error:
                _note_problem(playbook, str(error))
                _keep_for(playbook, wanted)
    return len(events)


def _wanted(definition: Definition, events: Sequence[Event]) -> list[Event]:
    entry = definition.entry
    return [event for event in events if isinstance(entry, EventEntry) and entry.is_met_by(event.kind, event.data)]


def _keep_for(playbook: Playbook, events: Iterable[Event]) -> None:
    EventInbox.objects.bulk_create(EventInbox(consumer=_kept_for(playbook), event=event) for event in events)


def _kept_for(playbook: Playbook) -> str:
    return f"playbook:{playbook.pk}"


def _enter_by_events(playbook: Playbook, definition: Definition, events: Sequence[Event], now: datetime) -> int:
    if not events:
        return 0
    first = {event.account_id: event for event in reversed(events)}
    models.prefetch_related_objects(list(first.values()), "contact")
    ids = matching_ids(_who_enters(definition, now), now=now, scope=Scope.ids(first))
    allowed = _allowed(playbook, definition, [row[0] for row in rows(ids)], now)
    return len(enter_accounts(playbook=playbook, account_ids=allowed, now=now, events=first))


def enter_by_hand(*, playbook: Playbook, account_ids: Collection[int], by: User, now: datetime) -> list[Run]:
    """Let these accounts enter because a person says so, whatever the entry asks for; returns the runs that began.

    The audience and the re-entry rule are for automatic entries; one live run an account is for all. Raises Conflict
    when the playbook is not on.
    """
    if not _live_playbooks().filter(pk=playbook.pk).exists():
        raise Conflict(_("“%(playbook)s” is not switched on; publish or resume it first.") % {"playbook": playbook})
    return enter_accounts(playbook=playbook, account_ids=account_ids, now=now, by=by)


@transaction.atomic
def enter_accounts(
    *,
    playbook: Playbook,
    account_ids: Collection[int],
    now: datetime,
    events: dict[int, Event] | None = None,
    by: User | None = None,
    spread_out: bool = False,
) -> list[Run]:
    """Begin a run of the live version for each of these accounts that has none; returns the runs that began.

    With ``spread_out`` their first steps do not all come at once. ``events`` tells by account id which event made it
    enter. While a holdout enrols, some of those that nobody enters by hand are only watched. What the entry condition
    found is the run's first record.
    """
    if load_live(playbook).priority is not None:
        wait_for(ONE_ALONE)  # before the playbook's row, so that no two wait for each other
    live = Playbook.objects.select_for_update(no_key=True, of=("self",)).select_related("live_version")
    current = live.filter(pk=playbook.pk, status=Playbook.Status.LIVE).first()
    if current is None or not account_ids:
        return []
    definition, causes = load_live(current), events or {}
    is_alone = definition.priority is not None
    taken = Q(playbook=current) | Q(is_alone=True) if is_alone else Q(playbook=current)
    busy = set(Run.objects.live().filter(taken, account__in=account_ids).values_list("account_id", flat=True))
    explained = explain(_who_enters(definition, now), account_ids, now=now)
    observer = Observer(now)
    entering = sorted(explained.keys() - busy)
    watched = held_out_of(current, entering, now) if by is None else set()
    first_steps = spread(len(entering), now) if spread_out else [now] * len(entering)
    runs = begin_runs(
        [
            Entrant(
                account_id=account_id,
                event=causes.get(account_id),
                is_held_out=account_id in watched,
                due_at=due_at,
                facts={
                    "seen": observer.observe(explained[account_id], within=ENTRY_PLACE),
                    **_cause(causes.get(account_id), by),
                },
            )
            for account_id, due_at in zip(entering, first_steps, strict=True)
        ],
        playbook=current,
        step=definition.first,
        is_alone=is_alone,
        by=by,
        now=now,
    )
    if runs:
        ring("playbooks.tick")
    return runs


def _who_enters(definition: Definition, now: datetime) -> dict[str, Any]:
    return definition.who_enters(Workspace.current().day(now))


def load_live(playbook: Playbook) -> Definition:
    """The definition that is live; raises Conflict when none was published."""
    if playbook.live_version is None:
        raise Conflict(_("“%(playbook)s” was not published yet.") % {"playbook": playbook})
    return load(playbook.live_version.definition)


def _read_live(now: datetime) -> list[tuple[Playbook, Definition | None]]:
    """The live playbooks with their definitions; None for one that this process does not understand.

    While a release is rolled out, that is what old workers make of what the new ones publish: they leave it to them.
    Only when it stays so, it is the playbook's problem.
    """
    read: list[tuple[Playbook, Definition | None]] = []
    for playbook in _live_playbooks():
        try:
            read.append((playbook, load_live(playbook)))
        except DomainError as error:
            read.append((playbook, None))
            if playbook.live_version and playbook.live_version.published_at <= now - LEFT_TO_OTHERS:
                _note_problem(playbook, str(error))
    return read


def _live_playbooks() -> models.QuerySet[Playbook]:
    return Playbook.objects.filter(status=Playbook.Status.LIVE).select_related("live_version").order_by("pk")


def may_enter(definition: Definition, playbook: SQL, now: datetime) -> SQL:
    """What holds accounts back, as a condition on ``m.account_id``: the re-entry rule, a live run, and for a playbook
    with a priority a live run of another such playbook. ``playbook`` is its id as SQL.
    """
    if definition.reentry_after_days is None:
        again = NEVER_BEFORE.format(playbook=playbook)
    else:
        since = now - timedelta(days=definition.reentry_after_days)
        again = NOT_SINCE.format(playbook=playbook, since=SQL("%s::timestamptz", (since,)))
    return again if definition.priority is None else SQL("({} AND {})").format(again, ALONE)


def _allowed(playbook: Playbook, definition: Definition, account_ids: Iterable[int], now: datetime) -> list[int]:
    rule = may_enter(definition, SQL("%s::bigint", (playbook.pk,)), now)
    asked = SQL("%s::bigint[]", (list(account_ids),))
    return [row[0] for row in rows(SQL("SELECT account_id FROM unnest({}) m(account_id) WHERE {}").format(asked, rule))]


def _cause(event: Event | None, by: User | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if event is not None:
        facts["event"] = occasion(event)
    if by is not None:
        facts["by"] = by.name
    return facts


def _note_problem(playbook: Playbook, problem: str) -> None:
    if playbook.problem == problem:
        return
    Playbook.objects.filter(pk=playbook.pk).exclude(problem=problem).update(problem=problem)
