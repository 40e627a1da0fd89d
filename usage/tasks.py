"""Periodic work on usage; each task is safe to run at any time, twice, or late."""

from celery import shared_task

from common import clock
from usage import services


@shared_task(name="usage.turn_windows")
def turn_windows() -> None:
    """Move the rolling windows on when the workspace's day has turned."""
    services.turn_windows(now=clock.now())
