"""Benches: each figure is measured beside its floor, the least that the same work could cost on this machine.

`python -m bench` (`make bench`) runs every module of this package that has a `run`:

    def run(scale: float) -> Result:
        accounts = int(10_000 * scale)
        ...                                     # make the data; Django is set up, the database is migrated and empty
        return measure(
            name="health_full",
            unit="s",
            ours=compute_scores,                # one round of the product's way; returns the figure in `unit`
            floor=compute_scores_by_hand,       # one round of the least way
            floor_is="the same scores by one hand-written SQL statement",
            scale=scale,
        )

`ours` and `floor` take turns, so that a machine that slows down slows both, and the figure is each one's median.
A `run` that also compares what both made raises when they differ: a floor that does other work is no floor.
One with several figures of the same data returns a list of them; `limited()` makes one that has a limit, not a floor.

A bench runs in a process of its own, with production settings, on a database of its own, on PostgreSQL with
`synchronous_commit` on and 2 GB of shared buffers, and on Valkey. `bench.web.serve()` gives it the web process.

`ONLY=name` runs one; `SCALE=0.1` makes the data a tenth, for a quick look whose figures are not kept.
From 1,000 on, `SCALE` is the number of accounts.
"""

from bench.runner import Result, limited, measure, timed

__all__ = ["Result", "limited", "measure", "timed"]
