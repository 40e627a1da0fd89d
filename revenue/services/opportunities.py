"""What becomes of opportunities, whoever says it: people, the REST API, playbooks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, User
from accounts.services.ledger import record, touch
from common.cells import EARLIEST, LATEST
from common.errors import Conflict, DomainError
from common.text import storable
from revenue.models import Opportunity
from revenue.services.invoices import currency_problem

Stage = Opportunity.Stage


@transaction.atomic
def open_opportunity(
    *,
    account: Account,
    name: str,
    kind: str,
    amount: Decimal | None,
    currency: str,
    owner: User | None,
    expected_on: date | None,
    by: User | None,
    now: datetime,
    origin: str = "",
    key: str | None = None,
) -> Opportunity:
    """Open an opportunity; ``origin`` names what found it, and ``key`` its reason: a second call changes nothing.

    Raises DomainError for another currency than the workspace's and for values out of bounds.
    """
    made = Opportunity.objects.filter(key=key).first() if key is not None else None
    if made is not None:
        return made
    opportunity = Opportunity(
        account=account,
        name=name,
        kind=kind,
        amount=amount,
        currency=currency,
        owner=owner,
        expected_on=expected_on,
        opened_by=by,
        opened_at=now,
        origin=origin,
        key=key,
    )
    return save_opportunity(opportunity=opportunity, by=by, now=now)


@transaction.atomic
def save_opportunity(*, opportunity: Opportunity, by: User | None, now: datetime) -> Opportunity:
    """Keep a new or changed opportunity, with the events of how it went on: opened, won, lost, opened again.

    Raises DomainError for another currency than the workspace's and for values out of bounds.
    """
    _check(opportunity)
    held = Opportunity.objects.select_for_update().filter(pk=opportunity.pk).first() if opportunity.pk else None
    was_closed = held is not None and held.is_closed
    if not opportunity.is_closed:
        opportunity.closed_at = None
    elif not was_closed or opportunity.closed_at is None:
        opportunity.closed_at = now
    opportunity.save()
    if held is None:
        _tell(opportunity, "opened", by, now)
    if opportunity.is_closed and (held is None or held.stage != opportunity.stage):
        _tell(opportunity, opportunity.stage, by, now)
    elif was_closed and not opportunity.is_closed:
        _tell(opportunity, "reopened", by, now)
    touch({opportunity.account_id, *({held.account_id} if held else ())})
    return opportunity


@transaction.atomic
def close_opportunity(
    *, opportunity: Opportunity, is_won: bool, outcome: str, by: User | None, now: datetime
) -> Opportunity:
    """Say how it ended, and why; raises Conflict when it was closed already."""
    held = Opportunity.objects.select_for_update().get(pk=opportunity.pk)
    if held.is_closed:
        words = {"opportunity": held.name, "how": held.get_stage_display()}
        raise Conflict(_("“%(opportunity)s” is closed already: %(how)s.") % words, code="closed")
    held.stage, held.outcome = Stage.WON if is_won else Stage.LOST, outcome
    return save_opportunity(opportunity=held, by=by, now=now)


def _check(opportunity: Opportunity) -> None:
    fields: dict[str, str] = {}
    if problem := currency_problem(opportunity.currency):
        fields["currency"] = problem
    if not opportunity.name.strip() or not storable(opportunity.name):
        fields["name"] = _("Give it a name.")
    if opportunity.amount is not None and opportunity.amount < 0:
        fields["amount"] = _("Give an amount of 0 or more.")
    day = opportunity.expected_on
    if day is not None and not EARLIEST <= day.year < LATEST:
        fields["expected_on"] = _("Give a day between the years %(first)d and %(last)d.") % {
            "first": EARLIEST,
            "last": LATEST,
        }
    if fields:
        raise DomainError(next(iter(fields.values())), code="opportunity_invalid", fields=fields)


def _tell(opportunity: Opportunity, what: str, by: User | None, now: datetime) -> None:
    record(
        account=opportunity.account,
        kind=f"opportunity.{what}",
        happened_at=now,
        user=by,
        data={
            "opportunity": opportunity.pk,
            "name": opportunity.name,
            "kind": opportunity.kind,
            "amount": None if opportunity.amount is None else str(opportunity.amount),
            "currency": opportunity.currency,
            "outcome": opportunity.outcome,
        },
    )
