"""What holds for every company: generated accounts, measures and orders of events."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import isclose
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.attributes import Scope
from accounts.models import Account, Touched
from accounts.services.ledger import touch
from health.curves import read_curve
from health.models import HealthDay, HealthScore, Measure
from health.queries import explain_health
from health.services import (
    compute_health,
    compute_touched,
    create_measure,
    create_profile,
    open_draft,
    publish,
    update_profile,
)
from tests.factories import NOW, AccountFactory, SegmentFactory, TicketFactory, TouchpointFactory

pytestmark = pytest.mark.django_db

generated = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)

ATTRIBUTES = ("seats", "tickets.open", "touch.days_since", "days_to_renewal", "customer_days", "usage.days_since")
POINTS = st.floats(0, 100)


def in_a_direction(points: list[float], direction: str) -> list[float]:
    """The points in an order that the direction allows."""
    if direction == "middle":
        return [*sorted(points[::2]), *sorted(points[1::2], reverse=True)]
    return sorted(points, reverse=direction == "lower")


DIRECTIONS = st.sampled_from(Measure.Direction.values)
CURVES = st.tuples(st.lists(st.integers(-1000, 1000), min_size=2, max_size=5, unique=True), DIRECTIONS).flatmap(
    lambda shape: st.lists(POINTS, min_size=len(shape[0]), max_size=len(shape[0])).map(
        lambda points: [list(pair) for pair in zip(sorted(shape[0]), in_a_direction(points, shape[1]), strict=True)]
    )
)
BANDS = CURVES.map(lambda line: {"below": line[0][1], "steps": line[1:]})
MEASURES = st.lists(
    st.tuples(
        st.sampled_from(ATTRIBUTES),
        CURVES | BANDS,
        st.sampled_from(Measure.Missing.values),
        st.decimals("0.001", "50", places=3),
    ),
    min_size=1,
    max_size=6,
)
ACCOUNTS = st.lists(
    st.tuples(st.none() | st.integers(0, 1500), st.integers(0, 4), st.none() | st.integers(0, 200)),
    min_size=1,
    max_size=6,
)


def make_company(measures: Any, accounts: Any) -> list[Account]:
    draft = open_draft(by=None, now=NOW)
    weights = {}
    for number, (attribute, curve, missing, weight) in enumerate(measures):
        key = f"m{number}"
        create_measure(draft=draft, key=key, label=key, attribute=attribute, curve=curve, missing=missing, now=NOW)
        weights[key] = weight
    create_profile(draft=draft, name="All", segment=SegmentFactory(key="all"), weights=weights, now=NOW)
    publish(draft=draft, by=None, note="First", now=NOW)
    made = []
    for seats, tickets, touched in accounts:
        account = AccountFactory(seats=seats)
        TicketFactory.create_batch(tickets, account=account)
        if touched is not None:
            TouchpointFactory(account=account, happened_at=NOW - timedelta(days=touched))
        made.append(account)
    return made


def kept(row: HealthScore | HealthDay) -> tuple[Any, ...]:
    """The parts of a score, comparable: a NaN (does not apply) equals itself by its name."""
    return tuple(tuple(map(str, part)) for part in (row.values, row.points, row.heard))


def scores() -> dict[int, Any]:
    return {row.account_id: (row.score, row.band, kept(row)) for row in HealthScore.objects.order_by("account_id")}


@contextmanager
def company() -> Iterator[None]:
    """Room for one example: whatever it makes is rolled back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@generated
@given(measures=MEASURES, accounts=ACCOUNTS)
def test_contributions_add_up_to_the_score(measures: Any, accounts: Any) -> None:
    with company():
        for account in make_company(measures, accounts):
            compute_health(scope=Scope.everything(), now=NOW)
            explained = explain_health(account=account, now=NOW)
            assert explained is not None
            counted = [row for row in explained.measures if row.left_out is None]
            if explained.score is None:
                assert not counted
                continue
            assert isclose(sum(row.contribution or 0 for row in counted), explained.score, rel_tol=0, abs_tol=1e-9)
            assert 0 <= explained.score <= 100 + 1e-9
            assert all(0 <= (row.points or 0) <= 100 + 1e-9 for row in counted)
            weight = sum(row.weight or 0 for row in counted)
            for row in counted:
                assert isclose(row.contribution or 0, (row.weight or 0) * (row.points or 0) / weight, abs_tol=1e-9)


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, data=st.data())
def test_following_touched_accounts_equals_computing_all(measures: Any, accounts: Any, data: Any) -> None:
    with company():
        made = make_company(measures, accounts)
        compute_health(scope=Scope.everything(), now=NOW)
        for account in data.draw(st.permutations(made)):
            if data.draw(st.booleans()):
                Account.objects.filter(pk=account.pk).update(seats=data.draw(st.integers(0, 1500)))
                TicketFactory(account=account)
                touch([account.pk])
        while compute_touched(now=NOW, limit=2):
            pass
        followed = scores()
        HealthScore.objects.all().delete()
        compute_health(scope=Scope.everything(), now=NOW)

        assert followed == scores()
        assert not Touched.objects.exists()


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, data=st.data())
def test_order_of_events_does_not_matter(measures: Any, accounts: Any, data: Any) -> None:
    with company():
        made = make_company(measures, accounts)
        ends = []
        for order in (made, data.draw(st.permutations(made))):
            savepoint = transaction.savepoint()
            for number, account in enumerate(order):
                seats = account.pk % 7 * 100
                Account.objects.filter(pk=account.pk).update(seats=seats)
                touch([account.pk])
                if number % 2:
                    compute_touched(now=NOW, limit=10)
            compute_touched(now=NOW, limit=100)
            ends.append(scores())
            transaction.savepoint_rollback(savepoint)

        assert ends[0] == ends[1]


@generated
@given(measures=MEASURES, accounts=ACCOUNTS, curve=CURVES)
def test_adding_a_measure_without_data_changes_no_score(measures: Any, accounts: Any, curve: Any) -> None:
    with company():
        make_company(measures, accounts)
        compute_health(scope=Scope.everything(), now=NOW)
        before = {pk: (score, band) for pk, (score, band, _parts) in scores().items()}
        draft = open_draft(by=None, now=NOW)
        create_measure(draft=draft, key="silent", label="Silent", attribute="usage.change_28d", curve=curve, now=NOW)
        profile = draft.profiles.get()
        weights = {row.measure.key: row.weight for row in profile.profile_measures.select_related("measure")}
        update_profile(profile=profile, weights={**weights, "silent": 7}, now=NOW)
        publish(draft=draft, by=None, note="One more", now=NOW)
        compute_health(scope=Scope.everything(), now=NOW)

        assert {pk: (score, band) for pk, (score, band, _parts) in scores().items()} == before


@generated
@given(measures=MEASURES, accounts=ACCOUNTS)
def test_history_of_the_day_equals_the_score(measures: Any, accounts: Any) -> None:
    with company():
        make_company(measures, accounts)
        compute_health(scope=Scope.everything(), now=NOW)
        days = {row.account_id: (row.score, row.band, kept(row)) for row in HealthDay.objects.all()}

        assert days == scores()


@generated
@given(curve=CURVES | BANDS, found=st.integers(-2000, 2000) | st.floats(-2000, 2000))
def test_curve_is_the_same_in_sql_and_in_python(curve: Any, found: Any) -> None:
    read = read_curve(curve)
    expression = read.sql("x")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression.text} FROM (SELECT %s::float8 AS x) given", [*expression.params, found])
        points = cursor.fetchone()[0]

    assert isclose(points, read.points(found), rel_tol=0, abs_tol=1e-9)
    given_points = [point for _, point in curve] if isinstance(curve, list) else [curve["below"]]
    given_points += [point for _, point in curve["steps"]] if isinstance(curve, dict) else []
    assert min(given_points) - 1e-9 <= points <= max(given_points) + 1e-9
