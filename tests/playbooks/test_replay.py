"""Ten playbooks over days of usage, health and events, replayed: the same days make the same log."""

import pytest

from bench.year import PLAYBOOKS, replay

ACCOUNTS, DAYS = 100, 45
"""`make bench` replays the whole year of 2,000 accounts (`replay_year`)."""


@pytest.mark.django_db(transaction=True)
def test_days_of_ten_playbooks_replay_to_the_same_log() -> None:
    first = replay(ACCOUNTS, days=DAYS)
    second = replay(ACCOUNTS, days=DAYS)

    assert first == second
    assert {row[1] for row in first} == PLAYBOOKS.keys()
