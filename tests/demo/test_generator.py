from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

from demo.company import WITH_TODAY, Company
from demo.generator import make_company
from demo.stories import STORIES

TODAY = date(2026, 3, 17)


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(today=TODAY, accounts=60)


def test_company_is_the_same_when_seed_and_day_are_the_same(company: Company) -> None:
    assert make_company(today=TODAY, accounts=60).digest() == company.digest()


def test_company_differs_when_seed_or_day_differs(company: Company) -> None:
    assert make_company(today=TODAY, accounts=60, seed=21).digest() != company.digest()
    assert make_company(today=TODAY + timedelta(days=1), accounts=60).digest() != company.digest()


def test_customers_go_on_asking_and_talking_until_today() -> None:
    customers = make_company(today=TODAY).customers

    opened = {request.opened_at.date() for customer in customers for request in customer.requests}
    said = {exchange.at.date() for customer in customers for exchange in customer.exchanges}
    solved = {request.solved_at.date() for customer in customers for request in customer.requests if request.solved_at}
    assert {TODAY, TODAY - timedelta(days=1)} <= opened & said & solved


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 8, 31), date(2026, 11, 23)])
def test_history_holds_together_whatever_the_day(today: date) -> None:
    company = make_company(today=today, accounts=60)

    assert len({customer.name for customer in company.customers}) == 60
    for customer in company.customers:
        assert customer.joined_on < today
        assert len({person.email for person in customer.people}) == len(customer.people)
        assert all(len(counts) == WITH_TODAY for counts in customer.usage.values())
        assert all(before.at <= after.at for before, after in pairwise(customer.stages))
        assert all(line.ended_on is None or line.ended_on > line.started_on for line in customer.lines)
        assert [line for line in customer.lines if line.ended_on is None] or customer.end
        for bill in customer.bills:
            assert bill.issued_on < bill.due_on
            assert all(day < today for day in (bill.issued_on, bill.paid_on, bill.voided_on) if day is not None)
        for request in customer.requests:
            turns = [request.opened_at, request.solved_at, request.reopened_at, request.solved_again_at]
            known = [turn for turn in turns if turn is not None]
            assert known == sorted(known)


def test_every_story_is_told_in_the_documentation() -> None:
    told = (Path(settings.BASE_DIR) / "docs" / "demo.md").read_text()

    assert [name for name in STORIES.values() if name not in told] == []
