"""How values are spread over the accounts: each account is in just one place of the picture."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context
from accounts.models import Account, CustomField
from health.queries.distribution import distribution, known_counts
from tests.factories import NOW, AccountFactory

pytestmark = pytest.mark.django_db


def spread_of(key: str) -> dict[str, object] | None:
    return distribution(Catalogue()[key], context=Context.at(NOW))


def test_each_value_has_its_own_bar_when_there_are_few() -> None:
    for seats in (5, 5, 7, 5, None):
        AccountFactory(seats=seats)
    AccountFactory(seats=900, ended_at=NOW - timedelta(days=1))

    assert spread_of("seats") == {
        "bins": [{"from": 5, "to": 5, "count": 3}, {"from": 7, "to": 7, "count": 1}],
        "missing": 1,
        "quantiles": {"p5": 5, "p25": 5, "p50": 5, "p75": 5.5, "p95": 6.7},
        "min": 5,
        "max": 7,
    }


def test_bars_are_of_a_round_width_when_values_are_many() -> None:
    Account.objects.bulk_create(AccountFactory.build(seats=seats) for seats in [*range(1, 401), 90_000])

    spread = spread_of("seats")

    assert spread is not None
    bins = spread["bins"]
    assert isinstance(bins, list)
    assert sum(one["count"] for one in bins) == 401
    assert {one["to"] - one["from"] for one in bins[:-1]} == {20}
    assert (bins[0]["from"], bins[0]["count"]) == (0, 19)
    assert bins[-1]["from"] <= 90_000 < bins[-1]["to"]
    assert all(before["to"] <= after["from"] for before, after in pairwise(bins))
    assert (spread["min"], spread["max"], spread["missing"]) == (1, 90_000, 0)


def test_values_below_zero_and_fractions_fall_into_their_bars() -> None:
    CustomField.objects.create(key="margin", label="Margin", type=CustomField.Type.NUMBER)
    values = [round(-3 + place * 0.05, 2) for place in range(120)]
    Account.objects.bulk_create(AccountFactory.build(custom={"margin": one}) for one in values)

    spread = spread_of("custom.margin")

    assert spread is not None
    bins = spread["bins"]
    assert isinstance(bins, list)
    assert sum(one["count"] for one in bins) == 120
    for one in bins:
        assert one["count"] == sum(one["from"] <= found < one["to"] for found in values)


def test_choices_are_counted_by_value() -> None:
    AccountFactory(touch_model="high_touch")
    AccountFactory(touch_model="high_touch")
    AccountFactory(touch_model="low_touch")

    assert spread_of("touch_model") == {"counts": {"high_touch": 2, "low_touch": 1}, "missing": 0}
    assert spread_of("is_live") == {"counts": {"true": 3, "false": 0}, "missing": 0}


def test_nothing_is_known_when_no_account_has_a_value() -> None:
    AccountFactory(seats=None)

    assert spread_of("seats") == {"bins": [], "missing": 1, "quantiles": {}, "min": None, "max": None}
    Account.objects.all().delete()
    assert spread_of("seats") == {"bins": [], "missing": 0, "quantiles": {}, "min": None, "max": None}


def test_no_picture_when_values_cannot_be_read() -> None:
    CustomField.objects.create(key="late", label="Late", type=CustomField.Type.NUMBER)
    AccountFactory(custom={"late": "soon"})

    assert spread_of("custom.late") is None


def test_one_query_however_many_accounts_and_attributes() -> None:
    for seats in range(30):
        AccountFactory(seats=seats or None)
    catalogue, context = Catalogue(), Context.at(NOW)

    with CaptureQueriesContext(connection) as queries:
        distribution(catalogue["seats"], context=context)
    assert len([one for one in queries if "SAVEPOINT" not in one["sql"]]) == 1
    with CaptureQueriesContext(connection) as queries:
        known, accounts = known_counts([catalogue["seats"], catalogue["nps.last"]], context=context)
    assert len(queries) == 1
    assert (known, accounts) == ({"seats": 29, "nps.last": 0}, 30)


def test_what_lies_far_below_shares_one_bar() -> None:
    CustomField.objects.create(key="margin", label="Margin", type=CustomField.Type.NUMBER)
    values = [-90_000, *range(1, 401)]
    Account.objects.bulk_create(AccountFactory.build(custom={"margin": one}) for one in values)

    spread = spread_of("custom.margin")

    assert spread is not None
    bins = spread["bins"]
    assert isinstance(bins, list)
    assert bins[0] == {"from": -90_000, "to": 0, "count": 1}
    assert {one["to"] - one["from"] for one in bins[1:-1]} == {20}
