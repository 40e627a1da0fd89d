"""The demo company's CSMs at work: most tasks are done some days later, some are put off, a few are left."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from accounts.models import Touchpoint, User, Workspace
from accounts.services.touchpoints import log_touchpoint
from demo.company import Company, moment
from playbooks.models import Task
from playbooks.services import complete_task, create_task, snooze_task

OUTCOMES = ("recovered", "saved", "no_answer", "lost")
NOTES = {
    "recovered": (
        "They were at a trade fair all week; back to normal since Monday.",
        "A new team lead had switched notifications off; shown how to set them.",
        "Talked it through, use is up again.",
    ),
    "saved": (
        "Agreed on a plan for the next quarter; the sponsor is on board.",
        "Offered the training session, booked for next week.",
        "Fewer seats, but they stay for another year.",
    ),
    "no_answer": ("Called twice and wrote once; trying the sponsor next.", "Out of office until the end of the month."),
    "lost": ("The decision was made before we called.",),
}
OPENS = 8 * 60 + 30
"""Nobody works before this minute of the day."""
STORY = timedelta(days=80)
"""Younger tasks of the accounts whose story is told by an open task stay open."""
KINDS = ("call", "call", "email", "meeting")


def work(company: Company, *, now: datetime) -> int:
    """Do what the CSMs would have done by ``now`` with the tasks that were open; returns how many were closed."""
    opened_at = moment(Workspace.current().day(now), OPENS)
    if now < opened_at:
        return 0
    stays = {customer.key for customer in company.customers if customer.leaves_tasks_open}
    awake = Task.objects.awake(now).filter(owner__isnull=False, run__isnull=False)
    closed = 0
    for task in awake.select_related("account", "owner", "run__playbook").order_by("pk"):
        is_story = task.account.external_id in stays and now - task.created_at < STORY
        if not is_story and task.owner is not None and task.run is not None:
            chance = Random(f"{company.seed} {task.account.external_id} {task.run.playbook.key} {task.created_at:%F}")
            closed += _take_up(task, task.owner, chance, opened_at, now)
    return closed


def _take_up(task: Task, owner: User, chance: Random, opened_at: datetime, now: datetime) -> bool:
    """Put the task off, finish it or leave it, as chance has it; returns whether it was closed."""
    age = now - task.created_at
    habit = chance.random()
    days = min(14.0, 0.3 + chance.expovariate(1 / (7.0 - 1.5 * task.severity)))
    if habit < 0.3 and task.severity < Task.Severity.URGENT and age < timedelta(days=30):
        return False
    if habit < 0.38 and task.snoozed_until is None and age >= timedelta(days=1):
        snooze_task(task=task, by=owner, until=now + timedelta(days=chance.randint(3, 9)), now=now)
        return False
    if age < timedelta(days=days):
        return False
    outcome = chance.choices(OUTCOMES, (45, 27, 20, 8))[0]
    note = chance.choice(NOTES[outcome])
    done_at = max(task.created_at, opened_at, now - timedelta(hours=chance.uniform(1, 9)))
    complete_task(task=task, by=owner, outcome=outcome, note=note, now=done_at)
    if outcome != "no_answer":
        log_touchpoint(
            account=task.account,
            user=owner,
            kind=chance.choice(KINDS),
            summary=note,
            happened_at=done_at,
            sentiment={"recovered": "positive", "saved": "neutral", "lost": "negative"}[outcome],
        )
    return True


def note_next_steps(*, now: datetime) -> None:
    """Turn what was promised lately in calls and meetings, and falls due about now, into the CSMs' own tasks."""
    today = Workspace.current().day(now)
    promised = Touchpoint.objects.filter(
        account__ended_at=None,
        user__isnull=False,
        happened_at__gte=now - timedelta(days=14),
        next_step_on__range=(today - timedelta(days=2), today + timedelta(days=12)),
    )
    for touchpoint in promised.select_related("account", "user").order_by("pk"):
        create_task(
            account=touchpoint.account,
            owner=touchpoint.user,
            title=touchpoint.next_step,
            guidance=touchpoint.summary,
            due_at=moment(touchpoint.next_step_on or today, 17 * 60),
            now=touchpoint.happened_at,
            by=touchpoint.user,
        )
