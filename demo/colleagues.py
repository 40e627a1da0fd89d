"""The demo company's CSMs at work: most tasks are done some days later, some are put off, a few are left."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from accounts.services.touchpoints import log_touchpoint
from demo.company import Company
from playbooks.models import Task
from playbooks.services.tasks import complete_task, snooze_task

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
KINDS = ("call", "call", "email", "meeting")


def work(company: Company, *, now: datetime) -> int:
    """Do what the CSMs would have done by ``now`` with the tasks that were open; returns how many were closed."""
    stays = {customer.key for customer in company.customers if customer.leaves_tasks_open}
    awake = Task.objects.awake(now).filter(owner__isnull=False, run__isnull=False)
    closed = 0
    for task in awake.select_related("account", "owner", "run__playbook").order_by("pk"):
        if task.account.external_id not in stays and task.owner is not None and task.run is not None:
            chance = Random(f"{company.seed} {task.account.external_id} {task.run.playbook.key} {task.created_at:%F}")
            closed += _take_up(task, task.owner, chance, now)
    return closed


def _take_up(task: Task, owner: User, chance: Random, now: datetime) -> bool:
    """Put the task off, finish it or leave it, as chance has it; returns whether it was closed."""
    age = now - task.created_at
    habit = chance.random()
    days = min(14.0, chance.expovariate(1 / (4.5 - task.severity)) + 0.3)
    if habit < 0.06 and age < timedelta(days=40):
        return False
    if habit < 0.14 and task.snoozed_until is None and age >= timedelta(days=1):
        snooze_task(task=task, by=owner, until=now + timedelta(days=chance.randint(3, 9)), now=now)
        return False
    if age < timedelta(days=days):
        return False
    outcome = chance.choices(OUTCOMES, (45, 27, 20, 8))[0]
    note = chance.choice(NOTES[outcome])
    done_at = max(task.created_at, now - timedelta(hours=chance.uniform(1, 9)))
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
