"""The monthly invoices of one customer: most are paid, some late, and a few wait longer than they should."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from demo.company import DAYS, Bill, Line
from demo.shapes import Shape

DAYS_TO_PAY = 14
CONTENT = 0.45
"""Customers of a better mood than this have paid whatever was due before today."""

# story -> how many of the latest invoices that are due it has not paid
UNPAID = {"renewal-at-risk": 2, "champion-leaves": 1, "bad-onboarding": 1, "churned": 1}
# story -> how many days ago its last unpaid invoice was due
DUE_DAYS_AGO = {"renewal-at-risk": 17, "champion-leaves": 11, "bad-onboarding": 9}


def bills(rng: Random, shape: Shape, key: str, lines: list[Line], days_late: int, today: date) -> list[Bill]:
    """The invoices of the year, oldest first; ``days_late`` is how late the customer usually pays."""
    issued = [(day, line) for day in _issue_days(shape, today) if (line := _line_on(lines, day)) is not None]
    due = [day for day, _line in issued if day + timedelta(days=DAYS_TO_PAY) < today]
    kept_back = set(due[len(due) - UNPAID.get(shape.story, 0) :])
    found = []
    for number, (day, line) in enumerate(issued):
        due_on = day + timedelta(days=DAYS_TO_PAY)
        paid_on = due_on + timedelta(days=max(-DAYS_TO_PAY, days_late + rng.randint(-9, 4)))
        if shape.mood > CONTENT and due_on < today <= paid_on:
            paid_on = today - timedelta(days=1)
        is_void = rng.random() < 0.006 and day not in kept_back
        found.append(
            Bill(
                key=f"{key}-i{number}",
                number=f"HB-{day:%y%m}-{key.removeprefix('hb-')}",
                amount=line.mrr,
                issued_on=day,
                due_on=due_on,
                paid_on=None if is_void or day in kept_back or paid_on >= today else paid_on,
                voided_on=min(day + timedelta(days=3), today - timedelta(days=1)) if is_void and day < today else None,
            )
        )
    return found


def _issue_days(shape: Shape, today: date) -> Iterator[date]:
    """One day in each month of the year: the day that the contract began on, or what a story needs."""
    wanted = shape.joined_on
    if shape.story in DUE_DAYS_AGO:
        wanted = today - timedelta(days=DUE_DAYS_AGO[shape.story] + DAYS_TO_PAY)
    day = today - timedelta(days=DAYS - 1)
    while day < today:
        if day.day == min(wanted.day, 28):
            yield day
        day += timedelta(days=1)


def _line_on(lines: list[Line], day: date) -> Line | None:
    live = (line for line in lines if line.started_on <= day and (line.ended_on is None or line.ended_on > day))
    return next(live, None)
