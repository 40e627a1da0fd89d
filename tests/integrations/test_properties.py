"""What holds for any file: taking it twice changes nothing, and its rows may come in any order."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Account
from tests.integrations.files import ACCOUNTS, counts, table, take
from usage.models import DailyUsage, ImportedUsage, RollingUsage

pytestmark = pytest.mark.django_db

USAGE: dict[str, Any] = {
    "importer": "usage",
    "source": "files",
    "fields": {
        "external_id": "id",
        "account": "account",
        "feature": {"column": "feature", "create_missing": True},
        "day": "day",
        "count": "count",
    },
}
HEADER = ["id", "account", "feature", "day", "count"]
ACCOUNT_IDS = ["A-1", "A-2", "A-3"]

cells = st.tuples(
    st.sampled_from([*ACCOUNT_IDS, "A-unknown"]),
    st.sampled_from(["Reports", "Alerts"]),
    st.integers(0, 60).map(lambda days: date(2026, 3, 20) - timedelta(days=days)),
    st.integers(-1, 9),
)
files = st.lists(cells, max_size=12).map(lambda rows: [[f"U-{at}", *row] for at, row in enumerate(rows)])


def state() -> tuple[list[Any], ...]:
    """Usage by the keys that files know, since the database numbers things in the order in which they come."""
    by = ("account__external_id", "feature__key")
    windows = ("last_7", "last_28", "prior_28", "whole_28", "whole_prior_28", "first_day", "last_day")
    return (
        list(ImportedUsage.objects.order_by("external_id").values_list("external_id", *by, "day", "count")),
        list(DailyUsage.objects.order_by(*by, "day").values_list(*by, "day", "count")),
        list(RollingUsage.objects.order_by(*by).values_list(*by, *windows)),
    )


def taken(folder: str, rows: list[list[Any]]) -> tuple[int, int, int, int]:
    return counts(take(table(Path(folder) / "usage.csv", HEADER, rows), USAGE))


def with_accounts(folder: str) -> None:
    rows = [[key, key, 1] for key in ACCOUNT_IDS]
    take(table(Path(folder) / "accounts.csv", ["id", "name", "seats"], rows), ACCOUNTS)


@settings(max_examples=25)
@given(rows=files)
def test_nothing_changes_when_a_file_is_taken_twice(rows: list[list[Any]]) -> None:
    with TemporaryDirectory() as folder, transaction.atomic():
        with_accounts(folder)
        created, updated, unchanged, refused = taken(folder, rows)
        before = state()

        assert (updated, unchanged) == (0, 0)
        assert taken(folder, rows) == (0, 0, created, refused)
        assert state() == before
        transaction.set_rollback(True)


@settings(max_examples=25)
@given(data=st.data(), rows=files)
def test_the_result_is_the_same_when_rows_come_in_another_order(data: st.DataObject, rows: list[list[Any]]) -> None:
    shuffled = data.draw(st.permutations(rows))
    results = []
    for order in (rows, shuffled):
        with TemporaryDirectory() as folder, transaction.atomic():
            with_accounts(folder)
            results.append((taken(folder, order), state()))
            transaction.set_rollback(True)
    assert results[0] == results[1]


@settings(max_examples=25)
@given(first=files, second=files)
def test_a_corrected_file_leaves_what_it_alone_would_when_it_follows(
    first: list[list[Any]], second: list[list[Any]]
) -> None:
    """Rows of the second file replace those of the first with the same id; others of the first stay."""
    with TemporaryDirectory() as folder, transaction.atomic():
        with_accounts(folder)
        taken(folder, first)
        taken(folder, second)

        assert Account.objects.count() == len(ACCOUNT_IDS)
        told = ImportedUsage.objects.filter(count__gt=0).values_list("account", "feature", "day")
        assert set(DailyUsage.objects.values_list("account", "feature", "day", "count")) == set(
            told.annotate(total=Sum("count")).values_list("account", "feature", "day", "total")
        )
        transaction.set_rollback(True)
