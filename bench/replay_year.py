"""A year of ten playbooks over 2,000 accounts, replayed twice to the same log."""

from __future__ import annotations

import time

from bench.base import size_of
from bench.runner import Result
from bench.year import DAYS, PLAYBOOKS, replay


def run(scale: float) -> Result:
    """Replay the year twice, and once without playbooks; raises unless both logs are the same."""
    accounts = max(10, size_of(scale) // 5)
    took, logs = [], []
    for playbooks in (PLAYBOOKS, PLAYBOOKS, {}):
        started = time.perf_counter()
        logs.append(replay(accounts, playbooks=playbooks))
        took.append(time.perf_counter() - started)
    first, second, _none = logs
    if first != second or {row[1] for row in first} != PLAYBOOKS.keys():
        raise RuntimeError("the year was not replayed to the same log")
    ours, floor = (took[0] + took[1]) / 2, took[2]
    return Result(
        name="replay_year",
        unit="s",
        ours=ours,
        floor=floor,
        floor_is=f"the same {DAYS} days of {accounts:,} accounts without playbooks; two replays of {len(first):,} steps"
        " by ten playbooks made the same log",
        ratio=ours / floor,
        rounds=2,
        scale=scale,
    )
