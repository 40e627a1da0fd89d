"""Lists of accounts: narrowed by a condition, ordered by any attribute, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet

from accounts.attributes import Attribute, Catalogue, Context, Facts, Scope, facts_relation, read_facts
from accounts.conditions import matching
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from common.sql import SQL, rows


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in a list, with the facts of the columns that were asked for, by attribute key."""

    account: Account
    facts: dict[str, Facts]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of a list of accounts, and how many the whole list has."""

    rows: list[AccountRow]
    total: int


def scope_of(accounts: AccountQuerySet) -> Scope:
    """The scope that holds just these accounts."""
    try:
        sql, params = accounts.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return Scope.ids([])
    return Scope.query(SQL(sql, tuple(params)))


def page_of_accounts(
    accounts: AccountQuerySet,
    *,
    condition: Any,
    columns: Sequence[Attribute],
    order_by: Attribute,
    descending: bool,
    now: datetime,
    offset: int,
    limit: int,
) -> AccountPage:
    """Those of ``accounts`` for which ``condition`` (JSON) holds, ordered by an attribute, missing values last.

    Three queries however many accounts there are. Raises ConditionError when the condition is not valid.
    """
    context = Context.at(now)
    found = matching(accounts, condition, now=now)
    relation = facts_relation([order_by], scope=scope_of(found), context=context)
    direction = "DESC" if descending else "ASC"
    ordered = rows(
        SQL(
            "SELECT account_id, count(*) OVER () FROM ({}) facts"
            f" ORDER BY {relation.value(order_by)} {direction} NULLS LAST, account_id LIMIT {{}} OFFSET {{}}"
        ).format(relation.sql, SQL("%s", (limit,)), SQL("%s", (offset,)))
    )
    ids = [row[0] for row in ordered]
    by_id = Account.objects.select_related("owner", "stage", "plan").in_bulk(ids)
    facts = read_facts(list(columns), ids, context=context) if ids else {}
    total = ordered[0][1] if ordered else (found.count() if offset else 0)
    return AccountPage(rows=[AccountRow(by_id[pk], facts[pk]) for pk in ids if pk in by_id], total=total)


def facts_of(account: Account, keys: Sequence[str], *, now: datetime) -> dict[str, Facts]:
    """The named attributes of one account, in one query; raises KeyError for an attribute that does not exist."""
    catalogue = Catalogue()
    return read_facts([catalogue[key] for key in keys], [account.pk], context=Context.at(now))[account.pk]
