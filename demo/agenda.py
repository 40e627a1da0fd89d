"""Things that are to happen, taken in the order of their time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """A list of (instant, thing) from which everything up to a given instant is taken once."""

    def __init__(self, items: Iterable[tuple[datetime, T]]) -> None:
        self._items = sorted(items, key=lambda item: item[0])
        self._position = 0

    def take(self, now: datetime) -> list[tuple[datetime, T]]:
        """Everything up to ``now`` that was not taken before, oldest first."""
        start = self._position
        while self._position < len(self._items) and self._items[self._position][0] <= now:
            self._position += 1
        return self._items[start : self._position]
