from celery import shared_task

from common import clock
from outbox.services import deliver_due, deliver_hooks_due

BATCH = 200


@shared_task(name="outbox.deliver", time_limit=300)
def deliver() -> None:
    """Send the mail that is due. Several may run at once; the time limit ends well before a lease does."""
    deliver_due(now=clock.now(), limit=BATCH)


@shared_task(name="hooks.deliver", time_limit=300)
def deliver_hooks() -> None:
    """Send what is due to Slack and webhooks, in a queue of its own: a target that is slow must not delay mail."""
    deliver_hooks_due(now=clock.now(), limit=BATCH)
