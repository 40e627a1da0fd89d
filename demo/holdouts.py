"""The playbooks of the demo company whose effect is measured: one has its verdict by now, the other waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import User
from demo.catalogue import leaf
from playbooks.models import Holdout, Playbook
from playbooks.services import start_holdout


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a playbook, how many days ago that began, and in how many days from then the verdict comes."""

    playbook: str
    outcome: dict[str, Any]
    begun_days_ago: int
    verdict_after: int
    after_days: int
    base_rate: float


QUESTIONS = (
    Question("detractor", leaf("health", "gte", 56), 180, 150, 30, 40),
    Question("tasks-stopped", leaf("usage.tasks.7d", "gte", 5), 45, 90, 14, 50),
)


def hold_out(*, author: User, today: date, latest: date, now: datetime) -> None:
    """Begin what had begun by ``today`` of a company that is shown as it stands on ``latest``."""
    begun = set(Holdout.objects.values_list("playbook__key", flat=True))
    for question in QUESTIONS:
        if question.playbook in begun or today < latest - timedelta(days=question.begun_days_ago):
            continue
        start_holdout(
            playbook=Playbook.objects.get(key=question.playbook),
            share=30,
            outcome=question.outcome,
            after_days=question.after_days,
            base_rate=question.base_rate,
            verdict_on=today + timedelta(days=question.verdict_after),
            by=author,
            now=now,
        )
