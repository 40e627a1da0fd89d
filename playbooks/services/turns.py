"""Turns are written whole: the run's next place, its records, its effects and its events, for many runs at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from accounts.calendar import Calendar
from accounts.models import Event
from accounts.services.ledger import record_many
from common.sql import SQL, from_json, rows
from playbooks.actions import Moment
from playbooks.decide import Decision
from playbooks.definition.steps import Act
from playbooks.models import Playbook, Run, RunStep, Task
from playbooks.record import reasons
from playbooks.services.assigning import assign_by_rule
from playbooks.services.choosing import choose_person
from playbooks.services.claiming import Claim, give_up
from playbooks.services.priorities import number_tasks
from playbooks.services.tasks import write_task

ACTING_AT_ONCE = 50
"""Actions run statement by statement, so that more of them in one transaction would hold its locks for long."""

# A run that does not stand any more where it was claimed, or that somebody holds at the moment, is left as it is: no
# turn is written twice, and nothing here waits for a row, so no two can wait for each other.
MOVE = SQL("""
WITH turn AS MATERIALIZED (
    SELECT (t->>0)::bigint AS run, (t->>1)::bigint AS version, t->>2 AS stood, (t->>3)::timestamptz AS was_due_at,
        t->>4 AS state, t->>5 AS step, (t->>6)::timestamptz AS due_at, (t->>7)::timestamptz AS since, t->8 AS steps
    FROM jsonb_array_elements({turns}) t
), stands AS MATERIALIZED (
    SELECT r.id, t.* FROM turn t JOIN playbooks_run r ON r.id = t.run
    WHERE r.state = 'waiting' AND NOT r.held
      AND r.version_id = t.version AND r.step = t.stood AND r.due_at = t.was_due_at
    FOR NO KEY UPDATE OF r SKIP LOCKED
), moved AS (
    UPDATE playbooks_run r
    SET state = s.state, step = s.step, due_at = s.due_at, waiting_since = s.since,
        ended_at = CASE WHEN s.state <> 'waiting' THEN {now} END, retry_at = NULL, attempts = 0, error = ''
    FROM stands s
    WHERE r.id = s.id
    RETURNING r.id, s.steps
), recorded AS (
    INSERT INTO playbooks_runstep (run_id, position, step, kind, decision, facts, taken_at)
    SELECT m.id, before.last + s.place, s.taken->>0, s.taken->>1, s.taken->>2, s.taken->3, {now}
    FROM moved m CROSS JOIN LATERAL (
        SELECT coalesce(max(position), -1) AS last FROM playbooks_runstep WHERE run_id = m.id
    ) before CROSS JOIN LATERAL jsonb_array_elements(m.steps) WITH ORDINALITY s (taken, place)
)
SELECT id FROM moved
""")


class Turn(NamedTuple):
    """What one claimed run does next."""

    claim: Claim
    playbook: Playbook
    decision: Decision

    def move(self) -> list[Any]:
        """Where the run stood, where it stands then, and the steps that it takes, in the order of MOVE."""
        claim, decision = self.claim, self.decision
        steps = [[*taken] for taken in decision.taken]
        stood = [claim.run_id, claim.version_id, claim.step, claim.due_at]
        return [*stood, decision.state, *decision.position, steps]

    def acted(self, act: Act, done: Mapping[str, Any]) -> Turn:
        """The same with what its action adds to the record."""
        taken = (
            one._replace(facts={**one.facts, **done}) if one.step == act.id else one for one in self.decision.taken
        )
        return self._replace(decision=self.decision._replace(taken=tuple(taken)))


def write_turns(turns: Sequence[Turn], calendar: Calendar, now: datetime) -> None:
    """Write the turn of every run that stands where it was claimed; one that fails gives up alone."""
    _spare(lambda some: _write(some, now), [turn for turn in turns if turn.decision.act is None], now)
    # In one order for all workers: what is written to a contact locks the contact's row.
    acting = sorted((turn for turn in turns if turn.decision.act is not None), key=lambda turn: turn.claim.account_id)
    for first in range(0, len(acting), ACTING_AT_ONCE):
        _spare(lambda some: _act_and_write(some, calendar, now), acting[first : first + ACTING_AT_ONCE], now)


def _spare(write: Callable[[Sequence[Turn]], None], turns: Sequence[Turn], now: datetime) -> None:
    """Write all in one transaction; when that fails, the one half and the other, down to what is wrong."""
    if not turns:
        return
    try:
        write(turns)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with one run, the others go on
        if len(turns) == 1:
            give_up(turns[0].claim, error, now)
            return
        middle = len(turns) // 2
        _spare(write, turns[:middle], now)
        _spare(write, turns[middle:], now)


@transaction.atomic
def _write(turns: Sequence[Turn], now: datetime) -> None:
    move = MOVE.format(turns=from_json([turn.move() for turn in turns]), now=SQL("%s::timestamptz", (now,)))
    moved = {run_id for (run_id,) in rows(move)}
    record_many(
        [
            Event(
                account_id=turn.claim.account_id,
                kind=f"playbook.{turn.decision.state}",
                happened_at=now,
                data={"playbook": turn.playbook.key, "name": turn.playbook.name, "run": turn.claim.run_id},
            )
            for turn in turns
            if turn.decision.state != Run.State.WAITING and turn.claim.run_id in moved
        ]
    )


def _act_and_write(turns: Sequence[Turn], calendar: Calendar, now: datetime) -> None:
    failed: list[tuple[Claim, Exception]] = []
    with transaction.atomic():
        runs, before = _lock(turns)
        done: list[Turn] = []
        for turn in turns:
            run, act = runs.get(turn.claim.run_id), turn.decision.act
            if run is None or act is None or not turn.claim.is_true_of(run):
                continue
            seen = [*before[run.pk], *((taken.kind, taken.facts) for taken in turn.decision.taken)]
            try:
                with transaction.atomic():
                    done.append(turn.acted(act, _act(run, act, reasons(seen), now, calendar)))
            except Exception as error:  # noqa: BLE001  # its savepoint is rolled back, its neighbours are not
                failed.append((turn.claim, error))
        _write(done, now)
        made = Task.objects.filter(run__in=[turn.claim.run_id for turn in done], priority_reasons={})
        number_tasks(made.values_list("pk", flat=True), now=now)
    for claimed, reason in failed:
        give_up(claimed, reason, now)


def _lock(turns: Sequence[Turn]) -> tuple[dict[int, Run], dict[int, list[tuple[str, dict[str, Any]]]]]:
    """The runs by id, with the ``(kind, facts)`` of the steps that each has taken."""
    ids = [turn.claim.run_id for turn in turns]
    free = Run.objects.select_for_update(no_key=True, of=("self",), skip_locked=True).filter(pk__in=ids)
    runs = {run.pk: run for run in free.select_related("playbook", "account__owner", "event")}
    before: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    taken = RunStep.objects.filter(run__in=ids).order_by("run", "position")
    for run_id, kind, facts in taken.values_list("run_id", "kind", "facts"):
        before[run_id].append((kind, facts))
    return runs, before


def _act(run: Run, act: Act, why: Sequence[dict[str, Any]], now: datetime, calendar: Calendar) -> dict[str, Any]:
    return act.action.perform(
        Moment(
            run=run,
            account=run.account,
            event=run.event,
            key=f"run:{run.pk}:{act.id}",
            why=why,
            calendar=calendar,
            now=now,
            create_task=write_task,
            choose_person=choose_person,
            assign=assign_by_rule,
        )
    )
