"""How the launcher speaks: steps while it works, one sentence when it cannot."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class CannotGoOn(Exception):  # it is what the person is told
    """The launcher has to stop; the text is one sentence that says what to do about it."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a piece of work, and say how long it took when it was worth mentioning."""
    say(f"  {text} ...")
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds >= 1:
        say(f"  {text}: done in {seconds:.0f} s")


def warn(text: str) -> None:
    """Print one line for people who look at errors."""
    print(text, file=sys.stderr, flush=True)
