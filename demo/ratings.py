"""Writes how the CSMs felt about their customers."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Account, Event, Rating
from accounts.services.ledger import record_many
from demo.agenda import Agenda
from demo.company import Company, Customer, Opinion
from demo.setup import SetUp


class RatingWriter:
    """Keeps the ratings, each by the customer's own CSM."""

    def __init__(self, company: Company, setup: SetUp, accounts: dict[str, Account]) -> None:
        self._users = setup.users
        self._accounts = accounts
        self._opinions: Agenda[tuple[Customer, Opinion]] = Agenda(
            (opinion.at, (customer, opinion)) for customer in company.customers for opinion in customer.opinions
        )

    def write(self, *, now: datetime) -> None:
        """Write every rating up to ``now``."""
        ratings = Rating.objects.bulk_create(
            Rating(
                account=self._accounts[customer.key],
                user=self._users.get(customer.owner),
                value=opinion.value,
                comment=opinion.why,
                rated_at=at,
            )
            for at, (customer, opinion) in self._opinions.take(now)
        )
        record_many(
            [
                Event(
                    account=rating.account,
                    kind="account.rated",
                    happened_at=rating.rated_at,
                    user=rating.user,
                    data={"rating": rating.pk, "value": rating.value},
                )
                for rating in ratings
            ]
        )
