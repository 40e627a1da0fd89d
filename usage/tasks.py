"""Periodic work on usage; each task is safe to run at any time, twice, or late."""

from celery import shared_task

from common import clock
from common.locks import only_one
from usage import services


@shared_task(name="usage.turn_windows")
def turn_windows() -> None:
    """Move the rolling windows on when the workspace's day has turned."""
    services.turn_windows(now=clock.now())


@shared_task(name="usage.assign_waiting")
def assign_waiting() -> None:
    """Count the calls that waited for an account that is known now."""
    with only_one("usage.assign_waiting") as free:
        if free:
            services.assign_waiting(now=clock.now())


@shared_task(name="usage.purge")
def purge() -> None:
    """Forget old message ids."""
    services.purge(now=clock.now())
