from celery import shared_task

from common import clock
from surveys import services

BATCH = 500
MOST_BATCHES = 10


@shared_task(name="surveys.mark_bounces")
def mark_bounces() -> None:
    """Mark the contacts whose invitations or reminders found no mailbox."""
    services.mark_bounces(now=clock.now())


@shared_task(name="surveys.send_held_back")
def send_held_back() -> None:
    """Send the invitations and reminders that a contact's budget held back and now has a place for."""
    services.send_held_back(now=clock.now())
    services.remind_held_back(now=clock.now())


@shared_task(name="surveys.remind", time_limit=300)
def remind() -> None:
    """Remind those who have not answered in the days that their survey gives."""
    for _ in range(MOST_BATCHES):
        if services.remind(now=clock.now(), limit=BATCH) < BATCH:
            return
