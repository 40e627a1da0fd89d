"""Periodic work of notifications; what there is to do stands in the database."""

from celery import shared_task

from common import clock
from notifications import services

BATCH = 1000
MOST_BATCHES = 10


@shared_task(name="notifications.consume", time_limit=300)
def consume() -> None:
    """Tell people of what has happened."""
    for _ in range(MOST_BATCHES):
        if services.consume_events(now=clock.now(), limit=BATCH) < BATCH:
            return


@shared_task(name="notifications.send_digests")
def send_digests() -> None:
    """Write the daily mails whose morning has come."""
    services.send_digests(now=clock.now())


@shared_task(name="notifications.prune")
def prune() -> None:
    """Delete what nobody reads any more."""
    while services.prune(now=clock.now()):
        pass
