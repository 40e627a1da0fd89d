"""Runs go on: claim what is due, look at all accounts of a step at once, decide, and write each turn whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.conditions import explain
from accounts.models import Account
from accounts.services.ledger import record
from common.errors import DomainError
from common.sql import SQL, rows
from playbooks.actions import Moment
from playbooks.decide import Decision, Found, Position, decide
from playbooks.definition.calendar import Calendar
from playbooks.definition.parse import load
from playbooks.definition.steps import Act, Definition
from playbooks.models import PlaybookVersion, Run, RunStep
from playbooks.record import observation, reasons
from playbooks.services.tasks import create_task

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=1)

CLAIM = SQL("""
UPDATE playbooks_run SET leased_until = {until}, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM playbooks_run
    WHERE state = 'waiting' AND NOT held AND due_at <= {now} AND {which}
      AND (leased_until IS NULL OR leased_until <= {now})
    ORDER BY due_at, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, account_id, version_id, step, due_at, waiting_since, leased_until, attempts
""")
FRESH = SQL("attempts = 0")
TRIED = SQL("attempts > 0")


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker has leased, as it was then. ``leased_until`` and ``attempts`` prove the lease."""

    run_id: int
    account_id: int
    version_id: int
    step: str
    due_at: datetime
    waiting_since: datetime | None
    leased_until: datetime
    attempts: int


def advance_due(*, now: datetime, limit: int) -> int:
    """Take a turn of up to ``limit`` runs that are due at ``now``; returns how many were claimed.

    The lease and the count of attempts are committed first, so that the attempt of a worker that dies is counted.
    A run whose turn failed before is claimed alone: what killed one worker must not use up its neighbours' attempts.
    After MOST_ATTEMPTS it is parked with its error, and the others go on.
    """
    claimed = _claim(now, limit, FRESH)
    _take_turns(claimed, now)
    count = len(claimed)
    while count < limit and (again := _claim(now, 1, TRIED)):
        _take_turns(again, now)
        count += len(again)
    return count


def _claim(now: datetime, limit: int, which: SQL) -> list[Claim]:
    return [
        Claim(*row)
        for row in rows(
            CLAIM.format(
                until=SQL("%s::timestamptz", (now + LEASE,)),
                now=SQL("%s::timestamptz", (now,)),
                which=which,
                limit=SQL("%s", (limit,)),
            )
        )
    ]


def _take_turns(claims: Sequence[Claim], now: datetime) -> None:
    alike: dict[tuple[int, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.attempts > MOST_ATTEMPTS:
            _give_up(claim, _("A worker died in this step %(times)s times.") % {"times": MOST_ATTEMPTS}, now)
        else:
            alike[claim.version_id, claim.step].append(claim)
    if not alike:
        return
    calendar = Calendar.current()
    versions = PlaybookVersion.objects.in_bulk({version_id for version_id, step in alike})
    for (version_id, step), group in alike.items():
        try:
            definition = load(versions[version_id].definition)
            found = _look(definition, step, [claim.account_id for claim in group], now)
        except (DomainError, DatabaseError) as error:
            for claim in group:
                _give_up(claim, _sentence(error), now)
            continue
        for claim in group:
            try:
                _take_turn(claim, definition, found, now, calendar)
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one run, the others go on
                _give_up(claim, _sentence(error), now)


def _look(definition: Definition, step: str, account_ids: Sequence[int], now: datetime) -> Mapping[int, Found]:
    """What a turn from ``step`` needs to know of each account, in one query a condition."""
    alive = set(
        Account.objects.filter(Q(ended_at=None) | Q(ended_at__gt=now), pk__in=account_ids).values_list("pk", flat=True)
    )
    goal = explain(definition.goal, account_ids, now=now) if definition.goal is not None else {}
    leave = explain(definition.exit, account_ids, now=now) if definition.exit is not None else {}
    looks = {name: explain(condition, account_ids, now=now) for name, condition in definition.looks_ahead(step).items()}
    return {
        account_id: Found(
            is_live=account_id in alive,
            goal=observation(goal[account_id], at=now) if account_id in goal else None,
            exit=observation(leave[account_id], at=now) if account_id in leave else None,
            looks={
                name: observation(explained[account_id], at=now)
                for name, explained in looks.items()
                if account_id in explained
            },
        )
        for account_id in account_ids
    }


@transaction.atomic
def _take_turn(
    claim: Claim, definition: Definition, found: Mapping[int, Found], now: datetime, calendar: Calendar
) -> None:
    leased = Run.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk=claim.run_id,
        state=Run.State.WAITING,
        held=False,
        leased_until=claim.leased_until,
        attempts=claim.attempts,
    )
    run = leased.select_related("playbook", "account__owner", "event").first()
    if run is None:
        return
    position = Position(claim.step, claim.due_at, claim.waiting_since)
    decision = decide(definition, position, found[claim.account_id], now, calendar)
    before = list(run.steps.values_list("kind", "facts"))
    done = {}
    if decision.act is not None:
        seen = [*before, *((taken.kind, taken.facts) for taken in decision.taken)]
        done[decision.act.id] = _act(run, decision.act, reasons(seen), now, calendar)
    RunStep.objects.bulk_create(
        RunStep(
            run=run,
            position=position,
            step=taken.step,
            kind=taken.kind,
            decision=taken.decision,
            facts={**taken.facts, **done.get(taken.step, {})},
            taken_at=now,
        )
        for position, taken in enumerate(decision.taken, start=len(before))
    )
    _settle(run, decision, now)


def _act(run: Run, act: Act, why: Sequence[dict[str, object]], now: datetime, calendar: Calendar) -> dict[str, object]:
    return act.action.perform(
        Moment(
            run=run,
            account=run.account,
            event=run.event,
            key=f"run:{run.pk}:{act.id}",
            why=why,
            calendar=calendar,
            now=now,
            create_task=create_task,
        )
    )


def _settle(run: Run, decision: Decision, now: datetime) -> None:
    ended = decision.state != Run.State.WAITING
    run.state, run.step, run.due_at = decision.state, decision.position.step, decision.position.due_at
    run.waiting_since = decision.position.since
    run.ended_at = now if ended else None
    run.leased_until, run.attempts, run.error = None, 0, ""
    run.save(
        update_fields=["state", "step", "due_at", "waiting_since", "ended_at", "leased_until", "attempts", "error"]
    )
    if ended:
        record(
            account=run.account,
            kind=f"playbook.{decision.state}",
            happened_at=now,
            data={"playbook": run.playbook.key, "name": run.playbook.name, "run": run.pk},
        )


def _give_up(claim: Claim, error: str, now: datetime) -> None:
    """Keep the error and try again later, each time later; after the last attempt park the run."""
    parked = claim.attempts >= MOST_ATTEMPTS
    Run.objects.filter(
        pk=claim.run_id, state=Run.State.WAITING, leased_until=claim.leased_until, attempts=claim.attempts
    ).update(
        error=error,
        state=Run.State.PARKED if parked else Run.State.WAITING,
        leased_until=None if parked else now + FIRST_RETRY * 2 ** (claim.attempts - 1),
    )


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
