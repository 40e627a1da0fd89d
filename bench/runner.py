"""What a bench gives back, and how ours and the floor take turns."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure beside its floor, both medians over `rounds` rounds."""

    name: str
    unit: str
    ours: float
    floor: float
    floor_is: str
    ratio: float
    rounds: int
    scale: float


def measure(
    *,
    name: str,
    unit: str,
    ours: Callable[[], float],
    floor: Callable[[], float],
    floor_is: str,
    scale: float,
    rounds: int = ROUNDS,
) -> Result:
    """Let `ours` and `floor` take turns, and return their medians and the ratio of ours to the floor.

    Each call does one round and returns its figure in `unit`. A first round of both warms caches and is not counted.
    Who begins alternates, so that neither always runs on what the other left behind.
    """
    figures: dict[str, list[float]] = {"ours": [], "floor": []}
    for turn in range(rounds + 1):
        pair = [("ours", ours), ("floor", floor)]
        for side, once in pair if turn % 2 else reversed(pair):
            figure = once()
            if turn:
                figures[side].append(figure)
    ours_median, floor_median = statistics.median(figures["ours"]), statistics.median(figures["floor"])
    return Result(
        name=name,
        unit=unit,
        ours=ours_median,
        floor=floor_median,
        floor_is=floor_is,
        ratio=ours_median / floor_median,
        rounds=rounds,
        scale=scale,
    )


def limited(*, name: str, unit: str, ours: float, limit: float, floor_is: str, scale: float, rounds: int = 1) -> Result:
    """A figure that has no floor to stand beside: the limit stands there, so a ratio above 1 is too much."""
    return Result(
        name=name,
        unit=unit,
        ours=ours,
        floor=limit,
        floor_is=f"the limit, not a floor: {floor_is}",
        ratio=ours / limit,
        rounds=rounds,
        scale=scale,
    )


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Return a round that does `work` and gives the seconds it took."""

    def once() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return once
