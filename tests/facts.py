"""Reading attributes in tests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, read_facts
from accounts.models import Account
from tests.factories import NOW


def values_of(account: Account, *keys: str, now: datetime = NOW) -> Any:
    """The value of the attribute for the account; of several attributes, a tuple."""
    catalogue = Catalogue()
    found = read_facts([catalogue[key] for key in keys], [account.pk], context=Context.at(now))[account.pk]
    values = tuple(found[key].value for key in keys)
    return values[0] if len(values) == 1 else values


def read_at_once(accounts: Sequence[Account], *keys: str, now: datetime = NOW) -> tuple[list[Any], int]:
    """The values of one or several attributes for each of the accounts, and how many queries that took."""
    catalogue, context = Catalogue(), Context.at(now)
    wanted = [catalogue[key] for key in keys]
    with CaptureQueriesContext(connection) as queries:
        found = read_facts(wanted, [account.pk for account in accounts], context=context)
    rows = [tuple(found[account.pk][key].value for key in keys) for account in accounts]
    return [row[0] if len(row) == 1 else row for row in rows], len(queries)
