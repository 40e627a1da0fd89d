from celery import shared_task

from common import clock
from surveys.services import mark_bounces as mark
from surveys.services import send_held_back as send


@shared_task(name="surveys.mark_bounces")
def mark_bounces() -> None:
    """Mark the contacts whose invitations found no mailbox."""
    mark(now=clock.now())


@shared_task(name="surveys.send_held_back")
def send_held_back() -> None:
    """Send the invitations that a contact's budget held back and now has a place for."""
    send(now=clock.now())
