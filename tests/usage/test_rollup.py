from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Touched, Workspace
from tests.factories import NOW, AccountFactory, FeatureFactory
from usage.models import AccountActivity, DailyUsage, RollingUsage, UsageCalendar, UserActivity
from usage.services import add_active_users, add_daily_usage, turn_windows
from usage.services.rollup import WINDOWS

TODAY = NOW.date()
Row = tuple[int, int, date, int]


def windows_by_hand(rows: Sequence[Row], as_of: date) -> dict[tuple[int, int], tuple[int, ...]]:
    """What the windows must be, worked out the slow way."""
    pairs = {(account, feature) for account, feature, _day, _count in rows}
    return {
        pair: tuple(
            sum(
                count
                for account, feature, day, count in rows
                if (account, feature) == pair and ends <= (as_of - day).days < begins
            )
            for _column, ends, begins in WINDOWS
        )
        for pair in pairs
    }


def windows_kept() -> dict[tuple[int, int], tuple[int, ...]]:
    columns = [column for column, _ends, _begins in WINDOWS]
    return {
        (account, feature): tuple(counts)
        for account, feature, *counts in RollingUsage.objects.values_list("account_id", "feature_id", *columns)
    }


class GeneratedUsage(TestCase):
    @settings(max_examples=40)
    @given(data=st.data())
    def test_windows_equal_a_count_by_hand_when_days_come_in_any_order_and_turns_are_missed(
        self, data: st.DataObject
    ) -> None:
        rows: list[Row] = data.draw(
            st.lists(
                st.tuples(
                    st.integers(1, 2),
                    st.integers(1, 2),
                    st.integers(-5, 80).map(lambda ago: TODAY - timedelta(days=ago)),
                    st.integers(1, 9),
                ),
                max_size=40,
            )
        )
        turns = sorted(data.draw(st.lists(st.integers(0, 90), max_size=4)))
        first = data.draw(st.integers(0, len(rows)))

        add_daily_usage(rows[:first], now=NOW)
        for days in turns:
            turn_windows(now=NOW + timedelta(days=days))
        add_daily_usage(rows[first:], now=NOW)

        as_of = UsageCalendar.objects.get().as_of
        assert as_of == TODAY + timedelta(days=max(turns, default=0))
        assert windows_kept() == windows_by_hand(rows, as_of)
        spans = {
            pair: (
                min(day for account, feature, day, _count in rows if (account, feature) == pair),
                max(day for account, feature, day, _count in rows if (account, feature) == pair),
            )
            for pair in windows_kept()
        }
        assert spans == {
            (row.account_id, row.feature_id): (row.first_day, row.last_day) for row in RollingUsage.objects.all()
        }


@pytest.mark.django_db
def test_counts_are_taken_back_when_they_are_negative() -> None:
    account, feature = AccountFactory(), FeatureFactory()
    yesterday = TODAY - timedelta(days=1)
    add_daily_usage([(account.pk, feature.pk, TODAY, 3), (account.pk, feature.pk, yesterday, 2)], now=NOW)

    add_daily_usage([(account.pk, feature.pk, TODAY, -3)], now=NOW)

    assert list(DailyUsage.objects.values_list("day", "count")) == [(yesterday, 2)]
    kept = RollingUsage.objects.get()
    assert (kept.last_7, kept.last_28, kept.last_day) == (2, 2, yesterday)


@pytest.mark.django_db
def test_the_account_is_heard_on_the_workspaces_day_when_counts_are_added() -> None:
    Workspace.objects.create(time_zone="Pacific/Auckland")
    account, feature = AccountFactory(), FeatureFactory()

    added = add_daily_usage([(account.pk, feature.pk, TODAY, 3)], now=NOW)

    assert added == 1
    activity = AccountActivity.objects.get()
    assert Workspace.current().day(activity.last_event_at) == TODAY
    assert Touched.objects.get().account_id == account.pk


@pytest.mark.django_db
def test_first_and_last_day_widen_when_users_are_active_again() -> None:
    account = AccountFactory()

    for day in (TODAY, TODAY - timedelta(days=9), TODAY - timedelta(days=2)):
        add_active_users([(account.pk, "u1", day)])

    seen = UserActivity.objects.get()
    assert (seen.first_day, seen.last_day) == (TODAY - timedelta(days=9), TODAY)


@pytest.mark.django_db
def test_windows_stay_when_the_clock_goes_back() -> None:
    turn_windows(now=NOW)

    assert turn_windows(now=NOW - timedelta(days=2)) == 0
    assert UsageCalendar.objects.get().as_of == TODAY
