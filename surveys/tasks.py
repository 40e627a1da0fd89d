from celery import shared_task

from common import clock
from surveys.services import mark_bounces as mark


@shared_task(name="surveys.mark_bounces")
def mark_bounces() -> None:
    """Mark the contacts whose invitations found no mailbox."""
    mark(now=clock.now())
